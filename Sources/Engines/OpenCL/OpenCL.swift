import Synchronization

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// The OpenCL devices of this machine.
package enum OpenCL {
    private struct Found: Sendable {
        var library: OpenCLLibrary?
        /// What was looked at and why it was taken or refused.
        var searched: [(place: String, outcome: String)]
        var devices: [OpenCLDevice]
    }

    private final class Registry: Sendable {
        let found = Lazy { OpenCL.find(ProcessEnvironment.current) }
    }

    private static let registry = PerProcess { Registry() }

    /// The process that has started OpenCL, whose threads its forked children lack; 0 for none.
    private static let starter = Atomic<pid_t>(0)

    static let forkedSentence = """
        OpenCL was started before this process was forked from its parent, and cannot be used in it; start such a process anew \
        (in Python: multiprocessing.set_start_method("spawn")).
        """

    private static func requireOurs() throws(EngineError) {
        let (_, starter) = starter.compareExchange(expected: 0, desired: getpid(), ordering: .acquiringAndReleasing)
        guard starter == 0 || starter == getpid() else { throw EngineError(forkedSentence) }
    }

    private static func find(_ environment: [String: String]) -> Found {
        var searched: [(String, String)] = []
        for place in OpenCLLibrary.places(environment) {
            do throws(SharedLibrary.LoadingError) {
                let library = try OpenCLLibrary(at: place)
                let devices = library.devices.map { OpenCLDevice(library, platform: $0.platform, device: $0.device) }
                searched.append((place, "taken; \(devices.isEmpty ? "it finds no device" : "it finds \(devices.count)")"))
                return Found(library: library, searched: searched, devices: devices)
            } catch {
                searched.append((place, "refused: \(error.reason)"))
            }
        }
        return Found(library: nil, searched: searched, devices: [])
    }

    static func device(_ number: Int) throws(EngineError) -> OpenCLDevice {
        try requireOurs()
        let found = registry.value.found.value
        guard found.library != nil else {
            throw EngineError("There is no OpenCL here: no loader was found; `khufu doctor` lists where it was looked for.")
        }
        guard found.devices.indices.contains(number) else {
            throw EngineError("There is no OpenCL device \(number): the loader finds \(found.devices.count).")
        }
        return found.devices[number]
    }

    /// - Throws: why there are none.
    static func deviceNames() throws(EngineError) -> [String] {
        try requireOurs()
        let names = registry.value.found.value.devices.map(\.properties.name)
        if names.isEmpty { _ = try device(0) }
        return names
    }

    package static var deviceCount: Int { registry.value.found.value.devices.count }

    /// What was found and where it was looked for, a line each; for a report.
    package static var report: [String] {
        let found = registry.value.found.value
        return found.searched.map { "\($0.place): \($0.outcome)" }
            + found.devices.enumerated().map { number, device in
                "\(number): \(device.properties.name), \(device.platform), \(device.properties.unitCount) units, \(device.properties.memoryByteCount >> 20) MiB\(device.properties.hasFloat64 ? "" : ", no float64")"
            }
    }
}
