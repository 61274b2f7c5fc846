import Synchronization

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// CUDA for a process: the driver and the devices, each looked for at first use.
final class CUDARuntime: Sendable {
    private let environment: [String: String]
    private let cache: KernelCache
    private let started: Lazy<Result<CUDADriver, EngineError>>
    private let devices = Mutex<[Int: CUDADevice]>([:])

    /// - Parameter environment: where `KHUFU_LIBCUDA` and `KHUFU_NVRTC` are looked up, and the folders of Python and of toolkits.
    init(environment: [String: String] = ProcessEnvironment.current, cache: KernelCache = .shared) {
        self.environment = environment
        self.cache = cache
        started = Lazy { Result { () throws(EngineError) in try Self.start(environment) } }
    }

    /// A device by its number, opened at first use and kept.
    func device(_ number: Int) throws(EngineError) -> CUDADevice {
        let driver = try started.value.get()
        let count = try deviceCount(driver)
        guard (0..<count).contains(number) else {
            let others =
                switch count {
                case 0: "the driver finds none"
                case 1: "the only one is number 0"
                default: "they are numbered 0 to \(count - 1)"
                }
            throw EngineError("There is no CUDA device \(number); \(others).")
        }
        return try devices.withLock { devices throws(EngineError) in
            if let device = devices[number] { return device }
            let context = try CUDAContext(driver, try CUDADescription(driver, number: number))
            let device = CUDADevice(context, search: compilerSearch, cache: cache)
            devices[number] = device
            return device
        }
    }

    /// What the driver tells of each device; none is opened.
    func descriptions() throws(EngineError) -> [CUDADescription] {
        let driver = try started.value.get()
        var descriptions: [CUDADescription] = []
        for number in 0..<(try deviceCount(driver)) { descriptions.append(try CUDADescription(driver, number: number)) }
        return descriptions
    }

    /// The newest CUDA that the driver goes with.
    var driverVersion: CUDAVersion {
        get throws(EngineError) { try started.value.get().version }
    }

    var compilerSearch: NVRTCSearch { NVRTCSearch(places: CUDAPlaces.compiler(environment)) }

    private func deviceCount(_ driver: CUDADriver) throws(EngineError) -> Int {
        var count: Int32 = 0
        try driver.check(driver.cuDeviceGetCount(&count), "CUDA does not count its devices")
        return Int(count)
    }

    // MARK: The driver

    /// The process that has started CUDA, which its forked children then cannot; 0 for none.
    private static let starter = Atomic<pid_t>(0)

    static let forkedSentence = """
        CUDA was started before this process was forked from its parent, and cannot be used in it; start such a process anew \
        (in Python: multiprocessing.set_start_method("spawn")).
        """

    private static func start(_ environment: [String: String]) throws(EngineError) -> CUDADriver {
        let starter = starter.load(ordering: .acquiring)
        guard starter == 0 || starter == getpid() else { throw EngineError(forkedSentence) }
        let driver = try findDriver(environment)
        let status = driver.cuInit(0)
        // The answer also where not we but torch has started it in the parent.
        if status == CUDADriver.Status.notInitialized { throw EngineError(forkedSentence) }
        try driver.check(status, "There is no CUDA device that works")
        Self.starter.store(getpid(), ordering: .releasing)
        return driver
    }

    private static func findDriver(_ environment: [String: String]) throws(EngineError) -> CUDADriver {
        var refused: [LibraryCandidate] = []
        for place in CUDAPlaces.driver(environment) {
            do throws(LibraryPlace.Refusal) {
                return try place.open(CUDADriver.init)
            } catch {
                refused.append(place.candidate(error.verdict))
            }
        }
        let notable = refused.notable.map(\.description).joined(separator: "; ")
        throw EngineError(
            notable.isEmpty
                ? "There is no CUDA device: NVIDIA's driver, libcuda.so.1, was not found (khufu doctor lists every place that was looked at)."
                : "There is no CUDA device: \(notable).")
    }

    /// Every place where the driver may be, each tried.
    static func driverCandidates(_ environment: [String: String]) -> [LibraryCandidate] {
        CUDAPlaces.driver(environment).map { place in
            do throws(LibraryPlace.Refusal) {
                return place.candidate(.works("CUDA \(try place.open(CUDADriver.init).version)"))
            } catch {
                return place.candidate(error.verdict)
            }
        }
    }
}
