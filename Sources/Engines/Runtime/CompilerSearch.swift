#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// A place where a compiler may be, and what became of trying it.
package struct CompilerCandidate: Sendable, Equatable, CustomStringConvertible {
    /// Why it was considered.
    package enum Origin: Sendable, Equatable {
        /// `KHUFU_CC` names it.
        case environment
        /// It comes with a Swift toolchain.
        case swiftToolchain
        /// It is a program of this name on the `PATH`.
        case searchPath(String)
    }

    package enum Verdict: Sendable, Equatable {
        case taken(Compiler)
        case refused(String)
    }

    package let path: String
    package let origin: Origin
    package let verdict: Verdict

    package var description: String {
        switch verdict {
        case .taken(let compiler): "\(path) (\(compiler.version))"
        case .refused(let reason): "\(path) \(reason)"
        }
    }
}

/// Finds the C compiler: the one that `KHUFU_CC` names, or else the first that works of the Swift toolchain's clang, clang, gcc and cc.
///
/// "Works" means: answers `--version` as clang or gcc, and makes a library that can be loaded and called. Being there is not enough: a toolchain's
/// clang without a linker is common in containers. A verdict costs some 50 ms, so good ones are kept in the cache folder, under the compiler's
/// path, size and time.
package struct CompilerSearch: Sendable {
    let environment: [String: String]
    let folder: CacheFolder
    let instructionSet: InstructionSet
    /// Where Swift toolchains keep their programs when they are not on the `PATH`.
    var toolchains = Self.usualToolchains

    #if canImport(Darwin)
    static let usualToolchains = [
        "/Applications/Xcode.app/Contents/Developer/Toolchains/XcodeDefault.xctoolchain/usr/bin",
        "/Library/Developer/CommandLineTools/usr/bin",
    ]
    #else
    static let usualToolchains = ["/opt/swift/usr/bin", "/usr/share/swift/usr/bin"]
    #endif

    /// The first compiler that works.
    package func first() throws(CompilationError) -> Compiler {
        var refused: [CompilerCandidate] = []
        for place in places {
            let candidate = judge(place)
            if case .taken(let compiler) = candidate.verdict { return compiler }
            refused.append(candidate)
        }
        if let only = refused.first, only.origin == .environment {
            throw .refusedSetting("KHUFU_CC is \"\(only.path)\", which is no usable compiler: \(only.description).")
        }
        throw .noCompiler(refused)
    }

    /// Every candidate in order of preference, each tried; `first()` is the first taken one.
    package func all() -> [CompilerCandidate] {
        places.map(judge)
    }

    private typealias Place = (path: String, origin: CompilerCandidate.Origin)

    private var places: [Place] {
        if let named = environment.setting("KHUFU_CC") {
            return [(named.contains("/") ? named : environment.program(named) ?? named, .environment)]
        }
        let toolchains = toolchainFolders.map { Place("\($0)/clang", .swiftToolchain) }
        let programs = ["clang", "gcc", "cc"].compactMap { name in
            environment.program(name).map { Place($0, .searchPath(name)) }
        }
        var seen: Set<String> = []
        return (toolchains.filter { FileStamp(executable: $0.path) != nil } + programs)
            .filter { seen.insert($0.path).inserted }
    }

    /// The folders of the Swift toolchains: that of `swift` on the `PATH`, with links followed, and the usual places.
    private var toolchainFolders: [String] {
        let beside = ["swift", "swiftc"].compactMap(environment.program).compactMap { resolved($0).map(containingFolder) }
        return beside + toolchains
    }

    private func judge(_ place: Place) -> CompilerCandidate {
        let verdict: CompilerCandidate.Verdict
        if let stamp = FileStamp(executable: place.path) {
            let name = CacheFolder.Name.note(
                SHA256.name(of: ["compiler", Self.probe, instructionSet.rawValue, stamp.description]))
            if let compiler = recalled(from: name, place.path, stamp) {
                verdict = .taken(compiler)
            } else {
                verdict = examine(place.path, stamp)
                if case .taken(let compiler) = verdict { remember(compiler, as: name) }
            }
        } else {
            verdict = .refused("is not an executable file (give one program's path, without options)")
        }
        return CompilerCandidate(path: place.path, origin: place.origin, verdict: verdict)
    }
}

// MARK: - Examination

extension CompilerSearch {
    private static let probe = "int khufu_probe(int x) { return x + 1; }\n"

    /// Asks for the version and then for a small library, linked in each of the ways until one works.
    private func examine(_ path: String, _ stamp: FileStamp) -> CompilerCandidate.Verdict {
        let answer = ChildProcess.run(
            path, ["--version"], environment: Compiler.childEnvironment(environment), timeout: .seconds(10))
        guard answer.succeeded else { return .refused("\(answer.ending) when asked for its version") }
        let text = String(decoding: answer.standardOutput, as: UTF8.self)
        let version = String(text.split(separator: "\n").first ?? "").trimmingWhitespace
        let kind: Compiler.Kind
        if text.contains("clang") {
            kind = .clang
        } else if text.contains("Free Software Foundation") {
            kind = .gcc
        } else {
            return .refused("is neither clang nor gcc (its version reads \"\(version.prefix(80))\")")
        }
        // The reason given is that of the first way: the others are makeshifts, and fail in stranger words.
        var reason: String?
        for linking in Compiler.linkings.indices {
            let compiler = Compiler(path: path, kind: kind, version: version, linking: linking, stamp: stamp)
            do throws(CompilationError) {
                try attempt(compiler)
                return .taken(compiler)
            } catch {
                reason = reason ?? error.description
            }
        }
        return .refused("cannot make a library. \(reason ?? "")")
    }

    private func attempt(_ compiler: Compiler) throws(CompilationError) {
        let file = folder.temporaryPath()
        defer { unlink(file) }
        try compiler.compile(Self.probe, flags: instructionSet.targetFlags(), to: file, environment: environment)
        do {
            let library = try SharedLibrary(path: file)
            guard let symbol = library.symbol("khufu_probe") else {
                throw CompilationError.unloadable(compiler: compiler.path, reason: "its function is missing")
            }
            typealias Probe = @convention(c) (CInt) -> CInt
            let sum = withExtendedLifetime(library) { unsafeBitCast(symbol, to: Probe.self)(41) }
            guard sum == 42 else {
                throw CompilationError.unloadable(compiler: compiler.path, reason: "its function answers wrongly")
            }
        } catch let error as CompilationError {
            throw error
        } catch {
            throw .unloadable(compiler: compiler.path, reason: "\(error)")
        }
    }

    /// The verdict of an earlier process: three lines, the kind, the way of linking and the version.
    private func recalled(from name: CacheFolder.Name, _ path: String, _ stamp: FileStamp) -> Compiler? {
        guard let bytes = folder.contents(of: name) else { return nil }
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
        guard lines.count == 3, let kind = Compiler.Kind(rawValue: lines[0]), let linking = Int(lines[1]),
            Compiler.linkings.indices.contains(linking)
        else { return nil }
        return Compiler(path: path, kind: kind, version: lines[2], linking: linking, stamp: stamp)
    }

    private func remember(_ compiler: Compiler, as name: CacheFolder.Name) {
        // Failing to write it costs the next process 50 ms, and is no reason to stop this one.
        folder.keep(Array("\(compiler.kind.rawValue)\n\(compiler.linking)\n\(compiler.version)\n".utf8), as: name)
    }
}
