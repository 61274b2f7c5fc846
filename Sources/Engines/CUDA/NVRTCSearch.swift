/// Finds the NVRTC for a device: the first place whose NVRTC suits both the device and the driver, or else the one that suits them best.
///
/// Being there is not enough: newer NVRTCs drop older devices, older ones do not know newer devices, and what an NVRTC makes that is newer than the
/// driver is refused by the driver.
struct NVRTCSearch: Sendable {
    let places: [LibraryPlace]

    /// How well an NVRTC suits, best first.
    private enum Suitability: Comparable {
        /// It makes the device's machine code, and the driver is as new as it is.
        case well
        /// The driver compiles its PTX on.
        case byIntermediateCode
        /// It is newer than the driver, which may not load what it makes.
        case newerThanTheDriver
    }

    func best(for device: ComputeCapability, driver: CUDAVersion) throws(EngineError) -> NVRTC {
        var best: (nvrtc: NVRTC, suitability: Suitability)?
        var refused: [LibraryCandidate] = []
        for place in places {
            do throws(LibraryPlace.Refusal) {
                let nvrtc = try place.open(NVRTC.init)
                guard let suitability = Self.suitability(of: nvrtc, for: device, driver) else {
                    let reason = "is of \(nvrtc), and the device is of \(device)"
                    throw LibraryPlace.Refusal(verdict: .refused(reason))
                }
                if suitability == .well { return nvrtc }
                if best.map({ suitability < $0.suitability }) ?? true { best = (nvrtc, suitability) }
            } catch {
                refused.append(place.candidate(error.verdict))
            }
        }
        if let best { return best.nvrtc }
        throw Self.failure(refused)
    }

    /// Every place, each tried.
    func all() -> [LibraryCandidate] {
        places.map { place in
            do throws(LibraryPlace.Refusal) {
                return place.candidate(.works("\(try place.open(NVRTC.init))"))
            } catch {
                return place.candidate(error.verdict)
            }
        }
    }

    private static func suitability(
        of nvrtc: NVRTC, for device: ComputeCapability, _ driver: CUDAVersion
    ) -> Suitability? {
        switch CUDATarget(for: device, compilerSupports: nvrtc.supported) {
        case nil: nil
        // Drivers load machine code of any minor version, but PTX only up to their own.
        case .machineCode: nvrtc.version.major <= driver.major ? .well : .newerThanTheDriver
        case .intermediate: nvrtc.version <= driver ? .byIntermediateCode : .newerThanTheDriver
        }
    }

    private static func failure(_ refused: [LibraryCandidate]) -> EngineError {
        let remedy = "install the Python package nvidia-cuda-nvrtc, or set KHUFU_NVRTC to the path of a libnvrtc.so"
        let notable = refused.notable.map(\.description).joined(separator: "; ")
        return EngineError(
            notable.isEmpty
                ? "CUDA's compiler, NVRTC, was not found: \(remedy) (khufu doctor lists every place that was looked at)."
                : "CUDA's compiler, NVRTC, cannot be used: \(notable). You may \(remedy).")
    }
}

extension NVRTC: CustomStringConvertible {
    var description: String {
        "CUDA \(version) for compute capability \(supported.first!) to \(supported.last!)"
    }
}
