import Foundation
import Kernels
import Testing

@testable import Engines

/// Work on streams: its order, its memory, and what becomes of it where something fails.
@Suite struct CUDAQueueTests {
    private static let source = "kernels add_one and copy"

    /// Numbers to the device, incremented there on one queue, copied on another, and back.
    private func roundTrip(_ device: CUDADevice, stream: UInt? = nil) throws -> [Double] {
        let program = try device.program(Self.source)
        let queue = try device.queue(stream: stream), other = try device.queue(stream: nil)
        var numbers: [Double] = [1, 2, 3, 4]
        let x = try queue.allocate(32), y = try other.allocate(32)
        try queue.upload(&numbers, to: x, at: 0, byteCount: 32)
        numbers = [0, 0, 0, 0]  // what was to be uploaded is uploaded
        try program.launch("add_one", groups: 1, threads: 4, arguments: [.buffer(x), .number(4)], on: queue)
        try other.wait(for: queue)
        try program.launch("copy", groups: 1, threads: 4, arguments: [.buffer(y), .buffer(x), .number(4)], on: other)
        try queue.wait(for: other)
        queue.release(x)
        var result = [Double](repeating: 0, count: 4)
        try other.download(y, at: 0, to: &result, byteCount: 32)
        try other.finish()
        return result
    }

    @Test func workIsDoneInOrder() throws {
        let fake = try FakeCUDA()
        #expect(try roundTrip(fake.device()) == [2, 3, 4, 5])
        let log = fake.log().filter { !$0.hasPrefix("cu") && $0 != "compile" }
        #expect(
            log.prefix(15) == [
                "load module", "create stream 1", "create stream 2", "allocate buffer 1 on stream 1",
                "allocate buffer 2 on stream 2", "upload to buffer 1 on stream 1", "synchronize stream 1",
                "launch add_one 1 x 4 on stream 1", "record event 1 on stream 1", "stream 2 waits for event 1",
                "launch copy 1 x 4 on stream 2", "record event 2 on stream 2", "stream 1 waits for event 2",
                "free buffer 1 on stream 1", "download from buffer 2 on stream 2",
            ])
        #expect(fake.leaks.isEmpty && fake.count("faults") == 0)
    }

    @Test(arguments: [0, 1])
    func theCallersStreamIsUsedAsItIs(hasPools: Int) throws {
        let fake = try FakeCUDA(["hasPools": hasPools])
        for stream in [0, fake.newStream()] {
            #expect(try roundTrip(fake.device(), stream: stream) == [2, 3, 4, 5])
            #expect(fake.leaks.isEmpty && fake.count("faults") == 0)
        }
    }

    /// A call whose arrays are on the device returns when its work is queued.
    @Test func tablesOnTheCallersStreamAreNotWaitedFor() throws {
        let fake = try FakeCUDA()
        let stream = fake.newStream()
        let queue = try fake.device().queue(stream: stream)
        let buffer = try queue.allocate(16)
        var table = [1.0, 2.0]
        try queue.upload(&table, to: buffer, at: 0, byteCount: 16)
        table = [0, 0]
        #expect(!fake.log().contains { $0.hasPrefix("synchronize") })
        try queue.download(buffer, at: 0, to: &table, byteCount: 16)
        fake.run(stream)
        #expect(table == [1, 2])
        // A large one is.
        let large = [Double](repeating: 1, count: 150_000)
        let whole = try queue.allocate(1_200_000)
        try queue.upload(large, to: whole, at: 0, byteCount: 1_200_000)
        #expect(fake.log().contains { $0.hasPrefix("synchronize") })
    }

    @Test func aCopyToTheHostIsOverBeforeItsQueueIs() throws {
        let fake = try FakeCUDA()
        let device = try fake.device()
        var result = [0.0]
        do {
            let queue = try device.queue(stream: nil)
            let buffer = try queue.allocate(8)
            try queue.upload([7.0], to: buffer, at: 0, byteCount: 8)
            try queue.download(buffer, at: 0, to: &result, byteCount: 8)
        }
        #expect(result == [7] && fake.leaks["buffers"] == nil)
    }

    @Test func partsOfABuffer() throws {
        let fake = try FakeCUDA()
        let queue = try fake.device().queue(stream: nil)
        let buffer = try queue.allocate(32)
        try queue.upload([1.0, 2, 3, 4], to: buffer, at: 0, byteCount: 32)
        try queue.upload([9.0], to: buffer, at: 16, byteCount: 8)
        var result = [0.0, 0]
        try queue.download(buffer, at: 8, to: &result, byteCount: 16)
        try queue.finish()
        #expect(result == [2, 9])
        for (offset, count) in [(25, 8), (-8, 8), (0, 33)] {
            #expect(throws: EngineError.self) { try queue.upload([1.0], to: buffer, at: offset, byteCount: count) }
        }
        let nothing = try queue.allocate(0)
        try queue.upload([1.0], to: nothing, at: 0, byteCount: 0)
        queue.release(nothing)
    }

    @Test func memoryThatIsNotReleasedGoesWithItsQueue() throws {
        let fake = try FakeCUDA()
        let device = try fake.device()
        var queue: (any AcceleratorQueue)? = try device.queue(stream: nil)
        for _ in 0..<3 { _ = try queue?.allocate(100) }
        #expect(fake.count("buffers") == 3)
        queue = nil
        #expect(fake.count("buffers") == 0 && fake.count("streams") == 1)
        // The stream is used again.
        _ = try device.queue(stream: nil)
        #expect(fake.count("streams") == 1)
    }

    @Test func withoutPoolsMemoryIsFreedAfterItsUse() throws {
        let fake = try FakeCUDA(["hasPools": 0])
        let device = try fake.device()
        var queue: (any AcceleratorQueue)? = try device.queue(stream: nil)
        let buffer = try queue!.allocate(8)
        try device.program(Self.source).launch(
            "add_one", groups: 1, threads: 1, arguments: [.buffer(buffer), .number(1)], on: queue!)
        queue!.release(buffer)
        #expect(fake.count("buffers") == 1)
        try queue!.finish()
        #expect(fake.count("buffers") == 0 && fake.count("faults") == 0)
        _ = try queue!.allocate(8)
        queue = nil
        #expect(fake.count("buffers") == 0)
    }

    @Test func manyQueuesEndWithFewStreams() throws {
        let fake = try FakeCUDA()
        var device: CUDADevice? = try fake.device()
        do {
            let queues = try (0..<40).map { _ in try device!.queue(stream: nil) }
            #expect(fake.count("streams") == queues.count)
        }
        #expect(fake.count("streams") == 16)
        device = nil
        #expect(fake.leaks.isEmpty)
    }

    // MARK: Failures

    @Test func tooMuchMemoryIsSaidInNumbers() throws {
        let fake = try FakeCUDA()
        let queue = try fake.device().queue(stream: nil)
        #expect(
            engineError { _ = try queue.allocate(5_000_000) }
                == "CUDA does not give 5000000 bytes of memory on Fake GPU, where 600000 of 4000000 are free: "
                + "out of memory (CUDA_ERROR_OUT_OF_MEMORY).")
    }

    @Test func aFaultOfAKernelIsToldAtTheEnd() throws {
        let fake = try FakeCUDA()
        let device = try fake.device()
        let queue = try device.queue(stream: nil)
        let buffer = try queue.allocate(8)
        try device.program(Self.source).launch(
            "add_one", groups: 1, threads: 1, arguments: [.buffer(buffer), .number(2)], on: queue)
        #expect(
            engineError { try queue.finish() }
                == "A kernel or a copy failed on Fake GPU: an illegal memory access was encountered (CUDA_ERROR_ILLEGAL_ADDRESS). "
                + "CUDA is of no more use to this process, which must be started again.")
    }

    /// Every call of the driver in a round trip is made to fail in turn: each failure is told, and nothing is lost.
    @Test func whereverItFailsNothingIsLost() throws {
        let callCount = try { () throws -> Int in
            let fake = try FakeCUDA()
            _ = try roundTrip(fake.device())
            return fake.count("callCount")
        }()
        #expect(callCount > 40)
        var toldCount = 0
        for call in 1...callCount {
            let fake = try FakeCUDA(["failingCall": call, "failure": 2])
            do {
                #expect(try roundTrip(fake.device()) == [2, 3, 4, 5])
            } catch let error as EngineError {
                #expect(error.description.contains("CUDA_ERROR_OUT_OF_MEMORY"), "call \(call)")
                toldCount += 1
            }
            #expect(fake.leaks.isEmpty && fake.count("faults") == 0, "call \(call): \(fake.leaks)")
        }
        // The others give something back, or switch contexts back.
        #expect(toldCount > 25)
    }

    @Test func aDriverThatIsGoneIsNoHarm() throws {
        let fake = try FakeCUDA()
        var device: CUDADevice? = try fake.device()
        var queue: (any AcceleratorQueue)? = try device?.queue(stream: nil)
        _ = try queue?.allocate(8)
        fake.set("pushStatus", 4)  // CUDA_ERROR_DEINITIALIZED, at the end of a process
        #expect(engineError { _ = try queue?.allocate(8) } == "CUDA does not switch to Fake GPU: CUDA's error 4.")
        queue = nil
        device = nil
        #expect(fake.count("depth") == 0)
    }

    @Test func queuesOfAnotherDeviceAreRefused() throws {
        let fake = try FakeCUDA(["deviceCount": 2])
        let runtime = fake.runtime()
        let first = try runtime.device(0), second = try runtime.device(1)
        let queue = try second.queue(stream: nil), other = try first.queue(stream: nil)
        let program = try first.program(Self.source)
        #expect(
            engineError { try program.launch("add_one", groups: 1, threads: 1, arguments: [], on: queue) }
                == "A kernel of Fake GPU was to run in the order of another device's queue.")
        try other.wait(for: queue)
        #expect(fake.count("events") == 0)
    }

    // MARK: Graphs

    @Test func aCallFitsIntoAGraph() throws {
        let fake = try FakeCUDA()
        let device = try fake.device(), stream = fake.newStream()
        var kept: (any AcceleratorProgram)?
        let isGood = try fake.capture(stream) {
            let queue = try device.queue(stream: stream)
            // The first call of all: what is opened and loaded now must not spoil the graph.
            kept = try device.program(Self.source)
            let buffer = try queue.allocate(8)
            try kept?.launch("add_one", groups: 1, threads: 1, arguments: [.buffer(buffer), .number(1)], on: queue)
            queue.release(buffer)
            _ = try device.queue(stream: nil)
        }
        #expect(isGood && fake.captureMode == 0)
    }

    @Test func codeThatAGraphRunsStaysLoaded() throws {
        let fake = try FakeCUDA()
        do {
            let device = try fake.device(), stream = fake.newStream()
            _ = try fake.capture(stream) {
                try device.program(Self.source).launch(
                    "add_one", groups: 1, threads: 1, arguments: [.buffer(nil), .number(0)],
                    on: try device.queue(stream: stream))
            }
        }
        #expect(fake.count("modules") == 1 && fake.count("contexts") == 1)
    }

    @Test func copiesAndWaitsAreRefusedInAGraph() throws {
        let fake = try FakeCUDA()
        let device = try fake.device(), stream = fake.newStream()
        let queue = try device.queue(stream: stream)
        let buffer = try queue.allocate(8)
        var number = 1.0
        let isGood = fake.capture(stream) {
            #expect(
                engineError { try queue.upload(&number, to: buffer, at: 0, byteCount: 8) }
                    == "A CUDA graph is being captured on this stream, and numbers cannot be copied from the host meanwhile.")
            #expect(engineError { try queue.download(buffer, at: 0, to: &number, byteCount: 8) }.contains("copied to the host"))
            #expect(engineError { try queue.finish() }.contains("waited for"))
        }
        #expect(isGood)
        let poolless = try FakeCUDA(["hasPools": 0])
        let other = try poolless.device().queue(stream: poolless.newStream())
        _ = poolless.capture((other as! CUDAQueue).stream) {
            #expect(engineError { _ = try other.allocate(8) }.contains("has no memory pools"))
        }
    }

    /// While another thread captures, this one opens devices, loads kernels and takes memory.
    @Test(arguments: [0, 1])
    func otherThreadsDoNotSpoilAGraph(hasPools: Int) throws {
        let fake = try FakeCUDA(["hasPools": hasPools])
        let captured = fake.newStream()
        var result: [Double] = []
        let isGood = try fake.capture(captured) { result = try roundTrip(fake.device()) }
        #expect(isGood && result == [2, 3, 4, 5] && fake.leaks.isEmpty)
    }
}
