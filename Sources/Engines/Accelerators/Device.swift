/// An accelerator that reductions may run on, by its number in the order of CUDA's driver or of OpenCL's loader.
public enum Device: Hashable, Sendable, CustomStringConvertible {
    case cuda(Int)
    case openCL(Int)

    /// "cuda:0", "opencl:1"; without a number, the first.
    public init?(_ text: String) {
        guard let devices = Self.list(text), devices.count == 1 else { return nil }
        self = devices[0]
    }

    /// One or several of a kind, such as "cuda:0,1"; nil for what says no such thing, or names one twice.
    public static func list(_ text: String) -> [Device]? {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let numbers = parts.count == 1 ? ["0"] : parts[1].split(separator: ",", omittingEmptySubsequences: false)
        var devices: [Device] = []
        for text in numbers {
            guard let number = Int(text), number >= 0 else { return nil }
            switch parts[0].lowercased() {
            case "cuda": devices.append(.cuda(number))
            case "opencl": devices.append(.openCL(number))
            default: return nil
            }
        }
        return Set(devices).count == devices.count ? devices : nil
    }

    public var description: String {
        switch self {
        case .cuda(let number): "cuda:\(number)"
        case .openCL(let number): "opencl:\(number)"
        }
    }

    /// The vendors' libraries that devices are reached through.
    public enum Library: String, Hashable, Sendable, CaseIterable {
        case cuda = "CUDA"
        case openCL = "OpenCL"

        public func device(_ number: Int) -> Device {
            switch self {
            case .cuda: .cuda(number)
            case .openCL: .openCL(number)
            }
        }

        /// What the devices are called, in the order of their numbers; none is opened.
        ///
        /// - Throws: why there are none.
        public func deviceNames() throws(EngineError) -> [String] {
            switch self {
            case .cuda: try CUDA.descriptions().map(\.name)
            case .openCL: try OpenCL.deviceNames()
            }
        }
    }

    /// The device itself.
    ///
    /// - Throws: why there is none.
    func accelerator() throws(EngineError) -> any Accelerator {
        switch self {
        case .cuda(let number): try CUDA.device(number)
        case .openCL(let number): try OpenCL.device(number)
        }
    }
}

extension ExecutionOptions {
    /// The accelerators that compute: the caller's, or where the caller leaves it open, those that `KHUFU_DEVICE` names.
    package var chosenDevices: [Device] {
        get throws(EngineError) {
            guard devices.isEmpty, engine == .automatic else { return devices }
            return try Self.devicesOfEnvironment.get()
        }
    }

    private static let devicesOfEnvironment: Result<[Device], EngineError> = {
        guard let text = ProcessEnvironment.current.setting("KHUFU_DEVICE"), text != "cpu" else { return .success([]) }
        if let devices = Device.list(text) { return .success(devices) }
        return .failure(EngineError("KHUFU_DEVICE is \"\(text)\"; it may be cpu, or like cuda, cuda:1, cuda:0,1 or opencl:0."))
    }()
}

/// Where the arrays of a call are.
public enum ArrayMemory: Hashable, Sendable {
    case host
    /// In the memory of the one device that the call runs on. The call then returns when its work is queued, on the caller's stream: a
    /// `CUstream`, 0 being the default one, or a `cl_command_queue`. With 0, a call on OpenCL, which has no such stream, waits.
    case device(stream: UInt)

    var stream: UInt? { if case .device(let stream) = self { stream } else { nil } }
}

extension ExecutionOptions {
    /// Where the arrays are, and the stream; nil on the host.
    func arrayDevice() throws -> (accelerator: any Accelerator, stream: UInt)? {
        guard let stream = memory.stream else { return nil }
        guard let device, devices.count == 1 else {
            throw BindingError(
                "Arrays in a device's memory are computed with there; \(devices.isEmpty ? "no device was" : "\(devices.count) devices were") named."
            )
        }
        return (try device.accelerator(), stream)
    }
}
