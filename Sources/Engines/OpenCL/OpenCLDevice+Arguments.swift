import Synchronization

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

// What callers hand over as a queue or as memory. The library crashes on addresses that are no objects of its own, so these are looked
// at before it is asked.
extension OpenCLDevice {
    /// Refuses what is no queue of this device's that works in order; 0 is none.
    func requireOwn(stream: UInt) throws(BindingError) {
        guard stream != 0 else { return }
        guard isObject(stream), let queue = OpenCLLibrary.Object(bitPattern: stream),
            let device = library.object(CLConstant.queueDevice, ofQueue: queue)
        else { throw BindingError("The stream of arrays in OpenCL's memory is a cl_command_queue; another address came.") }
        guard device == handle.object else {
            let name = library.text { library.getDeviceInfo(device, CLConstant.deviceName, $0, $1, $2) }
            throw BindingError(
                "A call on \(properties.name) takes a command queue of that device; one of another, \(name), came.")
        }
        var properties: UInt64 = 0
        let status = library.getQueueInfo(
            queue, CLConstant.queueProperties, MemoryLayout<UInt64>.size, &properties, nil)
        guard status == 0, properties & CLConstant.outOfOrder == 0 else {
            throw BindingError("A call takes a command queue that works in order; one that is out of order came.")
        }
    }

    /// Refuses what is no buffer that a kernel can be given on a queue.
    func requireOwn(_ address: UInt, byteCount: Int, of owner: String, on stream: UInt) throws {
        guard isObject(address), let memory = OpenCLLibrary.Object(bitPattern: address) else {
            throw BindingError("\(owner) is a buffer of OpenCL's, a cl_mem; another address came.")
        }
        var kind: UInt32 = 0
        var size = 0
        guard library.getMemoryInfo(memory, CLConstant.memoryKind, MemoryLayout<UInt32>.size, &kind, nil) == 0,
            kind == CLConstant.buffer,
            library.getMemoryInfo(memory, CLConstant.memorySize, MemoryLayout<Int>.size, &size, nil) == 0,
            let context = library.object(CLConstant.memoryContext, ofMemory: memory)
        else { throw BindingError("\(owner) is a buffer of OpenCL's, a cl_mem; another object of OpenCL's came.") }
        let queue = OpenCLLibrary.Object(bitPattern: stream)
        let expected = if let queue { library.object(CLConstant.queueContext, ofQueue: queue) } else { try usedContext() }
        guard context == expected else {
            throw BindingError(
                queue == nil
                    ? "\(owner) is a buffer of a context of the caller's; the stream then is a command queue of that context, and none came."
                    : "\(owner) is a buffer of another context than the command queue's.")
        }
        guard size >= byteCount else {
            throw BindingError("\(owner) has \(byteCount) bytes; the buffer that came has \(size).")
        }
    }

    /// Whether an address is that of an object of the device's platform: those begin with the address of the platform's functions, which the
    /// loader calls (cl_khr_icd).
    private func isObject(_ address: UInt) -> Bool {
        guard address % UInt(MemoryLayout<UInt>.alignment) == 0, let first = ReadableMemory.word(at: address) else {
            return false
        }
        #if canImport(Darwin)
        return true
        #else
        return first == ReadableMemory.word(at: UInt(bitPattern: handle.object))
        #endif
    }
}

/// Memory that is read by the kernel on our behalf, which answers where we would be stopped.
private enum ReadableMemory {
    private final class Pipe: Sendable {
        let ends: Mutex<(read: Int32, write: Int32)?>

        init() {
            var ends: [Int32] = [-1, -1]
            self.ends = Mutex(pipe(&ends) == 0 ? (ends[0], ends[1]) : nil)
            for end in ends where end >= 0 { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        }
    }

    private static let pipeOfProcess = PerProcess { Pipe() }

    /// The word at an address; nil where there is no memory, or it cannot be found out.
    static func word(at address: UInt) -> UInt? {
        guard let pointer = UnsafeRawPointer(bitPattern: address) else { return nil }
        let size = MemoryLayout<UInt>.size
        return pipeOfProcess.value.ends.withLock { ends in
            guard let ends, retryingInterrupted({ write(ends.write, pointer, size) }) == size else { return nil }
            var word: UInt = 0
            guard retryingInterrupted({ read(ends.read, &word, size) }) == size else { return nil }
            return word
        }
    }
}
