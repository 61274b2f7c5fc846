import Foundation
import Testing

@testable import Engines

@Suite struct RuntimeCacheFolderTests {
    private let scratch: ScratchFolder

    init() throws { scratch = try ScratchFolder() }

    @Test func theUsualPlaces() throws {
        let home = scratch.path + "/home", xdg = scratch.path + "/xdg"
        #expect(try CacheFolder.prepare(environment: ["HOME": home]).path.hasPrefix(home))
        #expect(try CacheFolder.prepare(environment: ["HOME": home, "XDG_CACHE_HOME": xdg]).path == xdg + "/khufu")
        #expect(try CacheFolder.prepare(environment: ["HOME": home, "XDG_CACHE_HOME": "relative"]).path.hasPrefix(home))
        let attributes = try FileManager.default.attributesOfItem(atPath: xdg + "/khufu")
        #expect(attributes[.posixPermissions] as? Int == 0o700)
    }

    @Test(arguments: [0o777, 0o770, 0o702])
    func aFolderThatOthersMayWriteIsRefused(mode: mode_t) throws {
        let unsafe = scratch.path + "/unsafe"
        mkdir(unsafe, 0o700)
        chmod(unsafe, mode)
        let folder = try CacheFolder.prepare(environment: scratch.environment(["KHUFU_CACHE_DIR": unsafe]))
        #expect(folder.path != unsafe)
        #expect(folder.fallbackReason == "\(unsafe) may be written to by others (chmod go-w mends that)")
    }

    @Test func aSymbolicLinkIsRefused() throws {
        let link = scratch.path + "/link"
        mkdir(scratch.path + "/target", 0o700)
        symlink(scratch.path + "/target", link)
        let folder = try CacheFolder.prepare(environment: scratch.environment(["KHUFU_CACHE_DIR": link]))
        #expect(folder.fallbackReason?.hasPrefix("\(link) cannot be opened as a folder") == true)
    }

    @Test func anUnwritableHomeFallsBack() throws {
        let environment = scratch.environment(["HOME": "/dev/null", "KHUFU_CACHE_DIR": ""])
        let cache = KernelCache(environment: environment)
        #expect(try cache.library(for: answering(3)).answer() == 3)
        let folder = try cache.folder
        #expect(folder.fallbackReason?.contains("/dev/null") == true)
        #expect(folder.path.hasPrefix(scratch.path + "/khufu-"))
        let attributes = try FileManager.default.attributesOfItem(atPath: folder.path)
        #expect(attributes[.posixPermissions] as? Int == 0o700)
    }
}

@Suite struct RuntimeCompilerSearchTests {
    private let scratch: ScratchFolder

    init() throws { scratch = try ScratchFolder() }

    private func failure(_ changes: [String: String]) throws -> String {
        let cache = KernelCache(environment: scratch.environment(changes))
        let error = #expect(throws: CompilationError.self) { try cache.library(for: answering(1)) }
        return try #require(error).description
    }

    private func candidate(_ path: String, _ changes: [String: String] = [:]) throws -> CompilerCandidate {
        let changes = changes.merging(["KHUFU_CC": path]) { $1 }
        return try #require(KernelCache(environment: scratch.environment(changes)).candidates().first)
    }

    @Test func findsOne() throws {
        let cache = KernelCache(environment: scratch.environment())
        let taken = try cache.candidates().compactMap { candidate -> Compiler? in
            if case .taken(let compiler) = candidate.verdict { compiler } else { nil }
        }
        #expect(try taken.first == cache.compiler)
        // A second look finds the verdicts noted, and the same.
        #expect(try KernelCache(environment: scratch.environment()).compiler == cache.compiler)
    }

    @Test func aBadSettingIsRefusedInASentence() throws {
        #expect(
            try failure(["KHUFU_CC": "/nowhere/cc -O1"])
                == "KHUFU_CC is \"/nowhere/cc -O1\", which is no usable compiler: /nowhere/cc -O1 is not an executable file "
                + "(give one program's path, without options).")
        #expect(try failure(["KHUFU_CC": "no-such-compiler"]).contains("no-such-compiler is not an executable file"))
        #expect(try failure(["KHUFU_SIMD": "mmx"]).hasPrefix("KHUFU_SIMD is \"mmx\""))
    }

    @Test func candidatesThatAreNoCompilersAreRefused() throws {
        let mute = try scratch.script("mute", "exit 4")
        #expect(try candidate(mute).verdict == .refused("ended with status 4 when asked for its version"))
        let tcc = try scratch.script("tcc", "echo tcc version 0.9.27")
        #expect(
            try candidate(tcc).verdict == .refused("is neither clang nor gcc (its version reads \"tcc version 0.9.27\")"))
        let unlinked = try scratch.script(
            "unlinked", "case $1 in --version) echo clang version 99 ;; *) echo no linker >&2; exit 1 ;; esac")
        #expect(try candidate(unlinked).description.contains("cannot make a library"))
        #expect(try candidate(unlinked).description.contains("no linker"))
        let liar = try scratch.script("liar", "echo clang version 99")
        #expect(try candidate(liar).description.contains("cannot be loaded"))
    }

    @Test func anotherWayOfLinkingIsTried() throws {
        let compiler = try KernelCache(environment: scratch.environment()).compiler
        let fussy = try scratch.script(
            "fussy", "case \"$*\" in *-nostdlib*) exit 1 ;; esac\nexec \(compiler.path) \"$@\"")
        let cache = KernelCache(environment: scratch.environment(["KHUFU_CC": fussy]))
        #expect(try cache.library(for: answering(8)).answer() == 8)
        #if os(Linux)
        #expect(try cache.compiler.linking == 1)
        #endif
    }

    @Test func namesAreLookedUpOnThePath() throws {
        let compiler = try KernelCache(environment: scratch.environment()).compiler
        _ = try scratch.script("my-cc", "exec \(compiler.path) \"$@\"")
        let path = scratch.path + ":" + (ProcessEnvironment.current["PATH"] ?? "")
        let found = try candidate("my-cc", ["PATH": path])
        #expect(found.path == scratch.path + "/my-cc" && found.origin == .environment)
    }

    @Test func withNoCompilerTheErrorSaysSo() {
        #expect(CompilationError.noCompiler([]).description.hasPrefix("No C compiler was found"))
        let empty = CompilerSearch(
            environment: ["PATH": scratch.path], folder: try! CacheFolder.prepare(environment: scratch.environment()),
            instructionSet: .best(), toolchains: [])
        #expect(throws: CompilationError.noCompiler([])) { try empty.first() }
    }
}
