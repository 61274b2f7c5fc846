import KhufuC
import KhufuHeader
import Testing

/// The C interface with engines that have devices: on OpenCL, where there is a device, and on CUDA as far as it goes without one.
@Suite struct DeviceTests {
    private static let hasOpenCL = khufu_device_count(Int32(KHUFU_OPENCL.rawValue)) > 0
    private let x: [Float] = [0, 1, 2, 3, 4, 5]  // three points of the plane
    private let y: [Float] = [1, 1, 0, 2]  // two
    private let shapes: [[Int64]] = [[3, 2], [2, 2]]
    private let sum: Handle

    init() throws { sum = try Handle(parsing: "Sum_Reduction(SqDist(x, y), 0)", ["x = Vi(2)", "y = Vj(2)"]) }

    private func options(_ engine: khufu_engine = KHUFU_OPENCL, _ change: (inout khufu_options) -> Void = { _ in })
        -> khufu_options
    {
        var options = khufu_options()
        options.engine = Int32(engine.rawValue)
        change(&options)
        return options
    }

    private func name(_ engine: khufu_engine, _ number: Int32 = 0) -> String? {
        let size = khufu_device_name(Int32(engine.rawValue), number, nil, 0)
        guard size > 0 else { return nil }
        var buffer = [CChar](repeating: 1, count: size)
        #expect(khufu_device_name(Int32(engine.rawValue), number, &buffer, size) == size)
        return String(decoding: buffer.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    private func message(_ options: khufu_options) -> String {
        do {
            _ = try sum.run([x, y], shapes, count: 3, options: options)
            return "no failure"
        } catch { return "\(error)" }
    }

    // MARK: What there is

    @Test func devicesHaveNames() {
        for engine in [KHUFU_CUDA, KHUFU_OPENCL] {
            let count = khufu_device_count(Int32(engine.rawValue))
            for number in 0..<count { #expect(name(engine, number)?.isEmpty == false) }
            #expect(name(engine, count) == nil && lastError.contains("There is no"))
            #expect(name(engine, -1) == nil)
        }
        #expect(khufu_device_count(Int32(KHUFU_CPU.rawValue)) == 0 && name(KHUFU_CPU) == nil)
        #expect(lastError == "Engines with devices are CUDA and OpenCL, 3 and 4; 1 came.")
    }

    @Test func theDiagnosisHasDevices() {
        var buffer = [CChar](repeating: 1, count: khufu_diagnosis(nil, 0))
        _ = khufu_diagnosis(&buffer, buffer.count)
        let lines = String(decoding: buffer.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self).split(separator: "\n")
        for (engine, word) in [(KHUFU_CUDA, "cuda"), (KHUFU_OPENCL, "opencl")] {
            let own = lines.filter { $0.lowercased().hasPrefix(word) }
            #expect(own.count == max(1, Int(khufu_device_count(Int32(engine.rawValue)))))
        }
    }

    // MARK: Runs

    @Test(.enabled(if: hasOpenCL, "there is no OpenCL device")) func hostArraysAreCopied() throws {
        #expect(try sum.run([x, y], shapes, count: 3, options: options()).values == [2, 10, 50])
        let gradient = try Handle({ khufu_reduction_gradient(sum.pointer, 1, $1) }, from: [])
        let arrays = [x, y, [1, 10, 100]]
        let expected = try gradient.run(arrays, shapes + [[3, 1]], count: 4).values
        #expect(try gradient.run(arrays, shapes + [[3, 1]], count: 4, options: options()).values == expected)
        let nearest = try Handle(parsing: "Min_ArgMin_Reduction(SqDist(x, y), 0)", ["x = Vi(2)", "y = Vj(2)"])
        let result = try nearest.run([x, y], shapes, count: 3, indexCount: 3, options: options())
        #expect(result.values == [1, 5, 25] && result.indices == [0, 0, 0])
    }

    @Test(.enabled(if: hasOpenCL, "there is no OpenCL device")) func systemsAreSolvedThere() throws {
        let points: [Float] = [0, 0.3, 1, 1.7], b: [Float] = [1, 2, 3, 4]
        let sum = try Handle(parsing: "Sum_Reduction(Exp(-SqDist(x, y)) * b, 0)", ["x = Vi(1)", "y = Vj(1)", "b = Vj(1)"])
        var settings = khufu_solver_settings()
        settings.alpha = 0.1
        func solution(_ options: khufu_options) throws -> [Float] {
            var solution = [Float](repeating: .nan, count: 4), options = options
            try withArrays([points, points, b], [[4, 1], [4, 1], [4, 1]]) { arrays in
                try succeeded(khufu_solve(sum.pointer, arrays.baseAddress, 3, 2, &settings, &options, &solution))
            }
            return solution
        }
        let expected = try solution(khufu_options())
        for (value, other) in zip(try solution(options()), expected) { #expect(abs(value - other) < 1e-3) }
        #expect(throws: InterfaceError.self) { try solution(options { $0.memory = 1 }) }
        #expect(lastError == "Systems are solved with arrays on the host; these are on a device.")
    }

    @Test(.enabled(if: hasOpenCL, "there is no OpenCL device")) func memoryIsToldAndLimited() throws {
        let rows = 5_000
        let many = [Float](repeating: 1, count: 2 * rows)
        func bytes(_ options: khufu_options, of reduction: Handle, _ shapes: [[Int64]]) throws -> Int64 {
            var bytes: Int64 = -1, options = options
            try withArrays([many, many, many], shapes) { arrays in
                try succeeded(
                    khufu_reduction_device_memory(
                        reduction.pointer, arrays.baseAddress, Int32(shapes.count), &options, &bytes, 1))
            }
            return bytes
        }
        let shapes = [[Int64(rows), 2], [Int64(rows), 2]]
        #expect(try bytes(options(), of: sum, shapes) >= 4 * 5 * 5_000)
        #expect(try bytes(options { $0.device_memory_limit = 50_000 }, of: sum, shapes) <= 50_000)
        // On the device, only what is computed on the way is counted.
        #expect(try bytes(options { $0.memory = 1 }, of: sum, shapes) < 4 * 5 * 5_000)
        let gradient = try Handle({ khufu_reduction_gradient(sum.pointer, 1, $1) }, from: [])
        #expect(try bytes(options(), of: gradient, shapes + [[Int64(rows), 1]]) > 4 * 5 * 5_000)
        let limited = try sum.run([many, many], shapes, count: rows, options: options { $0.device_memory_limit = 50_000 })
        #expect(limited.values == [Float](repeating: 0, count: rows))
    }

    // MARK: Mistakes

    @Test func mistakesAreSentences() {
        #expect(message(options { $0.engine = 5 }) == "An engine is 0 to 4: automatic, CPU, interpreter, CUDA, OpenCL; 5 came.")
        #expect(message(options { $0.memory = 2 }) == "Memory is 0 or 1: the host's, the device's; 2 came.")
        #expect(
            message(options { $0.stream = UnsafeMutableRawPointer(bitPattern: 64) })
                == "A stream is that of arrays on a device; these are on the host.")
        #expect(message(options { $0.device_memory_limit = -1 }).contains("or more; -1 came."))
        #expect(message(options { $0.device_count = 1 }) == "devices has a count of 1 and is NULL.")
        let inMemory = "Arrays on a device are computed with there, by one device of CUDA's or OpenCL's; "
        #expect(message(options(KHUFU_CPU) { $0.memory = 1 }) == inMemory + "0 came.")
        func failure(_ engine: khufu_engine, devices: [Int32], memory: Int32 = 0) -> String {
            devices.withUnsafeBufferPointer { devices in
                message(
                    options(engine) {
                        ($0.devices, $0.device_count, $0.memory) = (devices.baseAddress, Int32(devices.count), memory)
                    })
            }
        }
        #expect(failure(KHUFU_AUTOMATIC, devices: [0]).contains("CUDA or OpenCL, 3 or 4; engine 0 came."))
        #expect(failure(KHUFU_CUDA, devices: [-1]) == "Devices are numbered from 0; -1 came.")
        #expect(failure(KHUFU_OPENCL, devices: [0, 1], memory: 1) == inMemory + "2 came.")
        for engine in [KHUFU_CUDA, KHUFU_OPENCL] {
            #expect(failure(engine, devices: [99]).hasPrefix("There is no "))
        }
    }
}
