import Kernels
import Testing

@testable import Engines

/// What is OpenCL's own; what kernels compute there is compared with the oracle elsewhere.
@Suite(.enabled(if: OpenCL.deviceCount > 0, "there is no OpenCL device"))
struct OpenCLTests {
    // MARK: Shared memory

    @Test func sharedMemoryIsAnArgument() throws {
        let device = try OpenCL.device(0)
        let program = try device.program(
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
}
