import ArgumentParser
import Engines

/// Shows or empties the folder of compiled kernels.
struct CacheCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cache",
        abstract: "Shows the folder of compiled kernels, or empties it.",
        discussion: "The folder is KHUFU_CACHE_DIR where that is set, else khufu in the user's folder for caches.")

    @Flag(help: "Deletes every compiled kernel; they are made again when they are needed.")
    var clear = false

    func run() throws {
        let folder = try KernelCache.shared.folder
        if clear {
            let freed = folder.clear()
            print("\(folder.path): \(counted(freed.files, "file")) deleted, \(readable(bytes: freed.bytes)) freed.")
        } else {
            print(CacheReport.text(folder))
        }
    }
}

/// The cache folder in words.
enum CacheReport {
    static func text(_ folder: CacheFolder) -> String {
        let size = folder.contentsSize()
        let safety =
            folder.fallbackReason.map { "a temporary folder, as \($0): nothing outlives this process" }
            ?? "safe: it is yours, and nobody else may write to it"
        return "\(folder.path)\n\(counted(size.files, "file")), \(readable(bytes: size.bytes)); \(safety)"
    }
}
