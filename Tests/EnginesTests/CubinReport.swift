import Foundation
import Testing

@testable import Engines

/// What a kernel takes of a GPU, told by the compiler that made its machine code. No GPU is needed.
struct CubinReport: CustomStringConvertible {
    var entry: String
    /// Per thread.
    var registers: Int
    /// Bytes per thread in memory, for arrays that are indexed by variables, and for spills.
    var stack: Int
    /// Bytes of registers that did not fit, per thread.
    var spillStores: Int
    var spillLoads: Int
    /// Bytes per group.
    var shared: Int

    var description: String {
        "\(entry): \(registers) registers, \(stack) bytes of stack, \(spillStores) + \(spillLoads) spilled, \(shared) shared"
    }

    /// The entries of a CUDA source, compiled by the real NVRTC; use it in tests that are enabled where `NVIDIATools.nvrtc` is.
    static func entries(of source: String, for capability: Int = 90) throws -> [CubinReport] {
        let compiled = try NVIDIATools.openNVRTC().compile(
            source, for: .machineCode(ComputeCapability(number: capability)), options: ["--ptxas-options=-v"])
        return parsed(compiled.log)
    }

    /// The machine code of a source as text.
    static func assembly(of source: String, for capability: Int = 90) throws -> String {
        let code = try NVIDIATools.openNVRTC().compile(source, for: .machineCode(ComputeCapability(number: capability))).code
        let scratch = try ScratchFolder()
        let file = scratch.path + "/kernel.cubin"
        try Data(code).write(to: URL(fileURLWithPath: file))
        let tool = try #require(NVIDIATools.cuobjdump)
        // It calls nvdisasm, which lies beside it.
        let path = containingFolder(tool) + ":" + (ProcessEnvironment.current["PATH"] ?? "")
        let result = ChildProcess.run(
            tool, ["-sass", file], environment: ProcessEnvironment.current.merging(["PATH": path]) { $1 })
        #expect(result.succeeded, "\(String(decoding: result.standardError, as: UTF8.self))")
        return String(decoding: result.standardOutput, as: UTF8.self)
    }

    /// Reads lines such as "Compiling entry function 'f' for 'sm_90'", "Function properties for f", "0 bytes stack frame, 0 bytes spill
    /// stores, 0 bytes spill loads" and "Used 10 registers, used 1 barriers, 4096 bytes smem". Functions that are called have lines too.
    static func parsed(_ log: String) -> [CubinReport] {
        var reports: [CubinReport] = []
        var described: Int?
        for line in log.split(separator: "\n") {
            if let entry = line.firstMatch(of: /Compiling entry function '(\w+)'/) {
                reports.append(
                    CubinReport(entry: String(entry.1), registers: 0, stack: 0, spillStores: 0, spillLoads: 0, shared: 0))
            }
            if let function = line.firstMatch(of: /Function properties for (\w+)/) {
                described = reports.firstIndex { $0.entry == function.1 }
            }
            guard let described else { continue }
            if let sizes = line.firstMatch(of: /(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads/) {
                reports[described].stack = Int(sizes.1)!
                reports[described].spillStores = Int(sizes.2)!
                reports[described].spillLoads = Int(sizes.3)!
            }
            if let used = line.firstMatch(of: /Used (\d+) registers/) { reports[described].registers = Int(used.1)! }
            if let shared = line.firstMatch(of: /(\d+) bytes smem/) { reports[described].shared = Int(shared.1)! }
        }
        return reports
    }
}
