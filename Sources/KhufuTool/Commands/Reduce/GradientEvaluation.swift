import Engines
import Formulas
import Kernels

/// The derivative of Σ result × cotangent with respect to one input.
enum GradientEvaluation {
    static func run(
        _ reduction: Reduction, _ data: InputData, name: String, cotangentFile: String, _ options: DeviceOptions
    ) throws -> Evaluation {
        // TODO: CompiledReduction.gradient(withRespectTo:…)
        throw Failure(.unavailable, "Gradients of reductions are not there yet.")
    }
}
