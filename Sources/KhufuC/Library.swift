import Engines
import KhufuHeader

@c @implementation
public func khufu_abi_version() -> Int32 {
    Forks.areWatched
    return KHUFU_ABI_VERSION
}

/// Never freed: callers keep the pointer.
nonisolated(unsafe) private let versionText: UnsafePointer<CChar> = {
    let bytes = "0.1.0".utf8CString
    let memory = UnsafeMutablePointer<CChar>.allocate(capacity: bytes.count)
    for (k, byte) in bytes.enumerated() { memory[k] = byte }
    return UnsafePointer(memory)
}()

@c @implementation
public func khufu_version() -> UnsafePointer<CChar>! { versionText }

@c @implementation
public func khufu_diagnosis(_ buffer: UnsafeMutablePointer<CChar>!, _ capacity: Int) -> Int {
    write(diagnosis(), to: buffer, capacity: capacity)
}

private func diagnosis() -> String {
    let cache = KernelCache.shared
    var lines = ["processor: \(Processor.host.modelName), \(ThreadPool.defaultThreadCount) threads"]
    do {
        lines.append("instructions: \(try cache.instructionSet)")
        lines.append("compiled kernels: \(try cache.folder.path)")
        let candidates = try cache.candidates()
        for candidate in candidates { lines.append("compiler: \(candidate)") }
        if !candidates.contains(where: { if case .taken = $0.verdict { true } else { false } }) {
            lines.append("compiler: none that works; formulas are interpreted")
        }
    } catch {
        lines.append("compiler: none; formulas are interpreted. \(error)")
    }
    for library in Device.Library.allCases {
        do {
            for (number, name) in try library.deviceNames().enumerated() { lines.append("\(library.device(number)): \(name)") }
        } catch {
            lines.append("\(library.rawValue): none. \(error)")
        }
    }
    return lines.joined(separator: "\n")
}

// MARK: - Devices

@c @implementation
public func khufu_device_count(_ engine: Int32) -> Int32 {
    Forks.areWatched
    return Int32(((try? names(engine)) ?? []).count)
}

@c @implementation
public func khufu_device_name(_ engine: Int32, _ number: Int32, _ buffer: UnsafeMutablePointer<CChar>!, _ capacity: Int) -> Int {
    var size = 0
    _ = reporting {
        let names = try names(engine)
        guard names.indices.contains(Int(number)) else {
            throw EngineError("There is no device \(number); the engine has \(names.count), numbered from 0.")
        }
        size = write(names[Int(number)], to: buffer, capacity: capacity)
    }
    return size
}

private func names(_ engine: Int32) throws -> [String] {
    guard let library = Device.Library(engine: engine) else {
        throw BindingError("Engines with devices are CUDA and OpenCL, 3 and 4; \(engine) came.")
    }
    return try library.deviceNames()
}
