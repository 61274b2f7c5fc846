import Synchronization

/// The libraries of one process: for each request a slot, held by one thread while it is being filled.
final class LibraryTable: Sendable {
    struct Request: Hashable, Sendable {
        let source: String
        let instructionSet: InstructionSet?
        let options: [String]
    }

    /// The place of one library; empty until it is made.
    final class Slot: Sendable {
        private let outcome = Mutex<Result<SharedLibrary, CompilationError>?>(nil)

        func withLock<Value: Sendable>(
            _ body: (inout Result<SharedLibrary, CompilationError>?) -> Value
        ) -> Value {
            outcome.withLock { outcome in body(&outcome) }
        }
    }

    private struct State {
        var slots: [Request: (slot: Slot, lastUse: Int)] = [:]
        var clock = 0
        var made = 0
    }

    private let capacity: Int
    private let state = Mutex(State())

    init(capacity: Int) { self.capacity = capacity }

    /// The slot of a request, new if there was none; then the slot unused longest gives way, if there are too many. Its library lives on while
    /// in use.
    func slot(for request: Request) -> Slot {
        state.withLock { state in
            state.clock += 1
            if let index = state.slots.index(forKey: request) {
                state.slots.values[index].lastUse = state.clock
                return state.slots.values[index].slot
            }
            // Looking through all of them costs microseconds, beside a compilation's milliseconds.
            if state.slots.count >= capacity, let oldest = state.slots.min(by: { $0.value.lastUse < $1.value.lastUse }) {
                state.slots[oldest.key] = nil
            }
            let slot = Slot()
            state.slots[request] = (slot, state.clock)
            return slot
        }
    }

    func remove(_ slot: Slot, for request: Request) {
        state.withLock { state in
            if state.slots[request]?.slot === slot { state.slots[request] = nil }
        }
    }

    /// Whether to look after the folder now: at a process's first kernel, and then at every 64th.
    func trimmingIsDue() -> Bool {
        state.withLock { state in
            defer { state.made += 1 }
            return state.made % 64 == 0
        }
    }
}
