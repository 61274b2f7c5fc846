import ArgumentParser
import ArrayFiles
import Engines
import Formulas
import Kernels

/// Times reductions on random points, and holds each to the least time that its instructions could take on this processor.
struct BenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Times reductions on random points, and compares with the processor's limit.",
        usage: "khufu bench [FORMULA NAME=KIND:DIM …] [options]",
        discussion: """
            Example:
              khufu bench "Exp(-g*SqDist(x,y))*b" x=i:3 y=j:3 b=j:1 g=p:1 --points 20000

            Without a formula, a list of common ones. The bound is the time in which every core could issue the pair's \
            arithmetic and vector functions, at rates measured here, for the pairs that were evaluated; the share is the bound \
            over the time. Pairs that pruning leaves out count for pairs/s.
            """)

    @Argument(help: "The formula.")
    var formula: String?

    @Argument(help: ArgumentHelp("The inputs.", valueName: "NAME=KIND:DIM"), transform: { try InputArgument($0, meaning: "DIM") })
    var inputs: [InputArgument] = []

    @OptionGroup var reduction: ReductionOptions
    @OptionGroup var device: DeviceOptions

    @Option(help: "The type computed in.")
    var dtype: NumberType = .float32

    @Option(help: "How many points either index has.")
    var points: Int = 10_000

    func validate() throws {
        try InputArgument.checkNames(inputs)
        guard (1...100_000_000).contains(points) else {
            throw ValidationError("--points is 1 to 100000000; this is \(points).")
        }
    }

    func run() throws {
        var cases: [BenchCase]
        if let formula {
            let declarations = try inputs.enumerated().map { try $1.declaration(position: $0) }
            cases = [
                BenchCase(
                    title: formula, reduction: try reduction.reduction(of: formula, declarations), declarations: declarations,
                    type: dtype, points: points)
            ]
        } else {
            cases = try BenchCase.common
        }
        print(BenchCase.heading)
        for benchCase in cases {
            print(try benchCase.row(device))
            flushOutput()
        }
    }
}

/// A reduction to time, with its sizes.
struct BenchCase {
    var title: String
    var reduction: Reduction
    var declarations: [Declaration]
    var type: NumberType
    var points: Int

    /// Sums, selections and soft maxima, in few and many dimensions.
    static var common: [BenchCase] {
        get throws {
            let gaussian = "Exp(-g*SqDist(x,y))*b"
            func make(
                _ title: String, _ formula: String, _ inputs: [String], _ count: Int, _ kind: Reduction.Kind = .sum, k: Int = 1,
                type: NumberType = .float32
            ) throws -> BenchCase {
                BenchCase(
                    title: title, reduction: try Reduction(kind, of: try Formula(parsing: formula, aliases: inputs), k: k),
                    declarations: try Declaration.list(parsing: inputs), type: type, points: count)
            }
            func points(_ d: Int) -> [String] { ["x = Vi(\(d))", "y = Vj(\(d))"] }
            return [
                try make("Gaussian sum, D=3", gaussian, points(3) + ["b = Vj(1)", "g = Pm(1)"], 20_000),
                try make("Gaussian sum, D=3", gaussian, points(3) + ["b = Vj(1)", "g = Pm(1)"], 20_000, type: .float64),
                try make("Gaussian sum, D=100", gaussian, points(100) + ["b = Vj(1)", "g = Pm(1)"], 10_000),
                try make("Gaussian times 64 columns, D=3", gaussian, points(3) + ["b = Vj(64)", "g = Pm(1)"], 10_000),
                try make("Laplacian sum, D=3", "Exp(-g*Norm2(x-y))*b", points(3) + ["b = Vj(1)", "g = Pm(1)"], 20_000),
                try make("Cauchy sum, D=3", "b/(1+g*SqDist(x,y))", points(3) + ["b = Vj(1)", "g = Pm(1)"], 20_000),
                try make("log-sum-exp, D=3", "-SqDist(x,y)", points(3), 20_000, .logSumExp),
                try make("argmin, D=50", "SqDist(x,y)", points(50), 10_000, .argMin),
                try make("argKmin(10), D=3", "SqDist(x,y)", points(3), 20_000, .argKMin, k: 10),
                try make("argKmin(10), Manhattan, D=10", "Sum(Abs(x-y))", points(10), 10_000, .argKMin, k: 10),
            ]
        }
    }

    private static let widths = [34, 8, 8, 9, 12, 9, 9, 6]
    static let heading = line(["", "points", "type", "time", "pairs/s", "evaluated", "bound", "share"])

    private static func line(_ cells: [String]) -> String {
        zip(cells, widths).enumerated().map { column, cell in
            let space = String(repeating: " ", count: max(0, cell.1 - cell.0.count))
            return column == 0 ? cell.0 + space : space + cell.0
        }.joined(separator: " ")
    }

    /// One line of the table: the shortest of several runs.
    func row(_ options: DeviceOptions) throws -> String {
        var options = options
        options.repetitions = max(options.repetitions, 7)
        let compiled = try CompiledReduction(reduction, declarations: declarations)
        let evaluation = try Evaluation(compiled, try data(), options)
        let seconds = evaluation.time / .seconds(1)
        var (bound, share) = ("", "")
        if evaluation.device.engine == .cpu, evaluation.device.accelerators.isEmpty {
            let kernel = try Kernel(
                lowering: reduction, precision: Precision(storage: type.scalar, exponentials: options.exponentials),
                squaredDistances: try KernelCache.shared.distances.form(rows: points))
            let rates = try ProcessorRates(type: type.scalar, threads: options.threadCount)
            let least = try rates.bound(kernel.pairCost, pairs: evaluation.evaluatedPairs)
            bound = readable(.seconds(least))
            share = "\(Int((100 * least / seconds).rounded())) %"
        }
        let title = title.count > Self.widths[0] ? title.prefix(Self.widths[0] - 1) + "…" : title
        return Self.line([
            printable(title, limit: 200), counted(points), type.rawValue, readable(evaluation.time),
            short(evaluation.pairs / seconds, digits: 3), Self.percentage(evaluation.evaluatedPairs / evaluation.pairs), bound,
            share,
        ])
    }

    /// Runs it once, on random points.
    func report(_ options: ExecutionOptions) throws -> RunReport {
        let compiled = try CompiledReduction(reduction, declarations: declarations)
        return try data().withInputs { inputs in
            let shape = try compiled.resultShape(for: inputs)
            var indices = [Int64](repeating: 0, count: shape.indexTotal)
            let values = UnsafeMutableRawBufferPointer.allocate(
                byteCount: shape.valueTotal * type.scalar.byteCount, alignment: 64)
            defer { values.deallocate() }
            return try indices.withUnsafeMutableBufferPointer { indices in
                try compiled.run(inputs, options: options, values: values, indices: indices)
            }
        }
    }

    static func percentage(_ report: RunReport) -> String { percentage(Double(report.evaluatedPairs) / Double(report.pairs)) }

    private static func percentage(_ share: Double) -> String {
        share > 0.1 ? "\(Int((100 * share).rounded())) %" : "\(short(100 * share, digits: 2)) %"
    }

    /// Points in the unit cube, scaled to a diameter of about 1 in any dimension.
    private func data() throws -> [NumberArray] {
        var generator = SystemRandomNumberGenerator()
        return try declarations.map { declaration in
            let (d, isParameter) = (declaration.variable.dimension, declaration.variable.category == .parameter)
            let scale = 1 / Double(d).squareRoot()
            let numbers = (0..<(isParameter ? d : points * d)).map { _ in Double.random(in: 0...scale, using: &generator) }
            return try NumberArray(numbers, type: type, shape: isParameter ? [d] : [points, d])
        }
    }
}
