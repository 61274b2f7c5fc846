import Engines

/// Accelerators, and the libraries that they need, described for people.
enum DeviceReport {
    /// Every place where a library may be; the first that works is used, unless a device needs another version.
    static func text(_ candidates: [LibraryCandidate]) -> String {
        candidates.map { candidate in
            let mark =
                switch candidate.verdict {
                case .works: "works  "
                case .refused: "refused"
                case .absent: "absent "
                }
            return "\(mark)  \(candidate)"
        }.joined(separator: "\n")
    }

    /// A line per device: whether it works, found out by running a kernel, and what it is.
    static func devices(_ cuda: CUDAReport) -> [String] {
        let openCL = OpenCL.deviceDescriptions.enumerated().map { number, name in
            "opencl:\(number): \(verdict(on: .openCL(number))); \(name)"
        }
        return self.cuda(cuda) + (openCL.isEmpty ? ["opencl: none"] : openCL)
    }

    private static func cuda(_ report: CUDAReport) -> [String] {
        switch report.devices {
        case .failure(let error): return ["cuda: \(error)"]
        case .success(let devices) where devices.isEmpty: return ["cuda: none"]
        case .success(let devices):
            return devices.map { device in
                let nature =
                    "\(device.name), compute capability \(device.capability), \(counted(device.multiprocessorCount, "multiprocessor")), \(readable(bytes: device.memoryByteCount))"
                let verdict = device.obstacle.map { "does not work. \($0)" } ?? verdict(on: .cuda(device.number))
                return "cuda:\(device.number): \(verdict); \(nature)"
            }
        }
    }

    private static func verdict(on device: Device) -> String {
        let check = SelfCheck.run(on: ExecutionOptions(devices: [device]))
        return check.isPassed ? "works" : "does not work. \(check.text)"
    }
}
