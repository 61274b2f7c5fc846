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

    private static let found = PerProcess { Found(ProcessEnvironment.current) }

    static func device(_ number: Int) throws(EngineError) -> OpenCLDevice {
        let found = found.value
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

    package static var deviceCount: Int { found.value.devices.count }

    /// Where the loader was looked for, and what became of it.
    package static var candidates: [LibraryCandidate] { found.value.candidates }

    /// The devices, as people would tell them apart.
    package static var deviceNames: [String] {
        found.value.devices.map { "\($0.properties.name), \($0.platform)\($0.properties.hasFloat64 ? "" : ", no float64")" }
    }
}
