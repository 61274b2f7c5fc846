import ArrayFiles
import Foundation
import Pictures

/// Where the demonstration's picture goes: one format, or both.
struct DemoPictures {
    private let paths: [String]

    /// - Parameter output: a `.png` or `.svg` file; a name without ending, or a folder, for both.
    init(_ output: String) throws {
        var isFolder: ObjCBool = false
        if FileManager.default.fileExists(atPath: output, isDirectory: &isFolder), isFolder.boolValue {
            paths = ["png", "svg"].map { "\(output)\(output.hasSuffix("/") ? "" : "/")khufu-demo.\($0)" }
        } else if !output.isEmpty, fileExtension(output).isEmpty {
            paths = ["png", "svg"].map { "\(output).\($0)" }
        } else {
            paths = [output]
        }
        for path in paths {
            _ = try PictureFormat(path: path)
            try FileWriter.check(path)
        }
    }

    /// Draws the picture; returns the names of its files.
    func write(_ picture: some Picture) throws -> [String] {
        for path in paths { try picture.write(to: path) }
        return paths
    }
}
