import Foundation

/// The real NVRTC and NVIDIA's tools that read what it makes, where they are installed; none of them needs a GPU.
package enum NVIDIATools {
    private static let folder: String? = {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../../.build-gpu/venv/lib")
        let pythons = (try? FileManager.default.contentsOfDirectory(atPath: root.path)) ?? []
        return pythons.map { root.appendingPathComponent("\($0)/site-packages/nvidia/cu13").standardizedFileURL.path }
            .first { FileManager.default.fileExists(atPath: $0) }
    }()

    private static func file(_ variable: String, _ path: String) -> String? {
        let named =
            ProcessInfo.processInfo.environment[variable].flatMap { $0.isEmpty ? nil : $0 } ?? folder.map { "\($0)/\(path)" }
        return named.flatMap { FileManager.default.fileExists(atPath: $0) ? $0 : nil }
    }

    /// Its library.
    package static let nvrtc = file("KHUFU_NVRTC", "lib/libnvrtc.so.13")
    /// The program that shows machine code.
    package static let cuobjdump = file("KHUFU_CUOBJDUMP", "bin/cuobjdump")

    package static let missing = "NVIDIA's compiler is not installed; Scripts/install-gpu-tools installs it."
}

package struct NVIDIAToolFailure: Error {
    package let reason: String
}
