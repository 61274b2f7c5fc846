/// Why a file could not be read or written, as one sentence that names the file, what was expected and what came.
///
/// One type serves every format, so that callers report all of them alike and a test can compare the parts instead of the
/// wording.
public struct FileError: Error, Equatable, Sendable, CustomStringConvertible {
    /// Where in the file, counted from 1 as editors do.
    package enum Place: Equatable, Sendable {
        case header
        case line(Int)
        case cell(line: Int, column: Int)
    }

    package enum Problem: Equatable, Sendable {
        /// The system refused: what was tried, and the `errno` it gave.
        case system(String, code: Int32)
        /// The name or the content is not what it must be.
        case mismatch(at: Place?, expected: String, found: String)
        /// Not a file to read from, or to write to: a folder, a device.
        case notReadable(found: String)
        case notWritable(found: String)
    }

    public let path: String
    package let problem: Problem

    package init(_ path: String, _ problem: Problem) {
        self.path = path
        self.problem = problem
    }

    package init(_ path: String, at place: Place? = nil, expected: String, found: String) {
        self.init(path, .mismatch(at: place, expected: expected, found: found))
    }

    public var description: String {
        let file = path.isEmpty ? "''" : printable(path, limit: 4096)
        switch problem {
        case .system(let action, let code):
            return "\(file): cannot \(action): \(systemMessage(code))."
        case .mismatch(let place, let expected, let found):
            return "\(file)\(place.map(Self.words) ?? ""): expected \(expected), found \(found)."
        case .notReadable(let found):
            return "\(file): expected a file, found \(found)."
        case .notWritable(let found):
            return "\(file): expected a file to write, found \(found)."
        }
    }

    private static func words(for place: Place) -> String {
        switch place {
        case .header: ", header"
        case .line(let line): ", line \(line)"
        case .cell(let line, let column): ", line \(line), column \(column)"
        }
    }
}

/// `text` between quotation marks, safe to show: see `printable`.
package func quoted(_ text: some StringProtocol) -> String {
    "'\(printable(text, limit: 40))'"
}

/// `text` on one line, shortened, with control characters written as escapes.
///
/// A file's bytes end up on the user's terminal through an error message; without this a hostile file could move the
/// cursor or hide part of the message.
package func printable(_ text: some StringProtocol, limit: Int) -> String {
    var result = ""
    for (position, scalar) in text.unicodeScalars.enumerated() {
        if position == limit { return result + "…" }
        let isHidden = scalar.properties.generalCategory == .control || scalar.properties.generalCategory == .format
        result += isHidden ? "\\u{\(String(scalar.value, radix: 16))}" : String(scalar)
    }
    return result
}
