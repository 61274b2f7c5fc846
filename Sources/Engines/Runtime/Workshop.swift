#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// What compiling takes: the folder, the instruction set and the compiler, as one environment chooses them.
final class Workshop: Sendable {
    /// Raise it when files made by earlier versions must not be loaded any more.
    static let formatVersion = "1"

    let folder: CacheFolder
    let instructionSet: InstructionSet
    let search: CompilerSearch
    private let environment: [String: String]
    private let found: Lazy<Result<Compiler, CompilationError>>

    private init(folder: CacheFolder, instructionSet: InstructionSet, environment: [String: String]) {
        self.folder = folder
        self.instructionSet = instructionSet
        self.environment = environment
        let search = CompilerSearch(environment: environment, folder: folder, instructionSet: instructionSet)
        self.search = search
        found = Lazy { Result(catching: search.first) }
    }

    static func opened(_ environment: [String: String]) -> Result<Workshop, CompilationError> {
        let set: InstructionSet
        do throws(InstructionSet.Refusal) {
            set = try .selected(environment: environment)
        } catch {
            return .failure(.refusedSetting(error.description))
        }
        return Result { () throws(CompilationError) in
            Workshop(folder: try .prepare(environment: environment), instructionSet: set, environment: environment)
        }
    }

    /// The compiler; looked for once, whether found or not.
    var compiler: Result<Compiler, CompilationError> { found.value }

    /// A library from the folder, or else a new one, which then also goes into the folder.
    func library(_ source: String, flags: [String]) throws(CompilationError) -> SharedLibrary {
        let compiler = try compiler.get()
        let address = SHA256.name(
            of: [Self.formatVersion, compiler.identity, Processor.host.featureString]
                + Compiler.standardFlags + flags + [source])
        if let library = folder.library(address) { return library }

        _ = try? CacheFolder.openDirectory(folder.path, creating: true)  // it may have been deleted meanwhile
        let file = folder.temporaryPath()
        try compiler.compile(source, flags: flags, to: file, environment: environment)
        defer { unlink(file) }  // where it was not renamed
        let library: SharedLibrary
        do throws(SharedLibrary.LoadingError) {
            library = try SharedLibrary(path: file)
        } catch {
            throw .unloadable(compiler: compiler.path, reason: error.reason)
        }
        // Loaded first, so that nobody can delete it in between; and a library that cannot be kept is still a library.
        _ = folder.publish(file, as: .library(address))
        return library
    }
}
