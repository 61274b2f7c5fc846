import Synchronization

/// The table that makes equal formulas the same object. It holds them weakly: a formula that nobody uses is freed.
package final class InternTable: Sendable {
    package static let shared = InternTable()

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
    private let users = Atomic(0)
    private let forks = Atomic(0)

    func formula<O: Operation>(_ operation: O, _ arguments: [Formula], dimension: Int) -> Formula {
        let key = Key(
            operation: ObjectIdentifier(O.self), attributes: operation.attributes,
            arguments: arguments.map { ObjectIdentifier($0.node) })
        enter()
        defer { users.subtract(1, ordering: .sequentiallyConsistent) }
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

    // MARK: Forks

    // `fork` copies a lock that another thread holds as it is, and nobody would open the child's copy. So forks wait until nobody uses the
    // table, and users wait for forks, which take a millisecond.

    private func enter() {
        while true {
            users.add(1, ordering: .sequentiallyConsistent)
            if forks.load(ordering: .sequentiallyConsistent) == 0 { return }
            users.subtract(1, ordering: .sequentiallyConsistent)
            while forks.load(ordering: .relaxed) > 0 {}
        }
    }

    /// To be called right before a fork.
    package func willFork() {
        forks.add(1, ordering: .sequentiallyConsistent)
        while users.load(ordering: .sequentiallyConsistent) > 0 {}
    }

    /// To be called right after a fork, by the parent.
    package func didFork() { forks.subtract(1, ordering: .sequentiallyConsistent) }

    /// To be called right after a fork, by the child, in which no other thread is left.
    package func didForkInChild() {
        users.store(0, ordering: .sequentiallyConsistent)
        forks.store(0, ordering: .sequentiallyConsistent)
    }
}

extension Formula {
    init(node: Node) { self.node = node }
}
