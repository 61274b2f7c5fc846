/// A CSV file's numbers as they come in, chunk by chunk: a machine with one state a cell's part.
///
/// Numbers are converted as soon as their cell ends, so memory holds the result and one cell.
struct CSVTable {
    private enum State { case start, plain, quoted, afterQuote }

    /// No number is this long; an unclosed quotation mark would otherwise swallow the file.
    private static let longestCell = 4096

    let path: String
    private var separator: UInt8?
    private var state = State.start
    private var cell: [UInt8] = []
    private var line = 1
    private var column = 1
    /// The line of the first blank line since the last row.
    private var blankLine: Int?
    private var endedWithReturn = false

    private var values: [Double] = []
    /// Cells in a row, once the first row is complete.
    private var columns: Int?
    private var hasHeader = false

    init(path: String) { self.path = path }

    mutating func parse(_ chunk: ArraySlice<UInt8>) throws(FileError) {
        var chunk = chunk
        if separator == nil {
            chunk = try chunk.dropFirst(markLength(chunk))
            separator = Self.separator(in: chunk)
        }
        for byte in chunk { try take(byte) }
    }

    /// The table, after the last chunk.
    mutating func finish() throws(FileError) -> PointArray {
        guard state != .quoted else { throw mismatch("a closing quotation mark", found: "the end of the file") }
        if column > 1 || state != .start { try endRow() }
        guard let columns, !values.isEmpty else {
            throw FileError(path, expected: "rows of numbers", found: hasHeader ? "only a header line" : "an empty file")
        }
        return PointArray(shape: [values.count / columns, columns], storage: .float64(values))
    }

    private mutating func take(_ byte: UInt8) throws(FileError) {
        // A line ends with LF, CR LF or CR; the LF of a pair belongs to the line that its CR ended.
        if byte == UInt8(ascii: "\n"), endedWithReturn {
            endedWithReturn = false
            return
        }
        endedWithReturn = byte == UInt8(ascii: "\r") && state != .quoted
        if state == .quoted {
            if byte == UInt8(ascii: "\n") { line += 1 }
            if byte == UInt8(ascii: "\"") { state = .afterQuote } else { try append(byte) }
            return
        }
        switch byte {
        case separator:
            try endCell()
            column += 1
        case UInt8(ascii: "\n"), UInt8(ascii: "\r"):
            try endRow()
        case UInt8(ascii: "\"") where state == .start:
            state = .quoted
        case UInt8(ascii: "\"") where state == .afterQuote:
            // A doubled quotation mark inside a quoted cell stands for one.
            try append(byte)
            state = .quoted
        case UInt8(ascii: " ") where state != .plain, UInt8(ascii: "\t") where state != .plain:
            break
        case _ where state == .afterQuote:
            throw mismatch("the end of the cell after its closing quotation mark", found: quoted(text([byte])))
        default:
            guard byte >= 0x20 || byte == UInt8(ascii: "\t") else {
                throw mismatch("text", found: "the byte \(byte)")
            }
            try append(byte)
            state = .plain
        }
    }

    private mutating func append(_ byte: UInt8) throws(FileError) {
        guard cell.count < Self.longestCell else {
            throw mismatch("a cell of at most \(Self.longestCell) bytes", found: "a longer one, or an unclosed quotation mark")
        }
        cell.append(byte)
    }

    private mutating func endCell() throws(FileError) {
        if let value = NumberText.parse(cell) {
            values.append(value)
        } else if columns == nil, !hasHeader {
            hasHeader = true
        } else if columns != nil {
            throw mismatch("a number", found: cell.isEmpty ? "an empty cell" : quoted(text(cell)))
        }
        cell.removeAll(keepingCapacity: true)
        state = .start
    }

    private mutating func endRow() throws(FileError) {
        defer {
            line += 1
            column = 1
        }
        if column == 1, state == .start {
            if columns != nil { blankLine = blankLine ?? line }
            return
        }
        try endCell()
        if let blankLine {
            throw FileError(path, at: .line(blankLine), expected: "a row of numbers", found: "a blank line between rows")
        }
        if let columns, columns != column {
            throw FileError(path, at: .line(line), expected: "\(columns) cells as in the first line", found: "\(column)")
        }
        if columns == nil {
            columns = column
            if hasHeader { values.removeAll() }
        }
    }

    private func mismatch(_ expected: String, found: String) -> FileError {
        FileError(path, at: .cell(line: line, column: column), expected: expected, found: found)
    }

    private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    /// The length of a UTF-8 byte order mark, which some spreadsheets write; other encodings' marks are refused.
    private func markLength(_ chunk: ArraySlice<UInt8>) throws(FileError) -> Int {
        if chunk.starts(with: [0xff, 0xfe]) || chunk.starts(with: [0xfe, 0xff]) {
            throw FileError(path, expected: "text in UTF-8", found: "UTF-16")
        }
        return chunk.starts(with: [0xef, 0xbb, 0xbf]) ? 3 : 0
    }

    /// Tab before semicolon before comma: a comma may also be a decimal point or part of a name, a tab hardly ever.
    private static func separator(in chunk: ArraySlice<UInt8>) -> UInt8 {
        var isQuoted = false
        var found: Set<UInt8> = []
        for byte in chunk.drop(while: { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }) {
            if byte == UInt8(ascii: "\"") { isQuoted.toggle() }
            if isQuoted { continue }
            if byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") { break }
            found.insert(byte)
        }
        return [UInt8(ascii: "\t"), UInt8(ascii: ";")].first(where: found.contains) ?? UInt8(ascii: ",")
    }
}
