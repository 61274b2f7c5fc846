import Synchronization

/// How a tensor was computed: of which others, and how a cotangent goes back to each of them.
///
/// A node of the graph that reverse-mode differentiation walks (Griewank & Walther, Evaluating Derivatives, 2008, chapter 3).
final class Record<Element: TensorElement>: @unchecked Sendable {
    /// The cotangent of operand k, for the result's. It is given the operands and the result rather than capturing them: with
    /// tracked ones the derivative is recorded in turn, and no record holds its own result.
    typealias Pullback =
        @Sendable (
            _ k: Int, _ operands: [Tensor<Element>], _ result: Tensor<Element>, _ cotangent: Tensor<Element>
        ) throws -> Tensor<Element>

    /// No other record's, and larger than that of every operand's record.
    let number: UInt64
    private(set) var operands: [Tensor<Element>]
    let pullback: Pullback

    init(_ operands: [Tensor<Element>], _ pullback: @escaping Pullback) {
        number = recordCount.add(1, ordering: .relaxed).newValue
        self.operands = operands
        self.pullback = pullback
    }

    /// Long chains are taken apart one by one; each freeing the next would exhaust the stack.
    deinit {
        var waiting = operands.compactMap { $0.record }
        operands = []
        while var record = waiting.popLast() {
            guard isKnownUniquelyReferenced(&record) else { continue }
            waiting += record.operands.compactMap { $0.record }
            record.operands = []
        }
    }
}

private let recordCount = Atomic<UInt64>(0)

// Closures below rather than key paths: in generic code those are put together at every call.

extension Tensor {
    /// The same numbers, as something to differentiate with respect to: what is computed from it is recorded.
    public func tracked() -> Tensor {
        Tensor(
            shape: shape, storage: storage,
            record: Record(isTracked ? [self] : []) { _, _, _, cotangent in cotangent })
    }

    /// The same numbers, as a constant: no derivative goes through it.
    public func detached() -> Tensor { Tensor(shape: shape, storage: storage) }

    /// Whether operations on this are recorded.
    public var isTracked: Bool { record != nil }

    /// This as the result of an operation, recorded if one of the operands is tracked.
    func recorded(_ operands: [Tensor], _ pullback: @escaping Record<Element>.Pullback) -> Tensor {
        guard operands.contains(where: { $0.isTracked }) else { return self }
        return Tensor(shape: shape, storage: storage, record: Record(operands, pullback))
    }
}
