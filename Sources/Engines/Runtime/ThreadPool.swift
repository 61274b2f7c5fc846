#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// Threads that run the iterations of one loop, and sleep between loops.
///
/// Why not Dispatch or Swift tasks: a call arrives on a thread of the host (Python, R), synchronously, and must be answered on it; the caller
/// takes part, so that a call costs nothing when there is nothing to share out; and both of those break after `fork`.
///
/// - Helpers are shared by all callers and started when first wanted. A call never waits for a helper to become free, only for helpers that
///   have already joined it, so calls may be concurrent and nested without deadlock.
/// - A forked child gets helpers of its own at its first call. Not supported: to fork within a body and return from it in the child, and to fork
///   in the microseconds of the process's very first use, while Swift initialises `shared` under a lock of its own.
package final class ThreadPool: Sendable {
    package static let shared = ThreadPool()

    private let crew = PerProcess { Crew() }

    private init() {}

    /// Runs `body(0)` to `body(count - 1)`, each once, in no promised order, and returns when all are done.
    ///
    /// - Parameters:
    ///   - count: how many iterations; they are handed out one at a time, so make them large (10 µs and up) and uneven ones are no harm.
    ///   - threads: at most so many threads, the caller included. With 1, or with one iteration, all is done here with no synchronisation.
    ///   - body: called from several threads at once; it must touch shared data accordingly.
    package func run(count: Int, threads: Int, _ body: (Int) -> Void) {
        guard count > 1, threads > 1 else {
            for index in 0..<max(count, 0) { body(index) }
            return
        }
        withoutActuallyEscaping(body) { body in
            withUnsafePointer(to: body) { body in
                crew.value.run(Crew.Job(count: count, body: body, places: min(threads, count) - 1))
            }
        }
    }

    /// Two results, made at the same time where there are threads for it.
    func both<First, Second>(_ first: () throws -> First, and second: () throws -> Second) throws -> (First, Second) {
        var results: (Result<First, any Error>?, Result<Second, any Error>?) = (nil, nil)
        withUnsafeMutablePointer(to: &results) { results in
            // Each iteration writes a part of its own.
            nonisolated(unsafe) let results = results
            run(count: 2, threads: Self.defaultThreadCount) { number in
                if number == 0 {
                    results.pointee.0 = Result(catching: first)
                } else {
                    results.pointee.1 = Result(catching: second)
                }
            }
        }
        return (try results.0!.get(), try results.1!.get())
    }
}
