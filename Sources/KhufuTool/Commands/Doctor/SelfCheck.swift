import Engines
import Formulas
import Kernels
import Khufu

/// One small kernel, compiled and run, and compared with the interpreter, which shares no code with it.
enum SelfCheck {
    static let formula = "Exp(-g*SqDist(x,y))*b"

    static func run(on options: ExecutionOptions) -> (isPassed: Bool, text: String) {
        do {
            let started = ContinuousClock.now
            let compiled = try results(options)
            let time = ContinuousClock.now - started
            let interpreted = try results(ExecutionOptions(engine: .interpreter))
            let error = zip(compiled, interpreted).map { abs($0 - $1) / max(abs($1), 1) }.max() ?? .infinity
            // Both sum 100 terms between 0 and 1 in float32.
            let isPassed = error < 1e-5
            let verdict = isPassed ? "agrees with" : "DISAGREES with"
            return (
                isPassed,
                "\(formula), float32: made and run in \(readable(time)); \(verdict) the interpreter, largest difference \(short(error, digits: 2))"
            )
        } catch {
            return (false, "\(error)")
        }
    }

    private static func results(_ options: ExecutionOptions) throws -> [Double] {
        let declarations = try Declaration.list(parsing: ["x = Vi(3)", "y = Vj(3)", "b = Vj(1)", "g = Pm(1)"])
        let names = declarations.reduce(into: [:]) { $0[$1.name ?? ""] = $1.variable }
        let reduction = try Reduction(.sum, of: try Formula(parsing: formula, variables: names))
        let compiled = try CompiledReduction(reduction, declarations: declarations)
        var random = SeededGenerator(seed: 1)
        let arrays = try [[40, 3], [100, 3], [100, 1], [1]].map { shape in
            try NumberArray((0..<shape.reduce(1, *)).map { _ in random.uniform() }, type: .float32, shape: shape)
        }
        let values = try NumberArray(type: .float32, shape: [40, 1])
        try arrays.withInputs { inputs in
            try values.withOutput { values in
                try compiled.run(
                    inputs, options: options, values: values,
                    indices: UnsafeMutableBufferPointer(start: nil, count: 0))
            }
        }
        return values.points.doubles
    }
}
