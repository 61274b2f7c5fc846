import Foundation
import Kernels
import NVIDIASupport
import Testing

@testable import Engines

/// The real NVRTC, which needs no GPU.
@Suite(.enabled(if: NVIDIATools.nvrtc != nil, Comment(rawValue: NVIDIATools.missing)))
struct CUDACompilerTests {
    private static let source = """
        extern "C" __global__ void scale(float *x, const float *y, long long n) {
            __shared__ float tile[64];
            long long k = blockIdx.x * (long long)blockDim.x + threadIdx.x;
            tile[threadIdx.x] = k < n ? y[k] : 0;
            __syncthreads();
            if (k < n) x[k] = expf(tile[63 - threadIdx.x]) * x[k] + 1;
        }
        """

    @Test func compilesForEveryDevice() throws {
        let nvrtc = try NVIDIATools.openNVRTC()
        #expect(nvrtc.version.major >= 11 && nvrtc.supported.contains(ComputeCapability(number: 90)))
        for capability in nvrtc.supported {
            let code = try nvrtc.compile(Self.source, for: .machineCode(capability)).code
            #expect(code.starts(with: [0x7f] + Array("ELF".utf8)), "\(capability)")
        }
    }

    /// What adds up arrays, for every type and several numbers of axes.
    @Test func totalsCompile() throws {
        let nvrtc = try NVIDIATools.openNVRTC()
        for number in [80, 90] {
            let target = CUDATarget.machineCode(ComputeCapability(number: number))
            for (storage, readsTotals) in [(ScalarType.float16, false), (.float32, false), (.float64, false), (.float16, true)] {
                for (kept, summed) in [(0, 0), (1, 0), (2, 1), (1, 2)] {
                    let source = TotalSource(
                        language: .cuda, storage: storage, usesFloat64: true, readsTotals: readsTotals, keptAxes: kept,
                        summedAxes: summed)
                    #expect(throws: Never.self, "\(source.text)") { _ = try nvrtc.compile(source.text, for: target) }
                }
            }
        }
    }

    @Test func whatGathersWinnersCompiles() throws {
        let nvrtc = try NVIDIATools.openNVRTC()
        var sources = ScalarType.allCases.map { WinnerKernels.gather(.cuda, $0) }
        for (source, result) in [(ScalarType.float32, ScalarType.float64), (.float64, .float32), (.float64, .float64)] {
            sources.append(WinnerKernels.total(.cuda, from: source, to: result, in: .float64))
        }
        for source in sources {
            for number in [80, 90] {
                let target = CUDATarget.machineCode(ComputeCapability(number: number))
                #expect(throws: Never.self, "\(source)") { _ = try nvrtc.compile(source, for: target) }
            }
        }
    }

    @Test func newerDevicesGetIntermediateCode() throws {
        let nvrtc = try NVIDIATools.openNVRTC()
        let target = try #require(CUDATarget(for: ComputeCapability(number: 990), compilerSupports: nvrtc.supported))
        let code = try nvrtc.compile(Self.source, for: target).code
        #expect(code.last == 0)
        let text = String(decoding: code, as: UTF8.self)
        #expect(text.contains(".visible .entry scale") && text.contains("fma.rn.f32"))
    }

    @Test func mistakesAreToldByLine() throws {
        let nvrtc = try NVIDIATools.openNVRTC()
        let message = engineError {
            _ = try nvrtc.compile("\nint x = nothing;", for: .machineCode(ComputeCapability(number: 90)))
        }
        #expect(message.hasPrefix("NVRTC \(nvrtc.version) did not compile a kernel with --gpu-architecture=sm_90: "))
        #expect(message.contains("kernel.cu(2)") && message.contains("\"nothing\" is undefined"))
    }

    @Test func thePackageIsFoundWhereItIsInstalled() throws {
        let library = try #require(NVIDIATools.nvrtc)
        let sitePackages = library.components(separatedBy: "/nvidia/")[0]
        let places = CUDAPlaces.compiler([:], sitePackages: [sitePackages], toolkits: [])
        #expect(places.first?.path == library)
        // It does not stay mapped for others to find unless somebody holds it.
        let held = try SharedLibrary(path: library)
        #expect(throws: Never.self) { try SharedLibrary(loaded: library) }
        withExtendedLifetime(held) {}
    }

    /// The whole way to a loaded module, on the fake driver.
    @Test func machineCodeIsMadeOnceForADevice() throws {
        let fake = try FakeCUDA(["driverVersion": 13020])
        let nvrtc = try #require(NVIDIATools.nvrtc)
        for _ in 0..<2 { _ = try fake.runtime(["KHUFU_NVRTC": nvrtc]).device(0).program(Self.source) }
        let cache = fake.scratch.path + "/cache"
        #expect(names(inFolder: cache).filter { $0.hasSuffix(".device") }.count == 1)
        #expect(fake.leaks.isEmpty)
    }

    @Test func manyThreadsCompileAtOnce() throws {
        let nvrtc = try NVIDIATools.openNVRTC()
        onThreads(4) { number in
            let code = try? nvrtc.compile(
                Self.source + "// \(number)", for: .machineCode(ComputeCapability(number: 80 + 10 * (number % 2)))
            ).code
            #expect(code != nil)
        }
    }

    // MARK: Reports

    @Test func reportsTellWhatAKernelTakes() throws {
        let source =
            Self.source + """

                __device__ __noinline__ float spread(float x) {
                    float a[40], s = 0;
                    for (int i = 0; i < 40; i++) a[i] = x * i;
                    for (int i = 0; i < 40; i++) s += a[(int)(x * i) % 40];
                    return s;
                }
                extern "C" __global__ void indexed(float *x) { x[threadIdx.x] = spread(x[threadIdx.x]); }
                """
        let reports = try CubinReport.entries(of: source)
        let scale = try #require(reports.first { $0.entry == "scale" })
        #expect(scale.shared == 256 && scale.stack == 0 && scale.spillStores == 0 && (4..<64).contains(scale.registers))
        let indexed = try #require(reports.first { $0.entry == "indexed" })
        #expect(indexed.stack == 160 && indexed.shared == 0)
        #expect(reports.count == 2)
    }

    @Test(.enabled(if: NVIDIATools.cuobjdump != nil, Comment(rawValue: NVIDIATools.missing)))
    func assemblyIsShown() throws {
        let text = try CubinReport.assembly(of: Self.source)
        #expect(text.contains("Function : scale") && text.contains("FFMA") && text.contains("MUFU.EX2"))
    }
}
