import Foundation
import Kernels
import Synchronization
import Testing

@testable import Engines

@Suite struct CUDADeviceTests {
    private static let source = "extern \"C\" __global__ void add_one(double *x, long long n) { }"

    // MARK: Devices

    @Test func theDeviceIsDescribed() throws {
        let fake = try FakeCUDA()
        let properties = try fake.device().properties
        #expect(
            properties
                == AcceleratorProperties(
                    name: "Fake GPU",
                    target: AcceleratorTarget(
                        .cuda, sharedByteCount: 49152, largestSharedByteCount: 232_448, hasTensorCores: true),
                    unitCount: 132, memoryByteCount: 4_000_000, largestGroup: 1024, hasFloat64: true))
    }

    @Test func devicesThatAreNotThere() throws {
        let fake = try FakeCUDA()
        let runtime = fake.runtime()
        #expect(engineError { _ = try runtime.device(1) } == "There is no CUDA device 1; the only one is number 0.")
        #expect(engineError { _ = try runtime.device(-1) }.hasPrefix("There is no CUDA device -1"))
        #expect(try runtime.device(0) === runtime.device(0))
        let none = try FakeCUDA(["deviceCount": 0])
        #expect(engineError { _ = try none.device() } == "There is no CUDA device 0; the driver finds none.")
        let broken = try FakeCUDA(["initStatus": 100])
        #expect(
            engineError { _ = try broken.device() }
                == "There is no CUDA device that works: no CUDA-capable device is detected (CUDA_ERROR_NO_DEVICE).")
        let strange = try FakeCUDA(["initStatus": 999])
        #expect(engineError { _ = try strange.device() } == "There is no CUDA device that works: CUDA's error 999.")
    }

    @Test func theReport() throws {
        let fake = try FakeCUDA(["deviceCount": 2])
        let report = CUDAReport(fake.runtime(), environment: fake.environment())
        let devices = try report.devices.get()
        #expect(devices.map(\.number) == [0, 1] && devices.allSatisfy { $0.obstacle == nil && $0.capability == "9.0" })
        #expect(fake.leaks.isEmpty && fake.log() == ["cuInit", "compile", "compile"])  // no device was opened
        fake.set("capability", 61)
        #expect(try CUDAReport(fake.runtime(), environment: fake.environment()).devices.get()[0].obstacle != nil)
        let none = CUDAReport(
            CUDARuntime(environment: ["KHUFU_LIBCUDA": "/nowhere"]), environment: ["KHUFU_LIBCUDA": "/nowhere"])
        #expect(throws: EngineError.self) { try none.devices.get() }
    }

    @Test func aForkedChildIsToldSo() throws {
        let fake = try FakeCUDA()
        // Its driver answers so where the parent has started CUDA.
        fake.set("initStatus", 3)
        #expect(engineError { _ = try fake.device() }.contains("forked"))

        fake.set("initStatus", 0)
        let library = try CUDADriver(try SharedLibrary(path: fake.path))
        _ = library.cuInit(0)
        do {
            let context = try CUDAContext(library, try CUDADescription(library, number: 0), process: getpid() + 1)
            let message = engineError { try context.use {} }
            #expect(message.hasPrefix("CUDA was started before this process was forked"))
            context.tidy { Issue.record("must not be done in a forked child") }
        }
        #expect(fake.leaks == ["contexts": 1])  // it is the parent's
    }

    // MARK: Programs

    @Test func programsAreCompiledOnceAndKept() throws {
        let fake = try FakeCUDA()
        let device = try fake.device()
        let program = try device.program(Self.source)
        #expect(try device.program(Self.source) === program)
        #expect(fake.log().filter { $0 == "compile" }.count == 1 && fake.count("modules") == 1)
        // The next process finds it in the folder.
        _ = try fake.device().program(Self.source)
        #expect(fake.log() == ["cuInit", "load module", "unload module"])
        // Other devices, and other compilers, make their own.
        fake.set("capability", 80)
        _ = try fake.device().program(Self.source)
        fake.set("nvrtcMinor", 6)
        _ = try fake.device().program(Self.source)
        #expect(fake.log().filter { $0 == "compile" }.count == 2)
        let files = try FileManager.default.contentsOfDirectory(atPath: fake.scratch.path + "/cache")
        #expect(files.filter { $0.hasSuffix(".device") }.count == 3)
    }

    @Test func whatIsKeptIsGuarded() throws {
        let fake = try FakeCUDA()
        _ = try fake.device().program(Self.source)
        let cache = fake.scratch.path + "/cache"
        let name = try #require(names(inFolder: cache).first { $0.hasSuffix(".device") })
        let file = "\(cache)/\(name)"
        let whole = try Data(contentsOf: URL(fileURLWithPath: file))
        try whole.prefix(whole.count / 2).write(to: URL(fileURLWithPath: file))
        _ = try fake.device().program(Self.source)
        #expect(try Data(contentsOf: URL(fileURLWithPath: file)) == whole)
        chmod(file, 0o777)
        _ = fake.log()
        _ = try fake.device().program(Self.source)
        #expect(fake.log().contains("compile"))
        #expect(try KernelCache(environment: fake.environment()).clear().files == 1)
    }

    @Test func withNoFolderKernelsAreStillCompiled() throws {
        let fake = try FakeCUDA()
        let runtime = fake.runtime(["KHUFU_CACHE_DIR": "/dev/null/x", "TMPDIR": "/dev/null/y", "KHUFU_SIMD": "nonsense"])
        _ = try runtime.device(0).program(Self.source)
    }

    @Test func oneCompilationForManyThreads() throws {
        let fake = try FakeCUDA()
        let device = try fake.device()
        let right = Atomic(0)
        onThreads(16) { _ in
            if (try? device.program(Self.source)) != nil { right.add(1, ordering: .relaxed) }
        }
        #expect(right.load(ordering: .relaxed) == 16 && fake.count("modules") == 1 && fake.count("depth") == 0)
    }

    @Test func mistakesInAKernelAreTold() throws {
        let fake = try FakeCUDA()
        let device = try fake.device()
        #expect(
            engineError { _ = try device.program("#error") }
                == "NVRTC 12.8 did not compile a kernel with --gpu-architecture=sm_90: NVRTC_ERROR_COMPILATION\n"
                + "kernel.cu(1): error: #error")
        #expect(fake.count("programs") == 0)
        let program = try device.program(Self.source)
        let queue = try device.queue(stream: nil)
        #expect(
            engineError { try program.launch("nothing", groups: 1, threads: 1, arguments: [], on: queue) }
                == "A kernel for Fake GPU has no entry nothing: named symbol not found (CUDA_ERROR_NOT_FOUND).")
        #expect(
            engineError { try program.launch("add_one", groups: 1 << 31, threads: 1, arguments: [], on: queue) }
                .contains("more than a grid of CUDA has"))
        #expect(throws: EngineError.self) {
            try program.launch("add_one", groups: 1, threads: 2000, arguments: [.buffer(nil), .number(0)], on: queue)
        }
    }

    // MARK: Shared memory

    /// Beyond 48 KB a function must be allowed what its launches ask for, once.
    @Test func sharedMemoryIsAskedForAtTheLaunch() throws {
        let fake = try FakeCUDA(["ownShared": 8_192])
        let device = try fake.device()
        let program = try device.program(Self.source), queue = try device.queue(stream: nil)
        func launch(_ byteCount: Int) throws {
            try program.launch(
                "add_one", groups: 1, threads: 1, sharedByteCount: byteCount, arguments: [.buffer(nil), .number(0)], on: queue)
        }
        for byteCount in [0, 40_960, 40_961, 224_256, 100_000] { try launch(byteCount) }
        #expect(
            fake.log().filter { $0.hasPrefix("l") && $0 != "load module" } == [
                "launch add_one 1 x 1 on stream 1", "launch add_one 1 x 1 on stream 1, sharing 40960 bytes",
                "let add_one share 40961 bytes", "launch add_one 1 x 1 on stream 1, sharing 40961 bytes",
                "let add_one share 224256 bytes", "launch add_one 1 x 1 on stream 1, sharing 224256 bytes",
                "launch add_one 1 x 1 on stream 1, sharing 100000 bytes",
            ])
        for byteCount in [224_257, -1, 1 << 40] {
            #expect(
                engineError { try launch(byteCount) }
                    == "A group of add_one shares at most 232448 bytes on Fake GPU; 8192 declared and \(byteCount) asked for came."
            )
        }
        try launch(224_256)
    }

    // MARK: Addresses

    @Test func addressesAreChecked() throws {
        let fake = try FakeCUDA()
        let device = try fake.device()
        let buffer = try device.queue(stream: nil).allocate(80)
        func check(_ address: UInt, _ owner: String) throws {
            try device.requireOwn(address, byteCount: 8, of: owner, on: 0)
        }
        try check(buffer.handle + 8, "x")
        try check(0x2000, "x")
        #expect(
            bindingError { try check(0x1000, "Input 2") }
                == "Input 2 lies in the memory of CUDA device 1, not in the memory of Fake GPU, CUDA device 0.")
        #expect(bindingError { try check(0x3000, "x") }.contains("x lies in the host's memory"))
        #expect(try device.freeByteCount() == 600_000)
    }
}
