import Engines
import Formulas
import Kernels
import Khufu

/// Checks the gradients of a reduction, in float64, against differences of the reduction itself.
enum GradientDemo {
    private static let text = "-g * SqDist(x, y)"
    private static let names = ["x = Vi(3)", "y = Vj(3)", "g = Pm(1)"]
    private static let shapes = [[300, 3], [200, 3], [1]]
    /// Central differences: their own error is this squared, plus rounding divided by this.
    private static let step = 1e-5
    private static let largestError = 1e-6

    static func run(_ options: DeviceOptions) throws -> DemoReport {
        let clock = ContinuousClock()
        let start = clock.now
        let declarations = try Declaration.list(parsing: names)
        let reduction = try Reduction(.logSumExp, of: try Formula(parsing: text, aliases: names))
        let problem = try Problem(CompiledReduction(reduction, declarations: declarations), shapes, options)

        var report = DemoReport()
        report.add("checks", "LogSumExp over j of \(text), float64, \(shapes[0][0]) × \(shapes[1][0]) points")
        var isRight = true
        for (position, name) in declarations.compactMap(\.name).enumerated() {
            let (slope, difference) = try problem.slopes(at: position, step: step)
            let error = abs(slope - difference) / max(abs(difference), 1e-300)
            isRight = isRight && error < largestError
            let numbers = [slope, difference].map { short($0, digits: 9) }
            report.add(
                "in \(name)", "gradient \(numbers[0]), differences \(numbers[1]), apart by \(short(error, digits: 1)) of it")
        }
        report.add("verdict", isRight ? "they agree" : "THEY DISAGREE")
        report.add("time", readable(clock.now - start))
        return report
    }

    /// The function whose gradient is checked: L = Σ result × cotangent, at random inputs.
    private struct Problem {
        let compiled: CompiledReduction
        let options: DeviceOptions
        let shapes: [[Int]]
        let inputs: [[Double]]
        let directions: [[Double]]
        let cotangent: [Double]

        init(_ compiled: CompiledReduction, _ shapes: [[Int]], _ options: DeviceOptions) throws {
            var random = SeededGenerator(seed: 3)
            self.compiled = compiled
            self.options = options
            self.shapes = shapes
            inputs = shapes.map { shape in (0..<shape.reduce(1, *)).map { _ in 0.5 + random.uniform() } }
            directions = shapes.map { shape in (0..<shape.reduce(1, *)).map { _ in random.uniform() - 0.5 } }
            cotangent = (0..<shapes[0][0]).map { _ in random.uniform() - 0.5 }
        }

        /// How fast L grows when one input moves in its direction: by the gradient, and by moving it.
        func slopes(at position: Int, step: Double) throws -> (gradient: Double, differences: Double) {
            let gradient = try Evaluation(
                gradientOf: compiled, at: position, try arrays(inputs),
                cotangent: try NumberArray(cotangent, shape: [cotangent.count, 1]), options)
            let ends = try [step, -step].map { step in
                var moved = inputs
                moved[position] = zip(inputs[position], directions[position]).map { $0 + step * $1 }
                let evaluation = try Evaluation(compiled, try arrays(moved), options)
                return dot(evaluation.values, cotangent)
            }
            return (dot(gradient.values, directions[position]), (ends[0] - ends[1]) / (2 * step))
        }

        private func arrays(_ values: [[Double]]) throws -> [NumberArray] {
            try zip(values, shapes).map { try NumberArray($0, shape: $1) }
        }

        private func dot(_ array: NumberArray?, _ other: [Double]) -> Double {
            zip(array?.points.doubles ?? [], other).reduce(0) { $0 + $1.0 * $1.1 }
        }
    }
}
