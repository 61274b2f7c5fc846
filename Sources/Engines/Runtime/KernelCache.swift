import Synchronization

/// From the source text of a kernel to its machine code: in memory, else on disk, else by the compiler.
///
/// Threads that ask for the same kernel at once share one compilation; different kernels compile side by side. All state is this process's own: after
/// `fork` the child starts with nothing in memory (and finds everything on disk).
package final class KernelCache: Sendable {
    package static let shared = KernelCache()

    private let environment: [String: String]
    private let diskLimit: Int
    private let libraries: PerProcess<Memo<Request, SharedLibrary, CompilationError>>
    private let workshop: PerProcess<Lazy<Result<Workshop, CompilationError>>>
    private let setting: Lazy<Result<DistanceSetting, CompilationError>>
    private let tensorCores: Lazy<Result<TensorCoreSetting, CompilationError>>
    /// How many kernels this process has made.
    private let madeCount = Atomic(0)

    private struct Request: Hashable {
        let source: String
        let instructionSet: InstructionSet?
        let options: [String]
    }

    /// - Parameters:
    ///   - environment: where `KHUFU_CC`, `KHUFU_SIMD`, `KHUFU_SQUARED_DISTANCES`, `KHUFU_TENSOR_CORES`, `KHUFU_CACHE_DIR`, `XDG_CACHE_HOME`,
    ///     `HOME`, `TMPDIR` and `PATH` are looked up; also that of the compiler. Nothing is looked up, and no file touched, before the first use; then once.
    ///   - capacity: how many libraries stay in memory though nobody uses them.
    ///   - diskLimit: how many bytes the folder may hold.
    package init(
        environment: [String: String] = ProcessEnvironment.current, capacity: Int = 512, diskLimit: Int = 512 << 20
    ) {
        self.environment = environment
        self.diskLimit = diskLimit
        libraries = PerProcess { Memo(capacity: capacity) }
        workshop = PerProcess { Lazy { Workshop.opened(environment) } }
        setting = Lazy { DistanceSetting.read(environment) }
        tensorCores = Lazy { TensorCoreSetting.read(environment) }
    }

    /// The machine code of a source text.
    ///
    /// - Parameters:
    ///   - source: C (GNU 11). It should include no headers, whose reading costs more than a small kernel.
    ///   - instructionSet: what to compile for; by default what the environment selects.
    ///   - options: more flags for the compiler.
    package func library(
        for source: String, instructionSet: InstructionSet? = nil, options: [String] = []
    ) throws(CompilationError) -> SharedLibrary {
        let request = Request(source: source, instructionSet: instructionSet, options: options)
        return try libraries.value.value(for: request) { () throws(CompilationError) in
            let tools = try tools()
            let set = instructionSet ?? tools.instructionSet
            let library = try tools.library(source, flags: set.targetFlags() + options)
            trimIfDue(tools.folder)
            return library
        }
    }

    /// The code of a kernel for a device that has a compiler of its own: from the folder, or else made, and then kept there.
    ///
    /// - Parameter key: all that the code depends on.
    func deviceCode(for key: [String], make: () throws(EngineError) -> [UInt8]) throws(EngineError) -> [UInt8] {
        let name = CacheFolder.Name.deviceCode(SHA256.name(of: ["device code", Workshop.formatVersion] + key))
        // With no folder each process makes its own.
        let folder = try? folder
        if let known = folder?.contents(of: name) { return known }
        let code = try make()
        if let folder {
            _ = try? CacheFolder.openDirectory(folder.path, creating: true)  // it may have been deleted meanwhile
            folder.keep(code, as: name)
            trimIfDue(folder)
        }
        return code
    }

    /// The compiler in use.
    package var compiler: Compiler {
        get throws(CompilationError) { try tools().compiler.get() }
    }

    /// The folder in use.
    package var folder: CacheFolder {
        get throws(CompilationError) { try tools().folder }
    }

    /// The instruction set that the environment selects.
    package var instructionSet: InstructionSet {
        get throws(CompilationError) { try tools().instructionSet }
    }

    /// How the environment and the processor have squared distances computed.
    package var distances: DistanceSetting {
        get throws(CompilationError) { try setting.value.get() }
    }

    /// Whether kernels for an accelerator that has tensor cores, or has none, are made for them.
    package func usesTensorCores(_ hasThem: Bool) throws(CompilationError) -> Bool {
        try tensorCores.value.get().isOn ?? hasThem
    }

    /// Every compiler there is, each tried, in order of preference: for a report. Takes its time.
    package func candidates() throws(CompilationError) -> [CompilerCandidate] {
        try tools().search.all()
    }

    /// Deletes the compiled kernels of all processes from the folder; says how many files and bytes that freed.
    package func clear() throws(CompilationError) -> (files: Int, bytes: Int) {
        try folder.clear()
    }

    private func tools() throws(CompilationError) -> Workshop {
        try workshop.value.value.get()
    }

    /// Looks after the folder at a process's first kernel, and then at every 64th.
    private func trimIfDue(_ folder: CacheFolder) {
        if madeCount.add(1, ordering: .relaxed).oldValue % 64 == 0 { folder.trim(to: diskLimit) }
    }
}

/// A value computed at first use, by one thread while others wait.
final class Lazy<Value: Sendable>: Sendable {
    private let make: @Sendable () -> Value
    private let made = Mutex<Value?>(nil)

    init(_ make: @escaping @Sendable () -> Value) { self.make = make }

    var value: Value {
        made.withLock { made in
            if let made { return made }
            let value = make()
            made = value
            return value
        }
    }
}
