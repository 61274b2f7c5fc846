import ArgumentParser
import ArrayFiles
import Engines
import Formulas
import Kernels

/// Computes a reduction on data from files.
struct ReduceCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reduce",
        abstract: "Computes a reduction, or its gradient, on data from files.",
        usage: """
            khufu reduce FORMULA NAME=KIND:SOURCE … [options]
            khufu reduce FORMULA NAME=KIND:SOURCE … --gradient NAME --cotangent FILE [options]
            """,
        discussion: """
            Example: a Gaussian sum over 3-D points, for every i the sum over j
              khufu reduce "Exp(-g*SqDist(x,y))*b" \\
                x=i:x.npy y=j:y.npy b=j:b.csv g=p:0.5 -o sums.npy

            KIND is i (one vector per i), j (one per j) or p (a parameter).

            SOURCE is a .npy, .csv or .tsv file of shape (points, dim); a file with
            one axis holds points of dimension 1. More than two axes of a .npy
            file are a batch: one reduction each, where lengths of 1 are repeated.
            A parameter is one vector: a file, or numbers such as 0.5 or 0.5,2.
            The order of the inputs is that of Var(0,…), Var(1,…) in formulas.

            The result has shape (points, numbers per point). Reductions that
            return values and indices write the values to OUT and the indices
            beside it, as OUT-indices; those of indices alone write them to OUT.
            A formula may begin with a minus.
            """)

    @Argument(help: "What is reduced; `khufu operations` lists what it can call.")
    var formula: String

    @Argument(
        help: ArgumentHelp("The inputs.", valueName: "NAME=KIND:SOURCE"), transform: { try InputArgument($0, meaning: "SOURCE") })
    var inputs: [InputArgument] = []

    @OptionGroup var options: ReductionOptions
    @OptionGroup var devices: DeviceOptions

    @Option(help: "The type to compute in; by default float64 if any .npy input has it, else float32.")
    var dtype: NumberType?

    @Option(name: [.customShort("o"), .customLong("output")], help: "The file for the result; without it a summary is printed.")
    var output: String?

    @Option(help: "Computes the derivative of Σ result × cotangent with respect to this input in place of the result.")
    var gradient: String?

    @Option(help: "A file of the result's shape, for --gradient.")
    var cotangent: String?

    @Option(
        help: ArgumentHelp("A file for the seconds that the kernel and each repetition took, as JSON.", valueName: "file.json"))
    var timings: String?

    func validate() throws {
        try InputArgument.checkNames(inputs)
        guard (gradient == nil) == (cotangent == nil) else {
            throw ValidationError("--gradient NAME and --cotangent FILE go together.")
        }
        if let gradient, !inputs.contains(where: { $0.name == gradient }) {
            throw ValidationError("--gradient names \(quoted(gradient)), which is not among the inputs.")
        }
        if let output {
            do {
                _ = try ArrayFormat(path: output)
            } catch {
                throw ValidationError(error.description)
            }
        }
    }

    func run() throws {
        let clock = ContinuousClock()
        let start = clock.now
        if let output { try FileWriter.check(output) }
        let data = try InputData(inputs, type: dtype)
        let reduction = try options.reduction(of: formula, data.declarations)
        let reading = clock.now - start

        let evaluation: Evaluation
        let subject: String
        if let gradient, let cotangent {
            evaluation = try Evaluation(gradientOf: reduction, data, name: gradient, cotangentFile: cotangent, devices)
            subject = "Gradient in \(gradient) of \(reduction.sentence(data.declarations))"
        } else {
            let compiled = try CompiledReduction(reduction, declarations: data.declarations)
            evaluation = try Evaluation(compiled, data.arrays, devices)
            subject = reduction.sentence(data.declarations)
        }
        for name in data.unusedNames(reduction) {
            standardError("Note: the result does not depend on the values of \(quoted(name)).")
        }
        if let reason = evaluation.device.fallbackReason { standardError("Note: interpreted. \(reason)") }
        if let timings { try write(timingsOf: evaluation, to: timings) }
        if let output {
            try write(evaluation, to: output)
        } else {
            print(summary(evaluation, subject, reading: reading))
        }
    }

    // MARK: The result

    private func write(_ evaluation: Evaluation, to path: String) throws {
        switch (evaluation.values, evaluation.indices) {
        case (let values?, let indices?):
            try values.points.write(to: path)
            try indices.write(to: Self.indexPath(path))
        case (let values?, nil): try values.points.write(to: path)
        case (nil, let indices?): try indices.write(to: path)
        case (nil, nil): break
        }
    }

    private func write(timingsOf evaluation: Evaluation, to path: String) throws {
        let times = evaluation.times.map { "\($0 / .seconds(1))" }.joined(separator: ", ")
        let text =
            "{\"preparation\": \(evaluation.preparation / .seconds(1)), \"times\": [\(times)], \"pairs\": \(evaluation.pairs), "
            + "\"evaluatedPairs\": \(evaluation.evaluatedPairs)}\n"
        var writer = try FileWriter(path)
        try writer.write(text)
        try writer.finish()
    }

    /// `result.npy` → `result-indices.npy`.
    static func indexPath(_ path: String) -> String {
        let ending = "." + fileExtension(path)
        return path.dropLast(ending.count) + "-indices" + path.suffix(ending.count)
    }

    private func summary(_ evaluation: Evaluation, _ subject: String, reading: Duration) -> String {
        var sheet = Sheet()
        if let values = evaluation.values { ResultSummary.add(values.points, "result", to: &sheet) }
        if let indices = evaluation.indices {
            ResultSummary.add(indices, evaluation.values == nil ? "result" : "indices", to: &sheet)
        }
        let speed = rate(evaluation.pairs, evaluation.time).map { ", \($0)" } ?? ""
        sheet.add("time", "\(readable(evaluation.time))\(speed), on \(evaluation.device.description)")
        if evaluation.evaluatedPairs < evaluation.pairs {
            let share = short(100 * evaluation.evaluatedPairs / evaluation.pairs, digits: 2)
            sheet.add("pruning", "\(share) % of the pairs were evaluated")
        }
        sheet.add(
            "before", "\(readable(reading)) for reading, \(readable(evaluation.preparation)) for finding or making the kernel")
        return subject + "\n" + sheet.text(indent: "  ")
    }
}
