import Foundation
import Testing

@testable import Engines

/// A folder for one test, removed after it.
final class ScratchFolder {
    let path: String

    init() throws {
        let url = FileManager.default.temporaryDirectory.appendingPathComponent("khufu-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        path = url.path
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    var entries: [String] { (try? FileManager.default.contentsOfDirectory(atPath: path).sorted()) ?? [] }

    /// The process's environment with its cache in this folder, and what else a test wants. An empty value counts as unset.
    func environment(_ changes: [String: String] = [:]) -> [String: String] {
        let isolated = [
            "KHUFU_CACHE_DIR": path + "/cache", "KHUFU_CC": "", "KHUFU_SIMD": "", "XDG_CACHE_HOME": "", "TMPDIR": path,
        ]
        return ProcessEnvironment.current.merging(isolated) { $1 }.merging(changes) { $1 }
    }

    /// An executable shell script in the folder.
    ///
    /// Another process writes it: a child forked by some other test meanwhile would else hold it open, and a file open for writing cannot be run.
    func script(_ name: String, _ text: String) throws -> String {
        let file = "\(path)/\(name)"
        let result = ChildProcess.run(
            "/bin/sh", ["-c", "cat > \"$0\" && chmod 755 \"$0\"", file], input: Array("#!/bin/sh\n\(text)\n".utf8),
            environment: ProcessEnvironment.current)
        try #require(result.succeeded)
        return file
    }
}

/// C source of `int answer(void)`.
func answering(_ number: Int) -> String { "int answer(void) { return \(number); }\n" }

extension SharedLibrary {
    /// Calls `int answer(void)`.
    func answer() -> Int? {
        typealias Function = @convention(c) () -> CInt
        return symbol("answer").map { Int(unsafeBitCast($0, to: Function.self)()) }
    }
}

/// Runs a body on that many threads at once, each with its number, and waits for all.
func onThreads(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) {
    let threads = (0..<count).map { number in
        let done = DispatchSemaphore(value: 0)
        let thread = Thread {
            body(number)
            done.signal()
        }
        thread.start()
        return done
    }
    threads.forEach { $0.wait() }
}
