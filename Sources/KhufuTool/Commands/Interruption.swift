import ArrayFiles
import Foundation

/// What must not be left behind when a user interrupts: half-written files.
///
/// A signal handler may call next to nothing, so the signals are blocked in every thread and waited for in one of our own.
/// (Dispatch's signal sources were tried: with the signal ignored, as they want it, none arrived on Linux.)
enum Interruption {
    /// Takes SIGINT, SIGTERM and SIGHUP; each still ends the process, as that signal does. To be called before there are
    /// other threads, which inherit what is blocked.
    static func install() {
        var signals = sigset_t()
        sigemptyset(&signals)
        // Signals that are ignored, as by nohup, stay so.
        let taken = [SIGINT, SIGTERM, SIGHUP].filter { !isIgnored($0) }
        for number in taken { sigaddset(&signals, number) }
        guard !taken.isEmpty, pthread_sigmask(SIG_BLOCK, &signals, nil) == 0 else { return }
        let awaited = signals
        Thread.detachNewThread {
            var awaited = awaited
            var number: Int32 = 0
            while sigwait(&awaited, &number) != 0 {}
            PartialFiles.deleteAll {
                pthread_sigmask(SIG_UNBLOCK, &awaited, nil)
                raise(number)
            }
        }
    }

    private static func isIgnored(_ number: Int32) -> Bool {
        var action = sigaction()
        guard sigaction(number, nil, &action) == 0 else { return false }
        #if canImport(Darwin)
        let handler = action.__sigaction_u.__sa_handler
        #else
        let handler = action.__sigaction_handler.sa_handler
        #endif
        return unsafeBitCast(handler, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
    }
}
