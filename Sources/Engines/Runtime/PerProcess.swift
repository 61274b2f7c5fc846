import Synchronization

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// A shared object that a forked child makes anew.
///
/// `fork` copies locks in whatever state other threads held them and copies none of those threads (Python's `multiprocessing` does just that).
/// A child must therefore never wait on its parent's locks: it drops the parent's object, unreleased, and builds its own at first use.
final class PerProcess<Value: AnyObject & Sendable>: Sendable {
    private final class Box: Sendable {
        let process: pid_t
        let value: Value

        init(process: pid_t, value: Value) {
            self.process = process
            self.value = value
        }
    }

    private let make: @Sendable () -> Value
    private let current: Atomic<Unmanaged<Box>?>

    /// - Parameter make: builds the object; may be called by several threads at once, in which case one result is kept.
    init(_ make: @escaping @Sendable () -> Value) {
        self.make = make
        current = Atomic(nil)
    }

    deinit {
        current.load(ordering: .acquiring)?.release()
    }

    /// This process's object. Costs an atomic load and a `getpid` when it exists.
    var value: Value {
        let process = getpid()
        var found = current.load(ordering: .acquiring)
        // A box is never released while `self` lives, so reading one through the pointer is safe.
        if let box = found?.takeUnretainedValue(), box.process == process { return box.value }
        let fresh = Unmanaged.passRetained(Box(process: process, value: make()))
        while true {
            let (exchanged, original) = current.compareExchange(
                expected: found, desired: fresh, ordering: .acquiringAndReleasing)
            if exchanged { return fresh.takeUnretainedValue().value }
            found = original
            if let box = original?.takeUnretainedValue(), box.process == process {
                fresh.release()
                return box.value
            }
        }
    }
}
