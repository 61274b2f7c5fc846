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
    private final class Found: Sendable {
        let candidates: [LibraryCandidate]
        let devices: [OpenCLDevice]

        init(_ environment: [String: String]) {
            var candidates: [LibraryCandidate] = []
            var devices: [OpenCLDevice] = []
            for place in OpenCLLibrary.places(environment) {
                do throws(LibraryPlace.Refusal) {
                    let library = try place.open(OpenCLLibrary.init)
                    devices = library.devices.map { OpenCLDevice(library, platform: $0.platform, device: $0.device) }
                    candidates.append(place.candidate(.works(devices.isEmpty ? "finds no device" : "finds devices")))
                    break
                } catch {
                    candidates.append(place.candidate(error.verdict))
                }
            }
            (self.candidates, self.devices) = (candidates, devices)
        }
    }

    private final class Registry: Sendable {
        let found = Lazy { Found(ProcessEnvironment.current) }
    }

    private static let registry = PerProcess { Registry() }
    private static var found: Found { registry.value.found.value }

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

    static func device(_ number: Int) throws(EngineError) -> OpenCLDevice {
        try requireOurs()
        let found = found
        if found.devices.indices.contains(number) { return found.devices[number] }
        let isLoaded = found.candidates.contains { if case .works = $0.verdict { true } else { false } }
        let notable = found.candidates.notable.map(\.description).joined(separator: "; ")
        throw EngineError(
            isLoaded
                ? "There is no OpenCL device \(number): the loader finds \(found.devices.count)."
                : notable.isEmpty
                    ? "There is no OpenCL device: no loader, libOpenCL.so.1, was found (khufu doctor lists every place that was looked at)."
                    : "There is no OpenCL device: \(notable).")
    }

    /// - Throws: why there are none.
    static func deviceNames() throws(EngineError) -> [String] {
        try requireOurs()
        let names = found.devices.map(\.properties.name)
        if names.isEmpty { _ = try device(0) }
        return names
    }

    package static var deviceCount: Int { found.devices.count }

    /// Where the loader was looked for, and what became of it.
    package static var candidates: [LibraryCandidate] { found.candidates }

    /// The devices, as people would tell them apart.
    package static var deviceDescriptions: [String] {
        found.devices.map { "\($0.properties.name), \($0.platform)\($0.properties.hasFloat64 ? "" : ", no float64")" }
    }
}
