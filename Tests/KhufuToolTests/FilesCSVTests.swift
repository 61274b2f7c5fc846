import Foundation
import Testing

@testable import ArrayFiles
@testable import KhufuTool

@Suite struct FilesCSVTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    @Test(
        arguments: [
            ("1,2\n3,4\n", [2, 2], [1, 2, 3, 4]),
            ("1,2\n3,4", [2, 2], [1, 2, 3, 4]),
            ("lon,lat\r\n1,2\r\n3,4\r\n\r\n\r\n", [2, 2], [1, 2, 3, 4]),
            ("1;2\r3;4\r", [2, 2], [1, 2, 3, 4]),
            ("1\t2\n3\t4\n", [2, 2], [1, 2, 3, 4]),
            ("a, km;b\n1;2\n", [1, 2], [1, 2]),
            ("5\n6\n7\n", [3, 1], [5, 6, 7]),
            ("x\n5\n", [1, 1], [5]),
            ("x,2020\n1,2\n", [1, 2], [1, 2]),
            ("\"a \"\"b\"\", c\",d\n\"1\", 2 \n", [1, 2], [1, 2]),
            ("\"a\nb\",c\n1,2\n", [1, 2], [1, 2]),
            ("\u{feff}1,2\n", [1, 2], [1, 2]),
            ("\n\n1,2\n  \n", [1, 2], [1, 2]),
            ("-1e3,+.5,2.,1E-2,0x\n-1e3,+.5,2.,1E-2,-0\n", [1, 5], [-1000, 0.5, 2, 0.01, -0.0]),
            ("inf,-Infinity,INF,1e400,1e-400\n", [1, 5], [.infinity, -.infinity, .infinity, .infinity, 0]),
        ] as [(String, [Int], [Double])])
    func reads(text: String, shape: [Int], values: [Double]) throws {
        let path = try folder.file("a.csv", text)
        #expect(try CSV.read(path) == PointArray(shape: shape, storage: .float64(values)))
    }

    @Test func readsNaN() throws {
        let path = try folder.file("a.csv", "nan,1\n2,NaN\n")
        #expect(try CSV.read(path).doubles.map(\.isNaN) == [true, false, false, true])
    }

    @Test(arguments: [
        ("", ": expected rows of numbers, found an empty file."),
        ("\n\n", ": expected rows of numbers, found an empty file."),
        ("a,b\n", ": expected rows of numbers, found only a header line."),
        ("1,2\n3,x4\n", ", line 2, column 2: expected a number, found 'x4'."),
        ("a,b\n1,2\nc,d\n", ", line 3, column 1: expected a number, found 'c'."),
        ("1,2\n3,\n", ", line 2, column 2: expected a number, found an empty cell."),
        ("1,2\n3,4,", ", line 2, column 3: expected a number, found an empty cell."),
        ("1,2\n3\n", ", line 2: expected 2 cells as in the first line, found 1."),
        ("1,2\n3,4,5\n", ", line 2: expected 2 cells as in the first line, found 3."),
        ("a,b,c\n3,4\n", ", line 2: expected 3 cells as in the first line, found 2."),
        ("1\n\n2\n", ", line 2: expected a row of numbers, found a blank line between rows."),
        ("1,2\n\"3,4\n", ", line 3, column 1: expected a closing quotation mark, found the end of the file."),
        ("1,2\n\"3\"4,5\n", ", line 2, column 1: expected the end of the cell after its closing quotation mark, found '4'."),
        ("\"a\nb\",c\n1,2\nx,2\n", ", line 4, column 1: expected a number, found 'x'."),
        ("1,2\n3,1_000\n", ", line 2, column 2: expected a number, found '1_000'."),
        ("1,2\n0x10,1\n", ", line 2, column 1: expected a number, found '0x10'."),
        ("1;2\n1,5;2\n", ", line 2, column 1: expected a number, found '1,5'."),
        ("1\n1e\n", ", line 2, column 1: expected a number, found '1e'."),
        ("1\n.\n", ", line 2, column 1: expected a number, found '.'."),
        ("1,\u{1b}[2J\n", ", line 1, column 2: expected text, found the byte 27."),
        ("1\n\u{9b}31m\u{202e}\n", ", line 2, column 1: expected a number, found '\\u{9b}31m\\u{202e}'."),
        (
            "1\nabcdefghijklmnopqrstuvwxyz0123456789abcdefghij\n",
            ", line 2, column 1: expected a number, found 'abcdefghijklmnopqrstuvwxyz0123456789abcd…'."
        ),
    ])
    func refuses(text: String, expected: String) throws {
        let path = try folder.file("a.csv", text)
        #expect(sentence { _ = try CSV.read(path) } == "a.csv" + expected)
    }

    @Test func refusesWhatIsNoText() throws {
        func message(_ bytes: [UInt8]) throws -> String {
            let path = try folder.file("a.csv", bytes)
            return sentence { _ = try CSV.read(path) }
        }
        #expect(try message([0xff, 0xfe, 0x31, 0]) == "a.csv: expected text in UTF-8, found UTF-16.")
        #expect(try message([0x31, 0, 0x32]) == "a.csv, line 1, column 1: expected text, found the byte 0.")
        #expect(try message([0x1f, 0x8b, 0x08]) == "a.csv, line 1, column 1: expected text, found the byte 31.")
        // An invalid UTF-8 sequence in a header does no harm.
        let path = try folder.file("b.csv", [0xff, 0xe9, 0x2c, 0x61, 0x0a, 0x31, 0x2c, 0x32])
        #expect(try CSV.read(path).shape == [1, 2])
    }

    @Test func anUnclosedQuotationMarkCostsNoMemory() throws {
        let path = try folder.file("a.csv", "1,\"" + String(repeating: "x,y\n", count: 10_000))
        #expect(sentence { _ = try CSV.read(path) }.contains("expected a cell of at most 4096 bytes"))
    }

    /// Rows that lie across the reader's chunks.
    @Test func readsLargeFiles() throws {
        let rows = 40_000
        let text = (0..<rows).map { "\($0),\(Double($0) / 7),\(-$0)\r\n" }.joined()
        let array = try CSV.read(folder.file("a.csv", text))
        #expect(array.shape == [rows, 3])
        let expected = (0..<rows).flatMap { row -> [Double] in [Double(row), Double(row) / 7, -Double(row)] }
        #expect(array.doubles == expected)
    }

    @Test func numbersReadAndPrintExactly() throws {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<20_000 {
            let value = Double(bitPattern: random.next())
            guard value.isFinite else { continue }
            #expect(NumberText.parse(Array(value.description.utf8)) == value)
            let short = "\(Int.random(in: -99_999...99_999)).\(Int.random(in: 0...9999))e\(Int.random(in: -25...25))"
            #expect(NumberText.parse(Array(short.utf8)) == Double(short), "\(short)")
        }
        for text in [
            "9007199254740993", "123456789012345678901234567890", "0.00000000000000000000000001", "1e22", "1e23",
            "4.9e-324", "2.4703282292062328e-324", "00000000000000000000000000001",
        ] {
            #expect(NumberText.parse(Array(text.utf8)) == Double(text), "\(text)")
        }
        for text in ["", " ", "-", "+-1", "1e+", "e5", "1 2", "--1", "1..2", "nano", "infinit", "0b1", "1e5.5", "½"] {
            #expect(NumberText.parse(Array(text.utf8)) == nil, "\(text)")
        }
    }

    @Test func writes() throws {
        func text(_ array: PointArray) throws -> String {
            try array.write(to: folder.path("o.csv"))
            return try String(contentsOfFile: folder.path("o.csv"), encoding: .utf8)
        }
        #expect(try text(PointArray(shape: [2, 2], storage: .float32([0.1, 2, .nan, -.infinity]))) == "0.1,2.0\nnan,-inf\n")
        #expect(try text(PointArray(shape: [2], storage: .float64([0.1, 1e-300]))) == "0.1\n1e-300\n")
        #expect(try text(PointArray(shape: [2, 1, 2], storage: .int64([1, 2, 3, 4]))) == "1,2\n3,4\n")
        #expect(try text(PointArray(shape: [0, 2], storage: .int64([]))) == "")
        #expect(try text(PointArray(shape: [], storage: .int64([5]))) == "5\n")
        #expect(folder.contents == ["o.csv"])
    }

    @Test func aFailedWriteLeavesTheOldFile() throws {
        let path = try folder.file("o.csv", "old")
        var writer = try? FileWriter(path)
        try writer?.write("new")
        writer = nil
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "old" && folder.contents == ["o.csv"])
        try PointArray(shape: [1], storage: .int64([1])).write(to: path)
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "1\n")
    }
}
