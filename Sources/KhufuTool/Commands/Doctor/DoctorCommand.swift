import ArgumentParser
import ArrayFiles
import Engines
import Foundation
import SampleData

/// Reports everything about this machine that decides how fast, and whether, kernels run.
struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Checks this machine: processor, C compilers, devices, cache folder, and a first kernel.",
        discussion: "Ends with exit code \(ExitStatus.unavailable.rawValue) where compiled code does not work or is wrong.")

    func run() throws {
        var sheet = Sheet()
        sheet.add("versions", Self.versions)
        sheet.add("processor", Self.processor)
        sheet.add("instructions", Self.instructionSet)
        sheet.add("distances", Self.distances)
        sheet.add("threads", "\(ThreadPool.defaultThreadCount) of \(ProcessInfo.processInfo.processorCount)")
        sheet.add("compilers", Self.compilers)
        let cuda = CUDA.report()
        sheet.add("cuda driver", DeviceReport.text(cuda.drivers))
        sheet.add("cuda compiler", DeviceReport.text(cuda.compilers))
        sheet.add("opencl", DeviceReport.text(OpenCL.candidates))
        sheet.add("cache", Self.cache)
        sheet.add("settings", Self.settings)
        let check = SelfCheck.run(on: ExecutionOptions(engine: .cpu))
        let devices = ["cpu: \(check.isPassed ? "works" : "does not work")", "interpreter: works"] + DeviceReport.devices(cuda)
        sheet.add("devices", devices.joined(separator: "\n"))
        sheet.add("self-check", check.text)
        print(sheet.text())
        guard check.isPassed else {
            throw Failure(.unavailable, "Compiled code does not work here; the interpreter does, much slower.")
        }
    }

    // MARK: Parts

    private static var versions: String {
        "khufu \(KhufuCommand.version); compiled by Swift \(swiftVersion); \(ProcessInfo.processInfo.operatingSystemVersionString)"
    }

    private static var swiftVersion: String {
        #if compiler(>=6.4)
        "6.4 or later"
        #elseif compiler(>=6.3)
        "6.3"
        #elseif compiler(>=6.2)
        "6.2"
        #else
        "6.1"
        #endif
    }

    /// The model and those of its features that the kernels are written for.
    private static var processor: String {
        let host = Processor.host
        let notable = [
            "sse2", "avx", "avx2", "fma", "f16c", "avx512f", "avx512bw", "avx512dq", "avx512vl", "avx512_bf16", "avx512_fp16",
            "amx_tile",
            "asimd", "fphp", "sve", "sve2", "bf16",
        ].filter(host.features.contains)
        return host.modelName + (notable.isEmpty ? "" : "\n" + notable.joined(separator: " "))
    }

    private static var instructionSet: String {
        do {
            let set = try KernelCache.shared.instructionSet
            let supported = InstructionSet.supported().map(\.rawValue).joined(separator: ", ")
            return
                "\(set.rawValue): \(set.vectorBytes / 4) float32 or \(set.vectorBytes / 8) float64 at a time (this processor can do \(supported))"
        } catch {
            return "\(error)"
        }
    }

    private static var distances: String {
        do {
            return switch try KernelCache.shared.distances.form(rows: .max) {
            case .direct: "direct"
            case .inner: "by inner products in many dimensions, between many points"
            }
        } catch {
            return "\(error)"
        }
    }

    private static var compilers: String {
        do {
            let candidates = try KernelCache.shared.candidates()
            guard !candidates.isEmpty else { return "none found: no Swift toolchain, clang, gcc or cc is on the PATH" }
            let used = candidates.firstIndex { if case .taken = $0.verdict { true } else { false } }
            return candidates.enumerated().map { number, candidate in
                let place = "\(candidate.path) (\(origin(candidate.origin)))"
                return switch candidate.verdict {
                case .taken(let compiler): "\(number == used ? "used   " : "works  ")  \(place): \(compiler.version)"
                case .refused(let reason): "refused  \(place) \(reason)"
                }
            }.joined(separator: "\n")
        } catch {
            return "\(error)"
        }
    }

    private static func origin(_ origin: CompilerCandidate.Origin) -> String {
        switch origin {
        case .environment: "named by KHUFU_CC"
        case .swiftToolchain: "of a Swift toolchain"
        case .searchPath(let name): "\(name) on the PATH"
        }
    }

    private static var cache: String {
        do { return CacheReport.text(try KernelCache.shared.folder) } catch { return "\(error)" }
    }

    private static var settings: String {
        let names = [
            "KHUFU_CC", "KHUFU_SIMD", "KHUFU_SQUARED_DISTANCES", "KHUFU_TENSOR_CORES", "KHUFU_CACHE_DIR", "KHUFU_NUM_THREADS",
            "KHUFU_DEVICE", "KHUFU_LIBCUDA", "KHUFU_NVRTC", "KHUFU_OPENCL", DataFolder.environmentVariable,
        ]
        let set = names.compactMap { name in
            ProcessInfo.processInfo.environment[name].map { "\(name)=\(printable($0, limit: 200))" }
        }
        return set.isEmpty ? "none of \(names.joined(separator: ", "))" : set.joined(separator: "\n")
    }
}
