import Foundation
import Testing

@testable import Engines

@Suite struct CUDASearchTests {
    private let scratch: ScratchFolder

    init() throws { scratch = try ScratchFolder() }

    private func file(_ path: String, _ text: String = "") throws -> String {
        let url = URL(fileURLWithPath: "\(scratch.path)/\(path)")
        try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try text.write(to: url, atomically: true, encoding: .utf8)
        return url.path
    }

    // MARK: Places

    @Test func theDriversPlaces() {
        #expect(CUDAPlaces.driver([:]).first?.path == "libcuda.so.1")
        #expect(CUDAPlaces.driver([:]).contains { $0.path == "/usr/lib/wsl/lib/libcuda.so.1" })
        #expect(CUDAPlaces.driver(["KHUFU_LIBCUDA": "/x/libcuda.so"]).map(\.path) == ["/x/libcuda.so"])
    }

    @Test func theCompilersPlacesInOrder() throws {
        let thirteen = try file("site/nvidia/cu13/lib/libnvrtc.so.13")
        _ = try file("site/nvidia/cu13/lib/libnvrtc-builtins.so.13.0")
        let twelve = try file("site/nvidia/cuda_nvrtc/lib/libnvrtc.so.12")
        let eleven = try file("site/nvidia/cuda_nvrtc/lib/libnvrtc.so.11.2")
        let bare = scratch.path + "/bare"
        mkdir(bare, 0o700)
        let toolkit = try file("toolkit/lib64/libnvrtc.so.12.4.127")
        symlink(toolkit, scratch.path + "/toolkit/lib64/libnvrtc.so")
        let places = CUDAPlaces.compiler(
            [:], sitePackages: [bare, scratch.path + "/site"], toolkits: [scratch.path + "/toolkit/lib64"])
        #expect(places.map(\.path).prefix(4) == [bare, thirteen, twelve, eleven])
        #expect(places[0].absence == "has no nvidia/*/lib/libnvrtc.so.*")
        #expect(places[4].isOnlyIfLoaded && places[4].path == "libnvrtc.so.13")
        #expect(places.contains { $0.path == "libnvrtc.so" && !$0.isOnlyIfLoaded })
        #expect(places.last?.path == toolkit)  // and its link is not another
        #expect(CUDAPlaces.compiler(["KHUFU_NVRTC": "n"], sitePackages: [bare]).map(\.path) == ["n"])
    }

    @Test func pythonsPackages() throws {
        func packages(_ prefix: String) throws -> String {
            containingFolder(try file("\(prefix)/lib/python3.11/site-packages/README"))
        }
        let environment = try packages("venv"), base = try packages("base"), user = try packages("home/.local")
        _ = try file("base/bin/python3.11")
        chmod(scratch.path + "/base/bin/python3.11", 0o700)
        mkdir(scratch.path + "/onpath", 0o700)
        mkdir(scratch.path + "/onpath/bin", 0o700)
        symlink(scratch.path + "/base/bin/python3.11", scratch.path + "/onpath/bin/python3")
        let hint = containingFolder(try file("hint/README"))
        let settings = [
            "KHUFU_SITE_PACKAGES": "\(hint):relative", "VIRTUAL_ENV": scratch.path + "/venv", "HOME": scratch.path + "/home",
            "PATH": scratch.path + "/onpath/bin",
        ]
        let folders = PythonFolders.sitePackages(settings, program: "/bin/sh")
        #expect(folders.prefix(4) == [hint, environment, base, user])
        let running = PythonFolders.sitePackages(["PATH": ""], program: scratch.path + "/base/bin/python3.11")
        #expect(running.first == base)
    }

    // MARK: What becomes of them

    @Test func whatIsNotThereIsSaidInASentence() throws {
        let nowhere = scratch.path + "/libcuda.so.1"
        let runtime = CUDARuntime(environment: scratch.environment(["KHUFU_LIBCUDA": nowhere]))
        #expect(
            engineError { _ = try runtime.device(0) }
                == "There is no CUDA device: \(nowhere) (named by KHUFU_LIBCUDA) is not there.")
        let text = try file("text.so", "no library")
        let mistaken = CUDARuntime(environment: scratch.environment(["KHUFU_LIBCUDA": text]))
        #expect(engineError { _ = try mistaken.device(0) }.contains("text.so (named by KHUFU_LIBCUDA) cannot be loaded ("))
    }

    @Test func aLibraryThatIsNoDriverIsRefused() throws {
        let environment = scratch.environment()
        let library = scratch.path + "/other.so"
        try KernelCache(environment: environment).compiler.compile(
            answering(1), flags: [], to: library, environment: environment)
        let candidate = try #require(CUDARuntime.driverCandidates(["KHUFU_LIBCUDA": library]).first)
        #expect(candidate.description == "\(library) (named by KHUFU_LIBCUDA) has no function cuInit")
        let compilers = NVRTCSearch(places: CUDAPlaces.compiler(["KHUFU_NVRTC": library])).all()
        #expect(compilers.first?.verdict == .refused("has no function nvrtcGetErrorString"))
    }

    @Test func candidatesSayWhatTheyAre() throws {
        let fake = try FakeCUDA(["driverVersion": 12040])
        #expect(CUDARuntime.driverCandidates(["KHUFU_LIBCUDA": fake.path]).first?.verdict == .works("CUDA 12.4"))
        let compilers = NVRTCSearch(places: CUDAPlaces.compiler(["KHUFU_NVRTC": fake.path])).all()
        #expect(compilers.first?.verdict == .works("CUDA 12.8 for compute capability 7.5 to 9.0"))
    }

    // MARK: The NVRTC that suits

    private func place(_ fake: FakeCUDA) -> LibraryPlace { LibraryPlace(path: fake.path, origin: "of a test") }

    @Test func anNVRTCNewerThanTheDriverIsPassedOver() throws {
        let thirteen = try FakeCUDA(["nvrtcMajor": 13]), twelve = try FakeCUDA()
        let search = NVRTCSearch(places: [place(thirteen), place(twelve)])
        let hopper = ComputeCapability(number: 90)
        #expect(try search.best(for: hopper, driver: CUDAVersion(major: 13, minor: 9)).version.major == 13)
        #expect(try search.best(for: hopper, driver: CUDAVersion(major: 12, minor: 2)).version.major == 12)
        // Where there is no other, it may work.
        let only = NVRTCSearch(places: [place(thirteen)])
        #expect(try only.best(for: hopper, driver: CUDAVersion(major: 12, minor: 2)).version.major == 13)
    }

    @Test func devicesThatAnNVRTCDoesNotKnow() throws {
        let supported = [75, 80, 90].map { ComputeCapability(number: $0) }
        func target(_ number: Int) -> CUDATarget? {
            CUDATarget(for: ComputeCapability(number: number), compilerSupports: supported)
        }
        #expect(target(80)?.option == "--gpu-architecture=sm_80")
        #expect(target(89)?.option == "--gpu-architecture=compute_80")
        #expect(target(120)?.option == "--gpu-architecture=compute_90")
        #expect(target(61) == nil)

        let fake = try FakeCUDA(["capability": 61])
        let device = try fake.device()
        let message = engineError { _ = try device.program("source") }
        #expect(message.hasPrefix("CUDA's compiler, NVRTC, cannot be used: \(fake.path) (named by KHUFU_NVRTC) is of CUDA 12.8 "))
        #expect(message.contains("the device is of 6.1"))
    }

    @Test func withNoNVRTCTheErrorSaysWhatToInstall() throws {
        let absent = LibraryPlace(path: scratch.path, origin: "Python packages", absence: "has none")
        let search = NVRTCSearch(places: [absent, absent])
        let message = engineError {
            _ = try search.best(for: ComputeCapability(number: 90), driver: CUDAVersion(major: 12, minor: 0))
        }
        #expect(message.contains("install the Python package nvidia-cuda-nvrtc"))
    }
}
