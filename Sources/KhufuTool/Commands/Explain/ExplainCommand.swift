import ArgumentParser
import ArrayFiles
import Engines
import Formulas
import Kernels

/// Shows what becomes of a formula, from its text to the generated source; needs no data, and no compiler but for `--points`.
struct ExplainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Shows how a formula is understood, what runs at which stage, its gradient and the generated source.",
        usage: "khufu explain FORMULA NAME=KIND:DIM … [options]",
        discussion: """
            Example:
              khufu explain "Exp(-g*SqDist(x,y))*b" x=i:3 y=j:3 b=j:1 g=p:1 --gradient x

            KIND is i (one vector per i), j (one per j) or p (a parameter); DIM is how many numbers each vector has.
            """)

    @Argument(help: "The formula.")
    var formula: String

    @Argument(help: ArgumentHelp("The inputs.", valueName: "NAME=KIND:DIM"), transform: { try InputArgument($0, meaning: "DIM") })
    var inputs: [InputArgument] = []

    @OptionGroup var options: ReductionOptions

    @Option(help: "The type that the source computes in.")
    var dtype: NumberType = .float32

    @Option(name: .customLong("exp"), help: "How exact exponentials are in float32: accurate or fast.")
    var exponentials: Exponentials = .accurate

    @Option(
        name: .customLong("products"),
        help: "How exact inner products of long vectors are on tensor cores: accurate or fast.")
    var innerProducts: InnerProducts = .accurate

    @Option(help: "Explains the gradient with respect to this input, too; with --source, its source.")
    var gradient: String?

    @Option(help: "Shows which share of the pairs is evaluated among so many random points of either index.")
    var points: Int?

    @Option(help: "With --points: how much of Σ|F| each number of a sum may miss by pruning.")
    var tolerance: Double?

    @Option(help: "Prints the generated source alone: C for this processor, CUDA C or OpenCL C.")
    var source: SourceLanguage?

    @Flag(help: "With --source: everything that is compiled, the vector mathematics included.")
    var prelude = false

    func validate() throws {
        try InputArgument.checkNames(inputs)
        if let gradient, !inputs.contains(where: { $0.name == gradient }) {
            throw ValidationError("--gradient names \(quoted(gradient)), which is not among the inputs.")
        }
        if let points, !(1...100_000_000).contains(points) {
            throw ValidationError("--points is 1 to 100000000; this is \(points).")
        }
        if let tolerance, points == nil || !(0..<1).contains(tolerance) {
            throw ValidationError("--tolerance goes with --points, and is 0 or more and less than 1; this is \(tolerance).")
        }
        if prelude, source == nil { throw ValidationError("--prelude goes with --source.") }
    }

    func run() throws {
        let declarations = try inputs.enumerated().map { try $1.declaration(position: $0) }
        let reduction = try options.reduction(of: formula, declarations)
        let derivative = try gradient.map { name in
            try reduction.gradient(withRespectTo: declarations.first { $0.name == name }!.variable)
        }
        let precision = Precision(storage: dtype.scalar, exponentials: exponentials, innerProducts: innerProducts)
        if let source {
            let reductions = derivative?.terms.map(\.reduction) ?? [reduction]
            let texts = try reductions.map { try SourceText(of: $0, precision, source).text(withPrelude: prelude) }
            print(texts.joined(separator: "\n"), terminator: "")
            if texts.isEmpty { standardError("Note: the gradient is zero, and there is nothing to compile.") }
            return
        }
        print(try Explanation(reduction, declarations, precision).text(of: formula))
        if let points {
            let trial = BenchCase(title: formula, reduction: reduction, declarations: declarations, type: dtype, points: points)
            let report = try trial.report(ExecutionOptions(exponentials: exponentials, tolerance: tolerance))
            print("evaluated      \(BenchCase.percentage(report)) of the pairs of \(counted(points)) random points")
        }
        if let gradient, let derivative {
            print("\n" + (try Explanation.text(of: derivative, name: gradient, declarations, precision)))
        }
    }
}

extension SourceLanguage: ExpressibleByArgument {}
