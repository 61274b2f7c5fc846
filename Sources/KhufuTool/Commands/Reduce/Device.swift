import ArgumentParser
import Engines
import Kernels

/// Where a computation runs, and on how many threads; shared by the commands that compute.
struct DeviceOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Compiled code (cpu), the interpreter, auto (the first where a C compiler works, else the second), cuda or opencl.",
            discussion: "cuda:1 is the second GPU; cuda:0,1 are both. `khufu doctor` lists them.",
            valueName: "device"))
    var device = RequestedDevice(engine: .automatic)

    @Option(help: "How many threads compute; by default as many as this process may use.")
    var threads: Int?

    @Option(
        name: .customLong("exp"),
        help: "How exact exponentials are in float32: accurate, or fast, with relative errors of 1e-4.")
    var exponentials: Exponentials = .accurate

    @Option(
        name: .customLong("products"),
        help: "How exact inner products of long vectors are on tensor cores: accurate, or fast, with relative errors of 1e-3.")
    var innerProducts: InnerProducts = .accurate

    @Option(
        help: ArgumentHelp(
            "Whether pairs of points are left out that provably do not matter: auto, where that pays; always; never.",
            discussion: "Minima, maxima and k-min are the same either way; sums take --tolerance."))
    var pruning: Pruning = .automatic

    @Option(
        help: "How much of Σ|F| each number of a sum may miss by pruning, such as 1e-4; without it, sums take all pairs.")
    var tolerance: Double?

    @Option(name: .customLong("repeat"), help: "Computes so many times and tells the shortest time, for measurements.")
    var repetitions: Int = 1

    func validate() throws {
        guard (1...1_000_000).contains(repetitions) else {
            throw ValidationError("--repeat is 1 to 1000000; this is \(repetitions).")
        }
        if let tolerance, !(0..<1).contains(tolerance) {
            throw ValidationError("--tolerance is 0 or more and less than 1; this is \(tolerance).")
        }
        if let threads, !(1...1024).contains(threads) { throw ValidationError("--threads is 1 to 1024; this is \(threads).") }
    }

    var threadCount: Int { threads ?? ThreadPool.defaultThreadCount }
}

/// Where a user wants to compute.
struct RequestedDevice: ExpressibleByArgument, Equatable {
    var engine: ExecutionOptions.Engine
    /// Accelerators in the engine's place.
    var accelerators: [Engines.Device] = []

    init(engine: ExecutionOptions.Engine) { self.engine = engine }

    /// "cpu", "cuda", "opencl:1", "cuda:0,1".
    init?(argument: String) {
        if let engine = ExecutionOptions.Engine(rawValue: argument) {
            self.engine = engine
            return
        }
        guard let accelerators = Engines.Device.list(argument) else { return nil }
        engine = .automatic
        self.accelerators = accelerators
    }

    var defaultValueDescription: String { engine.rawValue }
    static var allValueStrings: [String] { ExecutionOptions.Engine.allCases.map(\.rawValue) + ["cuda", "opencl"] }
}

extension Exponentials: ExpressibleByArgument {}
extension InnerProducts: ExpressibleByArgument {}
extension Pruning: ExpressibleByArgument {}

/// An engine that has been chosen and is known to run.
struct ChosenDevice: Sendable {
    let engine: ExecutionOptions.Engine
    /// Accelerators in the engine's place.
    let accelerators: [Engines.Device]
    let threads: Int
    let exponentials: Exponentials
    let innerProducts: InnerProducts
    let pruning: Pruning
    let tolerance: Double?
    /// Why `auto` fell back to the interpreter.
    let fallbackReason: String?

    /// Chooses an engine by running `attempt`, some small work, on it.
    ///
    /// The library would choose by itself, and interpret tiny problems. Here the choice is made in the open, to be able to tell of it.
    init(_ options: DeviceOptions, attempt: (ChosenDevice) throws -> Void) throws {
        var options = options
        if options.device == RequestedDevice(engine: .automatic) {
            options.device.accelerators = try ExecutionOptions().chosenDevices
        }
        let isOpen = options.device == RequestedDevice(engine: .automatic)
        let first = ChosenDevice(isOpen ? .cpu : options.device.engine, options, fallbackReason: nil)
        do {
            try attempt(first)
            self = first
        } catch let error as EngineError where isOpen {
            self.init(.interpreter, options, fallbackReason: error.description)
        }
    }

    private init(_ engine: ExecutionOptions.Engine, _ options: DeviceOptions, fallbackReason: String?) {
        self.engine = engine
        accelerators = options.device.accelerators
        threads = options.threadCount
        exponentials = options.exponentials
        innerProducts = options.innerProducts
        pruning = options.pruning
        tolerance = options.tolerance
        self.fallbackReason = fallbackReason
    }

    func options(progress: ProgressLine? = nil) -> ExecutionOptions {
        var options = ExecutionOptions(
            engine: engine, threads: threads, exponentials: exponentials, innerProducts: innerProducts, pruning: pruning,
            tolerance: tolerance, devices: accelerators)
        if let progress { options.progress = { done, total in progress.update(done, of: total) } }
        return options
    }

    /// "cpu, avx512, 2 threads".
    var description: String {
        guard accelerators.isEmpty else { return accelerators.map(\.description).joined(separator: ", ") }
        var parts = [engine.rawValue]
        if engine == .cpu, let set = try? KernelCache.shared.instructionSet { parts.append(set.rawValue) }
        return (parts + [counted(threads, "thread")]).joined(separator: ", ")
    }
}
