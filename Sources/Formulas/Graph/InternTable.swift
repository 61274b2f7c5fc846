import Synchronization

/// The table that makes equal formulas the same object. It holds them weakly: a formula that nobody uses is freed.
final class InternTable: Sendable {
    static let shared = InternTable()

    /// What makes two nodes equal. Arguments are interned already, so their identity stands for their structure; an
    /// identity can only be stale where the entry's node is gone too, and such an entry is replaced.
    private struct Key: Hashable {
        let operation: ObjectIdentifier
        let attributes: [Attribute]
        let arguments: [ObjectIdentifier]
    }

    private struct Entry {
        weak var node: Formula.Node?
    }

    private struct State {
        var entries: [Key: Entry] = [:]
        var sweepAt = 1_024
    }

    private let state = Mutex(State())

    func formula<O: Operation>(_ operation: O, _ arguments: [Formula], dimension: Int) -> Formula {
        let key = Key(
            operation: ObjectIdentifier(O.self), attributes: operation.attributes,
            arguments: arguments.map { ObjectIdentifier($0.node) })
        return state.withLock { state in
            if let node = state.entries[key]?.node { return Formula(node: node) }
            if state.entries.count >= state.sweepAt {
                state.entries = state.entries.filter { $0.value.node != nil }
                state.sweepAt = max(1_024, 2 * state.entries.count)
            }
            let node = Formula.Node(operation, arguments, dimension: dimension)
            state.entries[key] = Entry(node: node)
            return Formula(node: node)
        }
    }
}

extension Formula {
    init(node: Node) { self.node = node }
}
