import Dispatch
import Foundation
import Synchronization

/// What must not be left behind when a user interrupts: half-written files.
///
/// The signals are taken by a dispatch source, on an ordinary thread, because a signal handler may call next to nothing.
enum Interruption {
    private static let partialFiles = Mutex<Set<String>>([])
    /// Kept alive; written once, by `install`, before there is a second thread.
    nonisolated(unsafe) private static var sources: [any DispatchSourceSignal] = []

    /// Takes SIGINT, SIGTERM and SIGHUP; each still ends the process, as that signal does.
    static func install() {
        for number in [SIGINT, SIGTERM, SIGHUP] {
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global(qos: .userInteractive))
            source.setEventHandler {
                // The lock is kept: a file finished now is either complete under its name, or gone.
                partialFiles.withLock { paths in
                    for path in paths { unlink(path) }
                    signal(number, SIG_DFL)
                    raise(number)
                }
            }
            source.resume()
            sources.append(source)
        }
    }

    /// Has a file deleted if the process is interrupted before `keep`.
    static func willWrite(_ path: String) {
        _ = partialFiles.withLock { $0.insert(path) }
    }

    static func didWrite(_ path: String) {
        _ = partialFiles.withLock { $0.remove(path) }
    }
}
