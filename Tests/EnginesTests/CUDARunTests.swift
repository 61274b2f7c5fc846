import Formulas
import Kernels
import Testing

@testable import Engines

/// Whole calls on CUDA as the driver sees them: what they leave behind, and several devices.
@Suite struct CUDARunTests {
    private static let rows = 2_000, columns = 900

    private struct Call {
        let compiled: CompiledReduction
        let kernels: [AcceleratorKernel]
        let x = [Float](repeating: 1, count: 3 * rows), y = [Float](repeating: 1, count: 3 * columns)
        let b = [Float](repeating: 1, count: columns)

        init(_ text: String = "Exp(-SqDist(Var(0,3,0),Var(1,3,1)))*Var(2,1,1)", on devices: [CUDADevice]) throws {
            let reduction = try Reduction(.sum, of: Formula(parsing: text))
            compiled = try CompiledReduction(reduction)
            kernels = try devices.map { device in
                try AcceleratorKernel(
                    reduction, precision: Precision(storage: .float32), squaredDistances: .direct, for: device.properties.target,
                    on: device)
            }
        }

        /// Runs on each device, at the same time, its share of the rows.
        func run(_ memory: ArrayMemory = .host, limit: Int? = nil) throws {
            var result = [Float](repeating: 0, count: rows)
            try x.withUnsafeBytes { x in
                try y.withUnsafeBytes { y in
                    try b.withUnsafeBytes { b in
                        let inputs = [(x, [rows, 3]), (y, [columns, 3]), (b, [columns, 1])].map {
                            InputArray($0.baseAddress!, type: .float32, shape: $1)
                        }
                        let binding = try compiled.bound(to: inputs).binding
                        try result.withUnsafeMutableBytes { result in
                            let output = Output(values: result.baseAddress!, indices: nil)
                            let count = kernels.count
                            let runs = kernels.enumerated().map { number, kernel in
                                AcceleratorRun(
                                    kernel: kernel, binding: binding, sparsity: nil, memory: memory,
                                    rows: rows * number / count..<rows * (number + 1) / count, columns: 0..<columns,
                                    memoryLimit: limit, output: .results(output), progress: nil)
                            }
                            nonisolated(unsafe) var failures = [EngineError?](repeating: nil, count: count)
                            ThreadPool.shared.run(count: count, threads: count) { number in
                                do throws(EngineError) { try runs[number].carryOut() } catch { failures[number] = error }
                            }
                            if let failure = failures.compactMap({ $0 }).first { throw failure }
                        }
                    }
                }
            }
        }
    }

    @Test func manyCallsLeaveNothingBehind() throws {
        let fake = try FakeCUDA()
        do {
            let call = try Call(on: [fake.device()])
            try call.run()
            let streams = fake.count("streams"), modules = fake.count("modules")
            for number in 0..<60 {
                try call.run(limit: number.isMultiple(of: 3) ? 30_000 : nil)
                #expect(fake.count("buffers") == 0 && fake.count("events") == 0 && fake.count("depth") == 0)
            }
            // Pieces take turns on two.
            #expect(fake.count("streams") <= streams + 1 && fake.count("modules") <= modules + 1)
        }
        #expect(fake.leaks.isEmpty && fake.count("faults") == 0)
    }

    /// On the caller's stream nothing is waited for, and nothing of ours is there when its work is done.
    @Test(arguments: [0, 1]) func theCallersStreamIsLeftAsItWas(hasPools: Int) throws {
        let fake = try FakeCUDA(["hostIsDevice": 1, "hasPools": hasPools])
        do {
            let call = try Call(on: [fake.device()])
            let stream = fake.newStream()
            for _ in 0..<20 { try call.run(.device(stream: stream)) }
            let log = fake.log()
            #expect(log.count { $0.hasPrefix("launch khufu_rows") && $0.contains("on stream 1") } == 20)
            // Without pools memory can only be given back when its use is over.
            #expect(hasPools == 0 || !log.contains { $0.hasPrefix("synchronize") || $0.hasPrefix("create stream") })
            fake.run(stream)
            #expect(fake.count("buffers") == 0 && fake.count("faults") == 0)
        }
        #expect(fake.leaks.isEmpty)
    }

    /// Code is compiled once for devices that are alike, and loaded once for each device and formula.
    @Test func oneModuleForEachDeviceAndFormula() throws {
        let fake = try FakeCUDA(["deviceCount": 2])
        let runtime = fake.runtime()
        let devices = try [runtime.device(0), runtime.device(1)]
        for _ in 0..<3 {
            for text in ["SqDist(Var(0,3,0),Var(1,3,1))*Var(2,1,1)", "Exp(-SqDist(Var(0,3,0),Var(1,3,1)))*Var(2,1,1)"] {
                try Call(text, on: devices).run()
            }
        }
        let log = fake.log()
        #expect(fake.count("contexts") == 2)
        let compiled = log.count { $0 == "compile" }
        #expect(log.count { $0 == "load module" } == 2 * compiled)
        // Of each formula one program for pairs; few rows per device may split columns, and merging is another for both.
        #expect(2...3 ~= compiled)
    }

    /// The driver refuses what is another device's, and so would show a mix-up.
    @Test func severalDevicesShareACall() throws {
        let fake = try FakeCUDA(["deviceCount": 3])
        do {
            let runtime = fake.runtime()
            let call = try Call(on: try (0..<3).map { try runtime.device($0) })
            for limit in [nil, 30_000] {
                for _ in 0..<10 { try call.run(limit: limit) }
            }
            #expect(fake.count("faults") == 0 && fake.count("buffers") == 0 && fake.count("events") == 0)
            let log = fake.log()
            let streams = Set(log.filter { $0.hasPrefix("launch khufu_rows") }.map { $0.split(separator: " ").last! })
            #expect(streams.count >= 3)
        }
        #expect(fake.leaks.isEmpty)
    }

    @Test func aMixUpOfDevicesWouldShow() throws {
        let fake = try FakeCUDA(["deviceCount": 2])
        let runtime = fake.runtime()
        let queue = try runtime.device(0).queue(stream: nil), other = try runtime.device(1).queue(stream: nil)
        let foreign = try other.allocate(8_000)
        let call = try Call(on: [runtime.device(0)])
        var arrays = AcceleratorKernel.Arrays(items: 1, rows: 10, columns: 10, inputs: Array(repeating: foreign, count: 3))
        arrays.values = foreign
        try call.kernels[0].reduce(arrays, on: queue)
        #expect(throws: EngineError.self) { try queue.finish() }
        #expect(fake.count("faults") > 0)
    }
}
