import Formulas

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// Python's multiprocessing and data loaders fork processes in which other threads may be at work.
enum Forks {
    /// Registers, once, what is to be done around forks.
    static let areWatched: Void = {
        _ = pthread_atfork(
            { InternTable.shared.willFork() }, { InternTable.shared.didFork() }, { InternTable.shared.didForkInChild() })
    }()
}
