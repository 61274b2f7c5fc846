import Engines
import Foundation

/// What a kernel takes of a GPU, told by the compiler that made its machine code. No GPU is needed.
package struct CubinReport: CustomStringConvertible {
    package var entry: String
    /// Per thread.
    package var registers: Int
    /// Bytes per thread in memory, for arrays that are indexed by variables, and for spills.
    package var stack: Int
    /// Bytes of registers that did not fit, per thread.
    package var spillStores: Int
    package var spillLoads: Int
    /// Bytes per group.
    package var shared: Int

    package var description: String {
        "\(entry): \(registers) registers, \(stack) bytes of stack, \(spillStores) + \(spillLoads) spilled, \(shared) shared"
    }

    /// The entries of a CUDA source, compiled by the real NVRTC, and its warnings; use it in tests that are enabled where
    /// `NVIDIATools.nvrtc` is.
    package static func compiled(
        _ source: String, for capability: Int = 90
    ) throws -> (entries: [CubinReport], warnings: [String]) {
        let log = try compilation(source, capability).log
        let warnings = log.split(separator: "\n").filter { $0.contains("warning") || $0.contains("error") }
        return (parsed(log), warnings.map(String.init))
    }

    package static func entries(of source: String, for capability: Int = 90) throws -> [CubinReport] {
        try compiled(source, for: capability).entries
    }

    private static func compilation(_ source: String, _ capability: Int) throws -> CUDACompilation {
        guard let nvrtc = NVIDIATools.nvrtc else { throw NVIDIAToolFailure(reason: NVIDIATools.missing) }
        return try CUDACompilation(of: source, for: capability, by: nvrtc)
    }

    /// The machine code of a source as text.
    package static func assembly(of source: String, for capability: Int = 90) throws -> String {
        guard let tool = NVIDIATools.cuobjdump else { throw NVIDIAToolFailure(reason: NVIDIATools.missing) }
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID()).cubin")
        try Data(try compilation(source, capability).code).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: tool)
        process.arguments = ["-sass", file.path]
        // It calls nvdisasm, which lies beside it.
        var environment = ProcessInfo.processInfo.environment
        environment["PATH"] = URL(fileURLWithPath: tool).deletingLastPathComponent().path + ":" + (environment["PATH"] ?? "")
        process.environment = environment
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw NVIDIAToolFailure(reason: "\(tool) ends with \(process.terminationStatus).")
        }
        return text
    }

    /// Reads lines such as "Compiling entry function 'f' for 'sm_90'", "Function properties for f", "0 bytes stack frame, 0 bytes spill
    /// stores, 0 bytes spill loads" and "Used 10 registers, used 1 barriers, 4096 bytes smem". Functions that are called have lines too.
    package static func parsed(_ log: String) -> [CubinReport] {
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
