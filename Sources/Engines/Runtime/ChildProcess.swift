#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// Runs another program to its end, without a shell.
///
/// Our own, because swift-subprocess is asynchronous and a kernel is asked for by a synchronous call on the host's thread.
enum ChildProcess {
    struct Result: Sendable {
        var ending: Ending
        var standardOutput: [UInt8] = []
        var standardError: [UInt8] = []

        var succeeded: Bool { ending == .exited(status: 0) }
    }

    /// How it ended.
    enum Ending: Sendable, Equatable {
        case notStarted(errno: Int32)
        case exited(status: Int32)
        case killed(signal: Int32)
        case timedOut
    }

    /// Starts the program and waits for it, feeding it `input` and collecting what it writes.
    ///
    /// - Parameters:
    ///   - path: the program's file; it also becomes the first argument.
    ///   - environment: the child's whole environment.
    ///   - timeout: after which the program and the programs that it started are killed.
    static func run(
        _ path: String, _ arguments: [String], input: [UInt8] = [], environment: [String: String],
        timeout: Duration = .seconds(60)
    ) -> Result {
        guard let main = SocketPair(), let error = SocketPair() else { return Result(ending: .notStarted(errno: errno)) }
        let deadline = ContinuousClock.now + timeout
        var process = pid_t()
        let failure = spawn(
            &process, path, arguments, environment,
            inputAndOutput: main.theirs.number, error: error.theirs.number)
        guard failure == 0 else { return Result(ending: .notStarted(errno: failure)) }

        let ourMain = main.keepingOurs(), ourError = error.keepingOurs()
        var exchange = Exchange(input: input)
        let finished = exchange.proceed(with: ourMain.number, error: ourError.number, until: deadline)
        let ending = finished ? wait(for: process, until: deadline) : end(process)
        return Result(ending: ending, standardOutput: exchange.output, standardError: exchange.errorOutput)
    }

    /// Waits for a child that has closed its output, and so is about to end.
    private static func wait(for process: pid_t, until deadline: ContinuousClock.Instant) -> Ending {
        var status: Int32 = 0
        var nap: UInt32 = 50
        while true {
            let answer = retryingInterrupted { waitpid(process, &status, WNOHANG) }
            if answer == process { break }
            // A host that ignores SIGCHLD has its children reaped by the system. Whether this one did its work shows in its output.
            if answer < 0 { return .exited(status: 0) }
            if ContinuousClock.now > deadline { return end(process) }
            usleep(nap)
            nap = min(2 * nap, 5000)
        }
        let signal = status & 0x7f
        return signal == 0 ? .exited(status: status >> 8 & 0xff) : .killed(signal: signal)
    }

    /// Ends a child and, as it leads a process group, what it has started; then collects it.
    private static func end(_ process: pid_t) -> Ending {
        _ = kill(-process, SIGKILL)
        var status: Int32 = 0
        _ = retryingInterrupted { waitpid(process, &status, 0) }
        return .timedOut
    }

    /// `posix_spawn` with the given descriptors as standard streams and nothing else of ours. Returns 0 or an error number.
    private static func spawn(
        _ process: inout pid_t, _ path: String, _ arguments: [String], _ environment: [String: String],
        inputAndOutput: Int32, error: Int32
    ) -> Int32 {
        #if canImport(Darwin)
        var actions: posix_spawn_file_actions_t?
        var attributes: posix_spawnattr_t?
        let onlyGivenDescriptors = POSIX_SPAWN_CLOEXEC_DEFAULT
        #else
        var actions = posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        let onlyGivenDescriptors: Int32 = 0  // all of ours are opened to be closed on exec
        #endif
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, inputAndOutput, STDIN_FILENO)
        posix_spawn_file_actions_adddup2(&actions, inputAndOutput, STDOUT_FILENO)
        posix_spawn_file_actions_adddup2(&actions, error, STDERR_FILENO)

        // The host may block or ignore signals (Python ignores SIGPIPE); a compiler expects the usual.
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        for signal in [SIGPIPE, SIGINT, SIGQUIT, SIGTERM, SIGCHLD] { sigaddset(&signals, signal) }
        posix_spawnattr_setsigdefault(&attributes, &signals)
        posix_spawnattr_setpgroup(&attributes, 0)
        let flags = Int32(POSIX_SPAWN_SETSIGMASK) | Int32(POSIX_SPAWN_SETSIGDEF) | Int32(POSIX_SPAWN_SETPGROUP)
        posix_spawnattr_setflags(&attributes, Int16(flags | Int32(onlyGivenDescriptors)))

        let variables = environment.map { "\($0.key)=\($0.value)" }
        return withCStrings([path] + arguments) { arguments in
            withCStrings(variables) { variables in
                posix_spawn(&process, path, &actions, &attributes, arguments, variables)
            }
        }
    }

    /// Lends the texts as the null-terminated array of C strings that `posix_spawn` takes.
    private static func withCStrings<Result>(
        _ texts: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Result
    ) -> Result {
        let copies = texts.map { strdup($0) }
        defer { copies.forEach { free($0) } }
        return body(copies + [nil])
    }
}
