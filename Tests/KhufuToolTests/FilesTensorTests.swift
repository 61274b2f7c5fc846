import Foundation
import Khufu
import Testing

/// Tensors in `.npy` files: what is converted, what is mapped, and what cannot be. Damaged files are tested in `FilesNPYTests`.
@Suite struct FilesTensorTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func path(_ name: String) -> String { folder.path(name) }

    private func random(_ shape: [Int]) -> Tensor<Double> {
        var generator = SeededGenerator(seed: 1)
        return Tensor(uniform: -1..<1, shape: shape, using: &generator)
    }

    /// A file put together by hand, its header filled up to a number of bytes.
    private func npy(_ type: String, _ shape: String, _ data: [UInt8], fortran: String = "False", start: Int = 128) throws
        -> String
    {
        var header = Array("{'descr': '\(type)', 'fortran_order': \(fortran), 'shape': \(shape), }".utf8)
        header += Array(repeating: UInt8(ascii: " "), count: start - 10 - header.count - 1) + [UInt8(ascii: "\n")]
        let bytes = [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(header.count & 255), UInt8(header.count >> 8)] + header + data
        return try folder.file("a.npy", bytes)
    }

    private func expectKept<Element: NPYElement>(_ tensor: Tensor<Element>) throws {
        try tensor.write(npy: path("b.npy"))
        #expect(try Tensor<Element>(contentsOfNPY: path("b.npy")) == tensor)
        #expect(try Tensor<Element>(mappingNPY: path("b.npy")) == tensor)
    }

    @Test func writtenAndReadAgain() throws {
        for shape in [[], [3], [2, 3], [0], [4, 0], [1, 1, 2, 1]] {
            try expectKept(random(shape))
            try expectKept(try Tensor<Float>(random(shape).elements.map { Float($0) }, shape: shape))
            try expectKept(try Tensor<Int>(random(shape).elements.map { Int($0 * 1e18) }, shape: shape))
        }
        try expectKept(Tensor<Double>([-.infinity, .leastNonzeroMagnitude, .greatestFiniteMagnitude]))
        try expectKept(Tensor<Int>([.min, .max]))
        // A slice, a transpose: what lies otherwise in memory.
        try expectKept(random([4, 3])[1..<3, ...])
        try expectKept(random([4, 3]).transposed())
        #expect(folder.contents == ["b.npy"])
    }

    @Test func otherTypesAreConverted() throws {
        let shorts: [UInt8] = [1, 0, 254, 255]
        #expect(try Tensor<Float>(contentsOfNPY: npy("<i2", "(2,)", shorts)) == [1, -2])
        #expect(try Tensor<Double>(contentsOfNPY: npy("<i2", "(2,)", shorts)) == [1, -2])
        #expect(try Tensor<Int>(contentsOfNPY: npy("<i2", "(2,)", shorts)).elements == [1, -2])
        #expect(try Tensor<Int>(contentsOfNPY: npy("|b1", "(2,)", [0, 1])).elements == [0, 1])
        #expect(try Tensor<Float>(contentsOfNPY: npy("<f2", "(2,)", [0x00, 0x3c, 0x00, 0xc0])) == [1, -2])
        #expect(try Tensor<Double>(contentsOfNPY: npy(">f4", "(1,)", [0x3f, 0xc0, 0, 0])) == [1.5])
        try Tensor<Double>([0.1, 1e300]).write(npy: path("b.npy"))
        #expect(try Tensor<Float>(contentsOfNPY: path("b.npy")).elements == [0.1, .infinity])
        try Tensor<Float>([0.1]).write(npy: path("b.npy"))
        #expect(try Tensor<Double>(contentsOfNPY: path("b.npy")).elements == [Double(0.1 as Float)])
    }

    @Test func fortranOrderBecomesRowMajor() throws {
        let path = try npy("|u1", "(2, 3)", [1, 4, 2, 5, 3, 6], fortran: "True")
        #expect(try Tensor<Double>(contentsOfNPY: path) == [[1, 2, 3], [4, 5, 6]])
        let vector = try npy("<f4", "(2,)", [0, 0, 128, 63, 0, 0, 0, 0], fortran: "True")
        #expect(try Tensor<Float>(mappingNPY: vector) == [1, 0])
    }

    @Test func mistakesAreSentences() throws {
        let bytes = [UInt8](repeating: 0, count: 8)
        #expect(
            sentence { _ = try Tensor<Int>(contentsOfNPY: npy("<f8", "(1,)", bytes)) }
                == "a.npy, header: expected whole numbers, found '<f8'.")
        let mapping = "a.npy, header: expected '<f4' to map, which converts nothing, found "
        #expect(sentence { _ = try Tensor<Float>(mappingNPY: npy("<f8", "(1,)", bytes)) } == mapping + "'<f8'.")
        #expect(sentence { _ = try Tensor<Float>(mappingNPY: npy(">f4", "(2,)", bytes)) } == mapping + "'>f4'.")
        #expect(sentence { _ = try Tensor<Float>(mappingNPY: npy("<i4", "(2,)", bytes)) } == mapping + "'<i4'.")
        #expect(
            sentence { _ = try Tensor<Float>(mappingNPY: npy("<f4", "(1, 2)", bytes, fortran: "True")) }
                == "a.npy, header: expected row-major numbers to map, found Fortran order.")
        #expect(
            sentence { _ = try Tensor<Double>(mappingNPY: npy("<f8", "(1,)", bytes, start: 132)) }
                == "a.npy, header: expected numbers that start at a multiple of 8 bytes to map, found a start at byte 132.")
        #expect(try Tensor<Double>(contentsOfNPY: npy("<f8", "(1,)", bytes, start: 132)) == [0])
        #expect(
            sentence { _ = try Tensor<Float>(mappingNPY: npy("<f4", "(3,)", bytes)) }
                == "a.npy: expected 12 bytes of data for shape [3] of '<f4', found 8 bytes.")
        #expect(sentence { _ = try Tensor<Float>(mappingNPY: path("c.npy")) } == "c.npy: cannot open: No such file or directory.")
        #expect(
            sentence { try Tensor<Float>([1]).write(npy: path("no/b.npy")) }
                == "b.npy: cannot write: No such file or directory.")
        #expect(throws: FileError.self) { try Tensor<Float>(contentsOfNPY: path("")) }
    }

    /// 64 GiB that are not there but for a few numbers: what is not touched is not read.
    @Test func filesLargerThanMemoryAreMapped() throws {
        let rows = 1 << 32
        let path = try npy("<f4", "(\(rows), 4)", [])
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        try file.truncate(atOffset: 128 + UInt64(rows) * 16)
        try file.seek(toOffset: 128 + UInt64(rows - 1) * 16)
        let numbers: [Float] = [1, 2, 3, 4]
        try file.write(contentsOf: numbers.flatMap { withUnsafeBytes(of: $0.bitPattern.littleEndian) { Array($0) } })
        try file.close()
        func isMapped() -> Bool { (try? String(contentsOfFile: "/proc/self/maps", encoding: .utf8).contains(path)) ?? false }

        var points: Tensor<Float>? = try Tensor(mappingNPY: path)
        #expect(points!.shape == [rows, 4])
        #expect(points![-1, ...] == [1, 2, 3, 4])
        var last: Tensor<Float>? = points![(-1000)..., ...]
        points = nil
        #if os(Linux)
        #expect(isMapped())
        #endif

        // Squared distances of the last thousand rows, where they lie, from two points.
        let distances = try KernelReduction("SqDist(x, y)", ["x = Vi(4)", "y = Vj(4)"])
        let others: [Float] = [1, 1, 1, 1, 0, 0, 0, 0]
        let sums = try last!.withUnsafeBufferPointer { x in
            try others.withUnsafeBufferPointer { y in try distances.run([x, y]) }
        }
        #expect(sums.values == Array(repeating: 4, count: 999) + [14 + 30])
        last = nil
        #if os(Linux)
        #expect(!isMapped())
        #endif
    }
}
