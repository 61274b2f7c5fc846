#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// A C compiler that has shown that it can make a library here.
package struct Compiler: Sendable, Equatable {
    package enum Kind: String, Sendable {
        case clang, gcc
    }

    package let path: String
    package let kind: Kind
    /// The first line of its answer to `--version`.
    package let version: String
    /// Which way of linking works, an index into `linkings`.
    let linking: Int
    /// Its file as it was then; a compiler that was replaced since is another compiler.
    let stamp: FileStamp

    /// What makes two compilers the same, for the addresses of what they made.
    var identity: String { "\(stamp.description) \(version) linking \(linking)" }

    /// Flags of every kernel. What they allow the compiler is part of the numerical contract: multiply-adds may be fused, errno and traps are not
    /// kept; sums stay in the order written, and NaN and infinity stay what they are.
    static let standardFlags = [
        "-std=gnu11", "-O3", "-fPIC", "-shared", "-ffp-contract=fast", "-fno-math-errno", "-fno-trapping-math", "-w",
    ]

    /// Ways to link, fastest first; the probe finds out which works. Measured (clang 21, small kernel, 2 cores): the first takes 42 ms in all, the
    /// second 46; lld takes 3 ms more than gold, but is there in a Swift toolchain on a system without other linkers.
    /// libm is named so that its functions are bound in their current versions.
    static let linkings: [(before: [String], after: [String])] = {
        #if canImport(Darwin)
        [([], ["-lm"])]
        #else
        [(["-nostdlib"], ["-lm", "-lgcc"]), ([], ["-lm"]), (["-fuse-ld=lld"], ["-lm"])]
        #endif
    }()

    /// Compiles a source text to a library at a path.
    ///
    /// One run of the compiler's driver, the source through its standard input. (Running `clang -c`, which then compiles within the driver, and the
    /// linker after it would save some 8 ms of 42, at the price of knowing each system's linker command.)
    func compile(
        _ source: String, flags: [String], to path: String, environment: [String: String]
    ) throws(CompilationError) {
        let linking = Self.linkings[linking]
        let result = ChildProcess.run(
            self.path,
            Self.standardFlags + flags + linking.before + ["-x", "c", "-", "-o", path] + linking.after,
            input: Array(source.utf8), environment: Self.childEnvironment(environment))
        guard result.succeeded else {
            throw .failed(
                compiler: self.path, ending: result.ending.description, message: Self.firstLines(of: result.standardError))
        }
    }

    /// The user's environment, but with messages in English, which is what we search and print.
    static func childEnvironment(_ environment: [String: String]) -> [String: String] {
        environment.merging(["LC_ALL": "C"]) { $1 }
    }

    private static func firstLines(of message: [UInt8]) -> String {
        String(decoding: message, as: UTF8.self).split(separator: "\n").prefix(12).joined(separator: "\n")
    }
}

/// A file's path, size and time: enough to notice that it was replaced, without reading it.
struct FileStamp: Sendable, Equatable, CustomStringConvertible {
    let description: String

    /// Nil if the path is not a file that we may execute.
    init?(executable path: String) {
        var status = stat()
        guard stat(path, &status) == 0, status.isRegularFile, access(path, X_OK) == 0 else { return nil }
        let time = status.modified
        description = "\(path) \(status.st_size) \(time.tv_sec).\(time.tv_nsec)"
    }
}

extension ChildProcess.Ending: CustomStringConvertible {
    /// Completes a sentence that begins with the program's name.
    var description: String {
        switch self {
        case .notStarted(let code): "could not be started (\(systemMessage(code)))"
        case .exited(let status): "ended with status \(status)"
        case .killed(let signal): "was killed by signal \(signal)"
        case .timedOut: "took too long and was stopped"
        }
    }
}
