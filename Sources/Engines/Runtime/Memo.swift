import Synchronization

/// What one process has made, by what it was made from: each thing is made by one thread, while others that want it wait.
final class Memo<Key: Hashable & Sendable, Value: Sendable, Failure: Error>: Sendable {
    /// The place of one value; empty until it is made.
    private final class Slot: Sendable {
        let outcome = Mutex<Result<Value, Failure>?>(nil)
    }

    private struct State {
        var slots: [Key: (slot: Slot, lastUse: Int)] = [:]
        var clock = 0
    }

    private let capacity: Int
    private let state = Mutex(State())

    /// - Parameter capacity: how many values stay though nobody uses them.
    init(capacity: Int) { self.capacity = capacity }

    /// The value of a key, made now if there is none.
    func value(for key: Key, make: () throws(Failure) -> Value) throws(Failure) -> Value {
        let slot = slot(for: key)
        let outcome = slot.outcome.withLock { outcome in
            if let outcome { return outcome }
            let made = Result { () throws(Failure) in try make() }
            outcome = made
            // Those who waited share the failure; those who come later try again, for disks are tidied and compilers installed.
            if case .failure = made { remove(slot, for: key) }
            return made
        }
        return try outcome.get()
    }

    /// The slot of a key, new if there was none; then the slot unused longest gives way, if there are too many. Its value lives on
    /// while in use.
    private func slot(for key: Key) -> Slot {
        state.withLock { state in
            state.clock += 1
            if let index = state.slots.index(forKey: key) {
                state.slots.values[index].lastUse = state.clock
                return state.slots.values[index].slot
            }
            // Looking through all of them costs microseconds, beside a compilation's milliseconds.
            if state.slots.count >= capacity, let oldest = state.slots.min(by: { $0.value.lastUse < $1.value.lastUse }) {
                state.slots[oldest.key] = nil
            }
            let slot = Slot()
            state.slots[key] = (slot, state.clock)
            return slot
        }
    }

    private func remove(_ slot: Slot, for key: Key) {
        state.withLock { state in
            if state.slots[key]?.slot === slot { state.slots[key] = nil }
        }
    }
}
