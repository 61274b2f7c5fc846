import Foundation
import Testing

@testable import ArrayFiles
@testable import KhufuTool
@testable import SampleData

@Suite struct FilesLiteralTests {
    @Test func literals() throws {
        #expect(try PointArray(literal: "0.5") == PointArray(shape: [1], storage: .float64([0.5])))
        #expect(try PointArray(literal: "0.5, 2,-1e-3") == PointArray(shape: [3], storage: .float64([0.5, 2, -0.001])))
        let wrong = sentence { _ = try PointArray(literal: "0.5,x") }
        #expect(wrong.hasPrefix("'0.5,x', number 2: expected numbers separated by commas") && wrong.hasSuffix("found 'x'."))
        #expect(sentence { _ = try PointArray(literal: "1,,2") }.hasSuffix("found nothing."))
        #expect(sentence { _ = try PointArray(literal: "") }.hasSuffix("found nothing."))
    }

    @Test func parametersAreFilesOrNumbers() throws {
        let folder = try TemporaryFolder()
        let path = try folder.file("p.csv", "1,2\n")
        #expect(try PointArray(parameter: path).shape == [1, 2])
        #expect(try PointArray(parameter: "3").doubles == [3])
        #expect(throws: FileError.self) { try PointArray(parameter: "missing.npy") }
        #expect(throws: PointArray.LiteralError.self) { try PointArray(parameter: "missing") }
    }

    @Test func conversions() {
        let array = PointArray(shape: [2], storage: .int64([1, 16_777_217]))
        #expect(array.floats == [1, 16_777_216] && array.doubles == [1, 16_777_217])
        #expect(PointArray(shape: [1], storage: .float64([0.1])).floats == [0.1])
        #expect(PointArray.count(of: [2, -1]) == nil && PointArray.count(of: [0, -1]) == nil && PointArray.count(of: []) == 1)
    }

    @Test func dataFilesAreFound() throws {
        #expect(try PointArray(contentsOf: DataFolder.path(of: "digits.csv")).shape == [1797, 65])
        #expect(try PointArray(contentsOf: DataFolder.path(of: "airports.csv")).shape == [3376, 2])
        #expect(try PointArray(contentsOf: DataFolder.path(of: "cities.csv")).shape == [45065, 2])
        #expect(throws: DataFolder.Missing.self) { try DataFolder.path(of: "none.csv") }
    }
}
