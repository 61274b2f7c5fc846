import Foundation
import Testing

@testable import KhufuTool

/// A folder of its own for a test, removed afterwards.
final class TemporaryFolder {
    let url = FileManager.default.temporaryDirectory.appendingPathComponent("khufu-\(UUID().uuidString)")

    init() throws { try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true) }

    deinit { try? FileManager.default.removeItem(at: url) }

    func path(_ name: String) -> String { url.appendingPathComponent(name).path }

    /// The path of a new file with this content.
    func file(_ name: String, _ bytes: [UInt8]) throws -> String {
        try Data(bytes).write(to: URL(fileURLWithPath: path(name)))
        return path(name)
    }

    func file(_ name: String, _ text: String) throws -> String { try file(name, Array(text.utf8)) }

    var contents: [String] { (try? FileManager.default.contentsOfDirectory(atPath: url.path).sorted()) ?? [] }
}

/// The sentence of the error that `body` throws, without the folder's path; empty when it throws none.
func sentence(_ body: () throws -> Void) -> String {
    do {
        try body()
        return ""
    } catch {
        let words = "\(error)".split(separator: "/", omittingEmptySubsequences: false)
        return String(words.last ?? "")
    }
}
