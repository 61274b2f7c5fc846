import ArrayFiles
import Foundation

/// Where the data sets of this repository are.
package enum DataFolder {
    package static let environmentVariable = "KHUFU_DATA"

    package struct Missing: Error, CustomStringConvertible {
        let name: String
        let searched: [String]

        package var description: String {
            "The data file \(quoted(name)) was looked for in \(searched.joined(separator: ", ")) and not found: "
                + "set \(DataFolder.environmentVariable) to the repository's folder Sources/SampleData/Data."
        }
    }

    /// The path of a data file, wherever the tool was started.
    ///
    /// The package manager copies the folder beside the executable. Its generated `Bundle.module` would find it there,
    /// too, but ends the process when the executable was moved without it; here that is an error with a way out.
    package static func path(of name: String) throws(Missing) -> String {
        let environment = ProcessInfo.processInfo.environment[environmentVariable].map { [URL(fileURLWithPath: $0)] } ?? []
        let candidates = environment + besideExecutable + [inSourceTree]
        for folder in candidates {
            let file = folder.appendingPathComponent(name)
            if FileManager.default.fileExists(atPath: file.path) { return file.path }
        }
        throw Missing(name: name, searched: candidates.map(\.path))
    }

    private static var besideExecutable: [URL] {
        let folder = Bundle.main.bundleURL
        return ["khufu_SampleData.resources", "khufu_SampleData.bundle"].map { folder.appendingPathComponent("\($0)/Data") }
    }

    private static var inSourceTree: URL {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Data")
    }
}
