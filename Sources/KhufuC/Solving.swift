import Engines
import Khufu
import KhufuHeader

@c @implementation
public func khufu_solve(
    _ pointer: OpaquePointer!, _ inputs: UnsafePointer<khufu_array>!, _ count: Int32, _ position: Int32,
    _ settings: UnsafePointer<khufu_solver_settings>!, _ options: UnsafePointer<khufu_options>!,
    _ solution: UnsafeMutableRawPointer!
) -> khufu_status {
    reporting {
        guard let sum = try reduction(pointer).reduction else {
            throw BindingError("What is solved with is a Sum; this is a derivative.")
        }
        guard let solution else { throw BindingError("The place for the solution is NULL.") }
        let system = System(
            sum: sum, inputs: try arrays(inputs, count), position: Int(position), settings: settings?.pointee ?? .init(),
            options: try ExecutionOptions(options))
        guard system.options.memory == .host else {
            throw BindingError("Systems are solved with arrays on the host; these are on a device.")
        }
        let residual =
            switch system.inputs.first?.type {
            case .float32: try system.solve(Float.self, into: solution)
            case .float64: try system.solve(Double.self, into: solution)
            default: throw BindingError("Systems are solved in float32 or float64.")
            }
        settings?.pointee.residual?.pointee = residual
    }
}

/// A linear system as the header has it.
private struct System {
    let sum: CompiledReduction
    let inputs: [InputArray]
    let position: Int
    let settings: khufu_solver_settings
    let options: ExecutionOptions

    /// - Returns: the largest |b - Ax| / |b|.
    func solve<Scalar: TensorScalar>(_: Scalar.Type, into destination: UnsafeMutableRawPointer) throws -> Double {
        // Everything is checked before the first number is read.
        _ = try sum.bound(to: inputs)
        let method = LinearSum<Scalar>.Method(
            solver: try solver, tolerance: settings.tolerance == 0 ? nil : settings.tolerance,
            maximumIterations: settings.maximum_iterations == 0 ? nil : Int(settings.maximum_iterations),
            preconditioner: try preconditioner(), progress: progress, acceptsStagnation: settings.accepts_stagnation != 0)
        let tensors = inputs.map { Tensor<Scalar>(copying: $0.base, shape: $0.shape) }
        let (result, residual) = try LinearSum(sum, tensors, unknown: position, options: options).solution(
            alpha: Scalar(settings.alpha), method)
        result.withUnsafeBufferPointer {
            destination.copyMemory(from: $0.baseAddress!, byteCount: $0.count * MemoryLayout<Scalar>.stride)
        }
        return residual
    }

    private var solver: SolverMethod {
        get throws {
            switch khufu_solver(UInt32(bitPattern: settings.solver)) {
            case KHUFU_CONJUGATE_GRADIENTS: .conjugateGradients
            case KHUFU_MINIMUM_RESIDUALS: .minimumResiduals
            default: throw BindingError("A solver is 0 or 1: conjugate gradients, minimum residuals; \(settings.solver) came.")
            }
        }
    }

    private func preconditioner<Scalar>() throws -> ((LazyTensor<Scalar>) throws -> any Preconditioner)? {
        let rank = Int(settings.preconditioner_rank)
        switch khufu_preconditioner(UInt32(bitPattern: settings.preconditioner)) {
        case KHUFU_NO_PRECONDITIONER: return nil
        case KHUFU_PIVOTED_CHOLESKY: return { try $0.pivotedCholeskyPreconditioner(rank: rank) }
        case KHUFU_NYSTROM: return { try $0.nystromPreconditioner(rank: rank) }
        default:
            throw BindingError("A preconditioner is 0 to 2: none, pivoted Cholesky, Nyström; \(settings.preconditioner) came.")
        }
    }

    private var progress: SolverProgress.Handler? {
        guard let function = settings.progress else { return nil }
        // The caller says where its context may be used.
        nonisolated(unsafe) let context = settings.context
        return { step in
            guard function(context, Int64(step.iteration), Int64(step.maximumIterations), step.residual) == 0 else {
                throw Cancellation()
            }
        }
    }
}
