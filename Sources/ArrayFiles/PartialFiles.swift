import Synchronization

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// The half-written files of this process, for a program that tidies up when it is interrupted.
package enum PartialFiles {
    private static let paths = Mutex<Set<String>>([])

    static func insert(_ path: String) { _ = paths.withLock { $0.insert(path) } }

    static func remove(_ path: String) { _ = paths.withLock { $0.remove(path) } }

    /// Deletes them and ends the process. No file is finished meanwhile: one is either complete under its name, or gone.
    package static func deleteAll(andEnd end: () -> Void) {
        paths.withLock { paths in
            for path in paths { unlink(path) }
            end()
        }
    }
}
