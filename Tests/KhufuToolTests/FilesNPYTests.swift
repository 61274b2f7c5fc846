import Foundation
import Testing

@testable import ArrayFiles
@testable import KhufuTool

@Suite struct FilesNPYTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// A file put together by hand.
    private func npy(_ header: String, _ data: [UInt8], version: UInt8 = 1) throws -> String {
        let text = Array(header.utf8)
        let field = (0..<(version == 1 ? 2 : 4)).map { UInt8(truncatingIfNeeded: text.count >> (8 * $0)) }
        return try folder.file("a.npy", [0x93] + Array("NUMPY".utf8) + [version, 0] + field + text + data)
    }

    private func header(_ type: String, _ shape: String, fortran: String = "False") -> String {
        "{'descr': '\(type)', 'fortran_order': \(fortran), 'shape': \(shape), }\n"
    }

    /// What numpy 2 wrote for `np.save(f, np.array([[1.5, -2], [0, np.inf]], '<f4'))`.
    @Test func readsWhatNumpyWrites() throws {
        let base64 =
            "k05VTVBZAQB2AHsnZGVzY3InOiAnPGY0JywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDIsIDIpLCB9ICAgICAgICAgICAg"
            + "ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAMA/AAAAwAAAAAAAAIB/"
        let path = try folder.file("a.npy", Array(try #require(Data(base64Encoded: base64))))
        let array = try PointArray(contentsOf: path)
        #expect(array == PointArray(shape: [2, 2], storage: .float32([1.5, -2, 0, .infinity])))
    }

    private static let types: [(String, [UInt8], PointArray.Storage)] = [
        ("<f2", [0x00, 0x3c, 0x00, 0xc0], .float32([1, -2])),
        (">f2", [0x3c, 0x00, 0x00, 0x01], .float32([1, 0x1p-24])),
        (">f4", [0x3f, 0xc0, 0, 0, 0xff, 0x80, 0, 0], .float32([1.5, -.infinity])),
        ("<f8", [0, 0, 0, 0, 0, 0, 0xf0, 0x3f, 0, 0, 0, 0, 0, 0, 0, 0x80], .float64([1, -0.0])),
        (">f8", [0x3f, 0xf0, 0, 0, 0, 0, 0, 0, 0xc0, 0, 0, 0, 0, 0, 0, 0], .float64([1, -2])),
        ("<i4", [1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff], .int64([1, -1])),
        (">i4", [0, 0, 1, 0, 0x80, 0, 0, 0], .int64([256, -2_147_483_648])),
        ("<i8", [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 2, 0, 0, 0, 0, 0, 0, 0], .int64([.max, 2])),
        ("|u1", [255, 7], .int64([255, 7])),
        ("|i1", [255, 7], .int64([-1, 7])),
        ("<u2", [255, 255, 1, 0], .int64([65535, 1])),
        ("|b1", [0, 1], .int64([0, 1])),
    ]

    @Test(arguments: types)
    func readsEveryType(type: String, data: [UInt8], expected: PointArray.Storage) throws {
        let path = try npy(header(type, "(2,)"), data)
        #expect(try NPY.read(path) == PointArray(shape: [2], storage: expected))
    }

    @Test func readsEveryHalfPrecisionNumber() {
        var wrong: [UInt16] = []
        for bits in UInt16.min...(.max) {
            let fraction = Float(bits & 0x3ff)
            let exponent = Int(bits >> 10 & 31)
            let magnitude =
                switch exponent {
                case 0: fraction * 0x1p-24
                case 31: fraction == 0 ? Float.infinity : .nan
                default: (1024 + fraction) * Float(sign: .plus, exponent: exponent - 25, significand: 1)
                }
            let value = Float(halfPrecisionBits: bits)
            let expected = bits >> 15 == 1 ? -magnitude : magnitude
            let isRight = expected.isNaN ? value.isNaN : value == expected && value.sign == expected.sign
            if !isRight { wrong.append(bits) }
        }
        #expect(wrong == [])
    }

    @Test(arguments: [1, 2, 3] as [UInt8]) func readsEveryVersion(version: UInt8) throws {
        let path = try npy(header("|u1", "(1, 2)"), [3, 4], version: version)
        #expect(try NPY.read(path) == PointArray(shape: [1, 2], storage: .int64([3, 4])))
    }

    @Test func fortranOrderBecomesRowMajor() throws {
        let path = try npy(header("|u1", "(2, 3)", fortran: "True"), [1, 4, 2, 5, 3, 6])
        #expect(try NPY.read(path).storage == .int64([1, 2, 3, 4, 5, 6]))
        // Element (a, b, c) of shape (2, 3, 2) is stored at a + 2 b + 6 c.
        let cube = try npy(header("|u1", "(2, 3, 2)", fortran: "True"), Array(0..<12))
        #expect(try NPY.read(cube).storage == .int64([0, 6, 2, 8, 4, 10, 1, 7, 3, 9, 5, 11]))
    }

    @Test func readsScalarsAndEmptyArrays() throws {
        #expect(try NPY.read(npy(header("|u1", "()"), [9])) == PointArray(shape: [], storage: .int64([9])))
        #expect(try NPY.read(npy(header("<f4", "(0, 3)"), [])) == PointArray(shape: [0, 3], storage: .float32([])))
        #expect(try NPY.read(npy("{\"shape\":(2L,),\"fortran_order\":False,\"descr\":\"|u1\"}", [1, 2])).shape == [2])
    }

    @Test(arguments: [
        PointArray(shape: [2, 3], storage: .float32([1, 2, .pi, -0.0, .infinity, 5])),
        PointArray(shape: [3], storage: .float64([1, 1e-300, .greatestFiniteMagnitude])),
        PointArray(shape: [1, 1, 2, 1], storage: .int64([.min, .max])),
        PointArray(shape: [], storage: .float64([7])),
        PointArray(shape: [0, 4], storage: .float32([])),
    ])
    func writesWhatItReads(array: PointArray) throws {
        try array.write(to: folder.path("b.npy"))
        #expect(try PointArray(contentsOf: folder.path("b.npy")) == array)
        let bytes = try Data(contentsOf: URL(fileURLWithPath: folder.path("b.npy")))
        let headerLength = Int(bytes[8]) + Int(bytes[9]) << 8
        #expect((10 + headerLength) % 64 == 0 && bytes[9 + headerLength] == UInt8(ascii: "\n"))
        #expect(folder.contents == ["b.npy"])
    }

    @Test(arguments: [
        ("(3, 4)", "<f4", ": expected 48 bytes of data for shape [3, 4] of '<f4', found 4 bytes."),
        ("(0,)", "<f4", ": expected 0 bytes of data for shape [0] of '<f4', found 4 bytes."),
        ("(-1,)", "<f4", ", header: expected a length that is a whole number, found '-1,), }\\u{a}'."),
        ("(1.5,)", "<f4", ", header: expected ')', found '.5,), }\\u{a}'."),
        (
            "(9223372036854775807,)", "<f4",
            ", header: expected a size that fits the address space, found [9223372036854775807]."
        ),
        (
            "(4611686018427387904, 4)", "|u1",
            ", header: expected a size that fits the address space, found [4611686018427387904, 4]."
        ),
        (
            "(0, 9223372036854775807, 2)", "|u1",
            ", header: expected a size that fits the address space, found [0, 9223372036854775807, 2]."
        ),
        ("(99999999999999999999,)", "|u1", ", header: expected a length below 2^63, found '99999999999999999999'."),
        (
            "(((((((((((((((((((((((", "|u1",
            ", header: expected a length that is a whole number, found '(((((((((((((((((((('."
        ),
        ("3", "|u1", ", header: expected '(', found '3, }\\u{a}'."),
        ("(1+1,)", "|u1", ", header: expected ')', found '+1,), }\\u{a}'."),
        ("(4,)", "<c8", ", header: expected real numbers of type f2, f4, f8, i1 to i8, u1 to u4 or b1, found '<c8'."),
        ("(4,)", "|O", ", header: expected real numbers of type f2, f4, f8, i1 to i8, u1 to u4 or b1, found '|O'."),
        ("(4,)", "", ", header: expected real numbers of type f2, f4, f8, i1 to i8, u1 to u4 or b1, found ''."),
    ])
    func hostileShapesAndTypes(shape: String, type: String, expected: String) throws {
        let path = try npy(header(type, shape), [0, 0, 0, 0])
        #expect(sentence { _ = try NPY.read(path) } == "a.npy" + expected)
    }

    @Test(arguments: [
        ("", "expected '{', found its end."),
        ("{", "expected a key in quotation marks, found its end."),
        ("{}", "expected the keys descr, fortran_order and shape, found not all of them."),
        ("{'descr'", "expected ':', found its end."),
        ("{'descr", "expected a key in quotation marks, found ''descr'."),
        ("{'descr': [('x', '<f4')]}", "expected one number type for all elements, found records of several fields."),
        ("{'descr': '\\x3cf4'}", "expected an element type such as '<f4', found ''\\x3cf4'}'."),
        ("{'shape': (1,), 'shape': (2,)}", "expected the keys descr, fortran_order and shape, once each, found 'shape'."),
        ("{'fortran_order': exit()}", "expected True or False, found 'exit()}'."),
        ("{'colour': 1}", "expected the keys descr, fortran_order and shape, once each, found 'colour'."),
        (
            "{'shape': (1,), 'descr': '|u1', 'fortran_order': False} + 1",
            "expected nothing after the closing brace, found '+ 1'."
        ),
    ])
    func hostileHeaders(header: String, expected: String) throws {
        let path = try npy(header, [0])
        #expect(sentence { _ = try NPY.read(path) } == "a.npy, header: " + expected)
    }

    @Test func tooManyAxes() throws {
        let path = try npy(header("|u1", "(" + String(repeating: "1,", count: 5000) + ")"), [0])
        #expect(sentence { _ = try NPY.read(path) } == "a.npy, header: expected at most 64 axes, found more.")
    }

    @Test func filesThatAreNone() throws {
        func check(_ bytes: [UInt8], _ expected: String) throws {
            let path = try folder.file("a.npy", bytes)
            #expect(sentence { _ = try NPY.read(path) } == "a.npy: expected " + expected)
        }
        let magic = [0x93] + Array("NUMPY".utf8)
        try check([], "an .npy file, which starts with \\x93NUMPY, found an empty file.")
        try check(Array("hello world".utf8), "an .npy file, which starts with \\x93NUMPY, found something else.")
        try check(magic, "format version 1.0, 2.0 or 3.0, found the end of the file.")
        try check(magic + [9, 0, 1, 0], "format version 1.0, 2.0 or 3.0, found 9.0.")
        try check(magic + [1, 0, 80], "a header, found the end of the file.")
        try check(magic + [1, 0, 80, 0], "a header of 80 bytes, found the end of the file.")
        try check(magic + [2, 0, 255, 255, 255, 255], "a header of at most 65535 bytes, found 4294967295.")
    }

    /// Every prefix of a good file, and changed bytes at every place of its header, end in an array or a sentence.
    @Test func damagedFilesNeverTrap() throws {
        let path = try npy(header("<f4", "(2, 2)"), Array(0..<16))
        let good = Array(try Data(contentsOf: URL(fileURLWithPath: path)))
        for count in 0..<good.count {
            let cut = try folder.file("cut.npy", Array(good[..<count]))
            #expect(throws: FileError.self) { try NPY.read(cut) }
        }
        for place in 0..<(good.count - 16) {
            for value in [0, 39, 40, 41, 44, 45, 57, 123, 125, 255] as [UInt8] {
                var bytes = good
                bytes[place] = value
                let path = try folder.file("changed.npy", bytes)
                do { _ = try NPY.read(path) } catch { #expect(error.description.hasSuffix(".")) }
            }
        }
    }

    @Test func namesAndFolders() throws {
        let names = "a file name ending in .npy or .csv"
        #expect(sentence { _ = try PointArray(contentsOf: "x.npz") } == "x.npz: expected \(names), found '.npz'.")
        #expect(sentence { _ = try PointArray(contentsOf: "npy") } == "npy: expected \(names), found no extension.")
        let missing = sentence { _ = try NPY.read(folder.path("missing.npy")) }
        #expect(missing == "missing.npy: cannot open: No such file or directory.")
        #expect(sentence { _ = try NPY.read(folder.url.path) }.hasSuffix("expected a file, found a folder."))
        #expect(sentence { _ = try NPY.read("/dev/zero") }.hasSuffix("expected a file, found a device or pipe."))
        let array = PointArray(shape: [1], storage: .float64([1]))
        let unwritable = sentence { try array.write(to: folder.path("no/b.npy")) }
        #expect(unwritable == "b.npy: cannot write: No such file or directory.")
        #expect(fileExtension("a.b/c") == "" && fileExtension(".npy") == "" && fileExtension("x/A.NPY") == "npy")
    }
}
