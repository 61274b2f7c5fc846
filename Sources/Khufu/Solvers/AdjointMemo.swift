import Synchronization

/// The latest adjoint solution of a pullback, which is asked for operand by operand though one solve serves them all.
///
/// It holds the solution's numbers but not how they were computed: that may depend on the result that holds this, a cycle that
/// would never be freed.
final class AdjointMemo<Scalar: TensorScalar>: Sendable {
    private struct Entry: Sendable {
        let cotangent: TensorStorage?
        let isDifferentiable: Bool
        let solution: Tensor<Scalar>
        let record: WeakRecord<Scalar>?
    }

    private let entry = Mutex<Entry?>(nil)

    /// The solution for a cotangent, the latest one if it is the same.
    ///
    /// - Parameters:
    ///   - cotangent: nil where the solution does not depend on it.
    ///   - isLast: whether no other operand will ask.
    func solution(
        for cotangent: Tensor<Scalar>?, isDifferentiable: Bool, isLast: Bool, _ solve: () throws -> Tensor<Scalar>
    ) rethrows -> Tensor<Scalar> {
        if let known = entry.withLock({ isLast ? $0.take() : $0 }), known.cotangent === cotangent?.storage,
            known.isDifferentiable == isDifferentiable
        {
            guard let weak = known.record else { return known.solution }
            if let record = weak.record {
                return Tensor(shape: known.solution.shape, storage: known.solution.storage, record: record)
            }
        }
        let solution = try solve()
        if !isLast {
            entry.withLock {
                $0 = Entry(
                    cotangent: cotangent?.storage, isDifferentiable: isDifferentiable, solution: solution.detached(),
                    record: solution.record.map { WeakRecord($0) })
            }
        }
        return solution
    }
}

private final class WeakRecord<Scalar: TensorScalar>: Sendable {
    weak let record: Record<Scalar>?
    init(_ record: Record<Scalar>) { self.record = record }
}
