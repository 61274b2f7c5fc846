/// A version of CUDA, such as 12.4.
struct CUDAVersion: Hashable, Comparable, Sendable, CustomStringConvertible {
    var major: Int
    var minor: Int

    var description: String { "\(major).\(minor)" }

    static func < (left: CUDAVersion, right: CUDAVersion) -> Bool {
        (left.major, left.minor) < (right.major, right.minor)
    }
}

/// What a device can do, as CUDA numbers it: 9.0 for an H100.
struct ComputeCapability: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// 90 for 9.0, as in `sm_90`.
    var number: Int

    var description: String { "\(number / 10).\(number % 10)" }

    static func < (left: ComputeCapability, right: ComputeCapability) -> Bool { left.number < right.number }
}

/// What kernels are compiled to for a device.
enum CUDATarget: Hashable, Sendable {
    /// The device's own instructions.
    case machineCode(ComputeCapability)
    /// PTX, which the driver compiles on when it is loaded: for devices newer than the compiler.
    case intermediate(ComputeCapability)

    /// The best that a compiler can do for a device; nil where it can do nothing.
    init?(for device: ComputeCapability, compilerSupports supported: [ComputeCapability]) {
        if supported.contains(device) {
            self = .machineCode(device)
        } else if let older = supported.filter({ $0 < device }).max() {
            self = .intermediate(older)
        } else {
            return nil
        }
    }

    /// The compiler's option.
    var option: String {
        switch self {
        case .machineCode(let capability): "--gpu-architecture=sm_\(capability.number)"
        case .intermediate(let capability): "--gpu-architecture=compute_\(capability.number)"
        }
    }
}
