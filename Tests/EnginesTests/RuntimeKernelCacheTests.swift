import Foundation
import Synchronization
import Testing

@testable import Engines

@Suite struct RuntimeKernelCacheTests {
    private let scratch: ScratchFolder

    init() throws { scratch = try ScratchFolder() }

    private var cachedLibraries: [String] {
        let entries = try? FileManager.default.contentsOfDirectory(atPath: scratch.path + "/cache")
        return (entries ?? []).filter { $0.hasSuffix(".so") }.map { "\(scratch.path)/cache/\($0)" }
    }

    /// A compiler that leaves a line in a file for each run, so that runs can be counted.
    private func countingCompiler() throws -> (path: String, runs: () -> Int) {
        let compiler = try KernelCache(environment: scratch.environment()).compiler.path
        let log = scratch.path + "/log"
        let script = try scratch.script(
            "counting", "case \"$1\" in --version) ;; *) echo run >> \(log) ;; esac\nexec \(compiler) \"$@\"")
        return (script, { (try? String(contentsOfFile: log, encoding: .utf8))?.split(separator: "\n").count ?? 0 })
    }

    @Test func compilesLoadsAndCalls() throws {
        let cache = KernelCache(environment: scratch.environment())
        let library = try cache.library(for: answering(42))
        #expect(library.answer() == 42)
        #expect(library.symbol("question") == nil)
        #expect(try cache.library(for: answering(42)) === library)
        #expect(try cache.library(for: "int answer(void) { return N; }", options: ["-DN=7"]).answer() == 7)
        #expect(try cache.library(for: "int answer(void) { return N; }", options: ["-DN=8"]).answer() == 8)
    }

    @Test(arguments: InstructionSet.supported())
    func everyInstructionSetCompiles(set: InstructionSet) throws {
        let source = """
            typedef float vector __attribute__((vector_size(\(set.vectorBytes))));
            double cos(double);
            int answer(void) { vector v = {0}; v += 1.0f; return sizeof(v) * (int)v[1] * (int)cos(v[0] - 1); }
            """
        let cache = KernelCache(environment: scratch.environment())
        #expect(try cache.library(for: source, instructionSet: set).answer() == set.vectorBytes)
    }

    @Test func theNextProcessFindsItOnDisk() throws {
        let counting = try countingCompiler()
        let environment = scratch.environment(["KHUFU_CC": counting.path])
        #expect(try KernelCache(environment: environment).library(for: answering(5)).answer() == 5)
        let before = counting.runs()
        #expect(try KernelCache(environment: environment).library(for: answering(5)).answer() == 5)
        #expect(counting.runs() == before)
    }

    @Test(arguments: ["", "rubbish", "short"])
    func aBadFileIsReplaced(damage: String) throws {
        let environment = scratch.environment()
        _ = try KernelCache(environment: environment).library(for: answering(6))
        let file = try #require(cachedLibraries.first)
        let whole = try Data(contentsOf: URL(fileURLWithPath: file))
        try (damage == "short" ? whole.prefix(whole.count / 2) : Data(damage.utf8)).write(to: URL(fileURLWithPath: file))
        #expect(try KernelCache(environment: environment).library(for: answering(6)).answer() == 6)
        #expect(try Data(contentsOf: URL(fileURLWithPath: file)).count == whole.count)
    }

    @Test func aFileThatOthersMayWriteIsReplaced() throws {
        let environment = scratch.environment()
        _ = try KernelCache(environment: environment).library(for: answering(9))
        let file = try #require(cachedLibraries.first)
        chmod(file, 0o777)
        #expect(try KernelCache(environment: environment).library(for: answering(9)).answer() == 9)
        let attributes = try FileManager.default.attributesOfItem(atPath: file)
        #expect(attributes[.posixPermissions] as? Int == 0o700)
    }

    @Test func oneCompilationForManyThreads() throws {
        let counting = try countingCompiler()
        let cache = KernelCache(environment: scratch.environment(["KHUFU_CC": counting.path]))
        _ = try cache.compiler
        let before = counting.runs()
        let right = Atomic(0)
        onThreads(32) { _ in
            if (try? cache.library(for: answering(11)))?.answer() == 11 { right.add(1, ordering: .relaxed) }
        }
        #expect(right.load(ordering: .relaxed) == 32)
        #expect(counting.runs() == before + 1)
    }

    /// Several caches over one folder stand for several processes, all starting cold.
    @Test func manyProcessesOnOneFolder() throws {
        let environment = scratch.environment()
        let right = Atomic(0)
        onThreads(12) { number in
            let cache = KernelCache(environment: environment)
            for kernel in 0..<4
            where (try? cache.library(for: answering((number + kernel) % 4)))?.answer() == (number + kernel) % 4 {
                right.add(1, ordering: .relaxed)
            }
        }
        #expect(right.load(ordering: .relaxed) == 48)
        #expect(cachedLibraries.count == 4)
        #expect(try KernelCache(environment: environment).folder.contentsSize().files == 5)  // and the compiler's note
    }

    @Test func aFailureIsToldAndNotKept() throws {
        let cache = KernelCache(environment: scratch.environment())
        let error = #expect(throws: CompilationError.self) { try cache.library(for: "int answer(void) { return nothing; }") }
        let text = try #require(error).description
        let compiler = try cache.compiler.path
        #expect(text.contains("ended with status 1") && text.contains("nothing") && text.contains(compiler))
        #expect(try cache.clear().files == 1)  // the note on the compiler: nothing is left of the failure

        #expect(throws: CompilationError.self) {
            try cache.library(for: answering(1), options: ["-include", scratch.path + "/n.h"])
        }
        try "".write(toFile: scratch.path + "/n.h", atomically: true, encoding: .utf8)
        #expect(try cache.library(for: answering(1), options: ["-include", scratch.path + "/n.h"]).answer() == 1)
    }

    @Test func anUndefinedFunctionIsTold() throws {
        let cache = KernelCache(environment: scratch.environment())
        let error = #expect(throws: CompilationError.self) {
            try cache.library(for: "int nowhere_defined(void); int answer(void) { return nowhere_defined(); }")
        }
        #expect(try #require(error).description.contains("nowhere_defined"))
    }

    @Test func librariesInUseOutliveEviction() throws {
        let cache = KernelCache(environment: scratch.environment(), capacity: 2)
        let kept = try cache.library(for: answering(0))
        for number in 1...4 { _ = try cache.library(for: answering(number)) }
        #expect(kept.answer() == 0)
        #expect(try cache.clear().files >= 5)
        #expect(kept.answer() == 0)
        #expect(try cache.library(for: answering(1)).answer() == 1)
    }

    @Test func theFolderIsKeptBelowItsLimit() throws {
        let environment = scratch.environment()
        let cache = KernelCache(environment: environment)
        for number in 0..<4 {
            _ = try cache.library(for: answering(number))
        }
        for (age, file) in cachedLibraries.enumerated() {
            try FileManager.default.setAttributes(
                [.modificationDate: Date(timeIntervalSinceNow: -1e5 * Double(age))], ofItemAtPath: file)
        }
        let youngest = try #require(cachedLibraries.first)
        let stranger = scratch.path + "/cache/mine.so"
        try "not ours".write(toFile: stranger, atomically: true, encoding: .utf8)
        let folder = try cache.folder
        let full = folder.contentsSize()
        folder.trim(to: full.bytes)
        #expect(folder.contentsSize() == full)
        folder.trim(to: full.bytes / 2)
        #expect(folder.contentsSize().bytes <= full.bytes / 2)
        #expect(FileManager.default.fileExists(atPath: youngest))
        _ = folder.clear()
        #expect(folder.contentsSize() == (0, 0))
        #expect(FileManager.default.fileExists(atPath: stranger))
    }

    @Test func aDeletedFolderComesBack() throws {
        let cache = KernelCache(environment: scratch.environment())
        _ = try cache.library(for: answering(1))
        try FileManager.default.removeItem(atPath: scratch.path + "/cache")
        #expect(try cache.library(for: answering(2)).answer() == 2)
        #expect(cachedLibraries.count == 1)
    }
}
