import Formulas
import Kernels
import Testing

@testable import Engines

/// What is OpenCL's own; what kernels compute there is compared with the oracle elsewhere.
@Suite(.enabled(if: OpenCL.deviceCount > 0, "there is no OpenCL device"))
struct OpenCLTests {
    // MARK: Shared memory

    @Test func sharedMemoryIsAnArgument() throws {
        let device = try OpenCL.device(0)
        let program = device.program(
            """
            __kernel void reversed(__global long *x, __local long *shared) {
                size_t k = get_local_id(0), n = get_local_size(0);
                shared[k] = x[k];
                barrier(CLK_LOCAL_MEM_FENCE);
                x[k] = shared[n - 1 - k];
            }
            """)
        let queue = try device.queue(stream: nil)
        let buffer = try queue.allocate(64 * 8)
        defer { queue.release(buffer) }
        var numbers = (0..<64).map { Int64($0) }
        try queue.upload(numbers, to: buffer, at: 0, byteCount: 64 * 8)
        func launch(_ byteCount: Int) throws {
            try program.launch(
                "reversed", groups: 1, threads: 64, sharedByteCount: byteCount, arguments: [.buffer(buffer)], on: queue)
        }
        try launch(64 * 8)
        try queue.download(buffer, at: 0, to: &numbers, byteCount: 64 * 8)
        try queue.finish()
        #expect(numbers == (0..<64).reversed().map { Int64($0) })
        let most = device.properties.target.largestSharedByteCount
        #expect(
            engineError { try launch(most + 1) }
                == "A group of reversed shares at most \(most) bytes on \(device.properties.name); 0 declared and \(most + 1) asked for came."
        )
    }

    // MARK: Arrays of the caller's

    /// What a caller has of OpenCL: a context, a queue and buffers of its own.
    private final class Caller {
        let device: OpenCLDevice
        let context: OpenCLLibrary.Object
        let queue: OpenCLLibrary.Object

        init(isInOrder: Bool = true) throws {
            device = try OpenCL.device(0)
            var status: OpenCLLibrary.Status = 0
            var devices: [OpenCLLibrary.Object?] = [device.handle.object]
            context = try #require(device.library.createContext(nil, 1, &devices, nil, nil, &status))
            queue = try #require(
                device.library.createCommandQueue(context, device.handle.object, isInOrder ? 0 : CLConstant.outOfOrder, &status))
        }

        deinit { _ = device.library.releaseCommandQueue(queue) }

        var stream: UInt { UInt(bitPattern: queue) }

        func buffer(_ numbers: [Float], byteCount: Int? = nil) throws -> UnsafeRawPointer {
            var status: OpenCLLibrary.Status = 0
            let buffer = try #require(
                device.library.createBuffer(context, CLConstant.readWrite, byteCount ?? 4 * numbers.count, nil, &status))
            if byteCount == nil {
                try #require(
                    device.library.enqueueWrite(queue, buffer, 1, 0, 4 * numbers.count, numbers, 0, nil, nil) == 0)
            }
            return UnsafeRawPointer(buffer)
        }

        func numbers(_ buffer: UnsafeRawPointer, count: Int) throws -> [Float] {
            var numbers = [Float](repeating: .nan, count: count)
            try #require(
                device.library.enqueueRead(queue, OpaquePointer(buffer), 1, 0, 4 * count, &numbers, 0, nil, nil) == 0)
            return numbers
        }
    }

    private let sum: CompiledReduction
    private let x: [Float] = [0, 1, 2, 3, 4, 5]  // three points of the plane
    private let y: [Float] = [1, 1, 0, 2]  // two

    init() throws {
        let declarations = try Declaration.list(parsing: ["x = Vi(2)", "y = Vj(2)"])
        sum = try CompiledReduction(
            try Reduction(parsing: "Sum_Reduction(SqDist(x, y), 0)", declarations: declarations), declarations: declarations)
    }

    private func run(_ x: UnsafeRawPointer, _ y: UnsafeRawPointer, into values: UnsafeRawPointer, on stream: UInt) throws {
        var options = ExecutionOptions(devices: [.openCL(0)])
        options.memory = .device(stream: stream)
        try sum.run(
            [InputArray(x, type: .float32, shape: [3, 2]), InputArray(y, type: .float32, shape: [2, 2])], options: options,
            values: UnsafeMutableRawBufferPointer(start: UnsafeMutableRawPointer(mutating: values), count: 12),
            indices: .init(start: nil, count: 0))
    }

    /// Calls from several contexts in turn, more than programs are kept for.
    @Test func theCallersContextIsUsed() throws {
        let callers = try (0..<6).map { _ in try Caller() }
        for caller in callers + callers {
            let result = try caller.buffer([0, 0, 0])
            try run(try caller.buffer(x), try caller.buffer(y), into: result, on: caller.stream)
            #expect(try caller.numbers(result, count: 3) == [2, 10, 50])
        }
    }

    @Test func derivativesAreComputedInTheCallersContext() throws {
        let caller = try Caller()
        let gradient = try CompiledExpression(of: sum).gradient(withRespectTo: 1)
        var options = ExecutionOptions(devices: [.openCL(0)])
        options.memory = .device(stream: caller.stream)
        let result = try caller.buffer([0, 0, 0, 0])
        let arrays = try [(x, [3, 2]), (y, [2, 2]), ([1, 10, 100], [3, 1])].map { numbers, shape in
            InputArray(try caller.buffer(numbers), type: .float32, shape: shape)
        }
        try gradient.run(
            arrays, options: options,
            values: UnsafeMutableRawBufferPointer(
                start: UnsafeMutableRawPointer(mutating: result.assumingMemoryBound(to: Float.self)), count: 16))
        // Σ_i 2 (y_j - x_i) c_i
        var expected = [Float](repeating: 0, count: 4)
        for (i, c) in [Float(1), 10, 100].enumerated() {
            for place in 0..<4 { expected[place] += 2 * (y[place] - x[2 * i + place % 2]) * c }
        }
        #expect(try caller.numbers(result, count: 4) == expected)
    }

    @Test func whatIsNoBufferIsToldOf() throws {
        let caller = try Caller(), other = try Caller()
        let points = try caller.buffer(x), columns = try caller.buffer(y), result = try caller.buffer([0, 0, 0])
        func message(_ columns: UnsafeRawPointer, on stream: UInt? = nil) -> String {
            bindingError { try run(points, columns, into: result, on: stream ?? caller.stream) }
        }
        let isNone = "y = Vj(1,2) is a buffer of OpenCL's, a cl_mem; another address came."
        let host = UnsafeMutableRawPointer.allocate(byteCount: 4_096, alignment: 64)
        host.initializeMemory(as: UInt8.self, repeating: 0, count: 4_096)
        defer { host.deallocate() }
        for address: UInt in [8, 0x1001, 0xdead_beef_0000, UInt(bitPattern: host), UInt.max - 7] {
            #expect(message(UnsafeRawPointer(bitPattern: address)!) == isNone)
        }
        #expect(message(UnsafeRawPointer(caller.queue)).hasPrefix("y = Vj(1,2) is a buffer of OpenCL's, a cl_mem; another "))
        #expect(
            message(try other.buffer(y)) == "y = Vj(1,2) is a buffer of another context than the command queue's.")
        #expect(message(try caller.buffer([1])) == "y = Vj(1,2) has 16 bytes; the buffer that came has 4.")
        #expect(
            bindingError { try run(points, columns, into: try caller.buffer([0]), on: caller.stream) }
                == "The place for the values has 12 bytes; the buffer that came has 4.")
        #expect(
            message(columns, on: 0)
                == "x = Vi(0,2) is a buffer of a context of the caller's; the stream then is a command queue of that context, and none came."
        )
        try run(points, columns, into: result, on: caller.stream)
        #expect(try caller.numbers(result, count: 3) == [2, 10, 50])
    }

    @Test func whatIsNoQueueIsToldOf() throws {
        let caller = try Caller(), unordered = try Caller(isInOrder: false)
        let points = try caller.buffer(x), columns = try caller.buffer(y), result = try caller.buffer([0, 0, 0])
        func message(_ stream: UInt) -> String {
            bindingError { try run(points, columns, into: result, on: stream) }
        }
        let host = [UInt](repeating: 0, count: 64)
        let isNone = "The stream of arrays in OpenCL's memory is a cl_command_queue; another address came."
        #expect(message(8) == isNone && message(0x1003) == isNone)
        host.withUnsafeBytes { #expect(message(UInt(bitPattern: $0.baseAddress!)) == isNone) }
        #expect(message(unordered.stream) == "A call takes a command queue that works in order; one that is out of order came.")
        if OpenCL.deviceCount > 1 {
            let queue = try OpenCL.device(1).queue(stream: nil)
            #expect(
                message(queue.stream).hasPrefix(
                    "A call on \(caller.device.properties.name) takes a command queue of that device;"))
        }
    }
}
