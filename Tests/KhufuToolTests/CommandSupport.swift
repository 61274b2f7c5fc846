import Foundation
import Testing

@testable import ArrayFiles
@testable import KhufuTool

/// The built command, run as users run it: exit codes, streams and signals are part of the contract.
struct Tool {
    struct Answer {
        let status: Int32
        let output: String
        let errors: String

        /// The first line of standard error.
        var sentence: String { errors.split(separator: "\n").first.map(String.init) ?? "" }
    }

    /// The executable that was built with these tests.
    static let path: String? = {
        let folders = [CommandLine.arguments[0], Bundle.main.bundlePath, Bundle.main.executablePath ?? ""].flatMap { path in
            [URL(fileURLWithPath: path), URL(fileURLWithPath: path).deletingLastPathComponent()]
        }
        // Where the tests' runner is a program of the toolchain, the build folder is that of the package.
        let package = URL(fileURLWithPath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent(
                ".build/debug")
        return (folders + [package]).map { $0.appendingPathComponent("khufu").path }.first { path in
            var isFolder: ObjCBool = false
            return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && !isFolder.boolValue
                && FileManager.default.isExecutableFile(atPath: path)
        }
    }()

    /// Runs a command in a folder, with the arguments parted at blanks unless they are given one by one.
    static func run(_ arguments: [String], in folder: TemporaryFolder, environment: [String: String] = [:]) throws -> Answer {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: try #require(path, "the command khufu was not built beside the tests"))
        process.arguments = arguments
        process.currentDirectoryURL = folder.url
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        // Files, not pipes: a pipe that nobody reads stops the command when it is full.
        let output = try folder.file(".output-\(UUID().uuidString)", "")
        let errors = try folder.file(".errors-\(UUID().uuidString)", "")
        defer {
            for path in [output, errors] { try? FileManager.default.removeItem(atPath: path) }
        }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle(forWritingAtPath: output)
        process.standardError = FileHandle(forWritingAtPath: errors)
        try process.run()
        process.waitUntilExit()
        return Answer(
            status: process.terminationReason == .exit ? process.terminationStatus : 128 + process.terminationStatus,
            output: try String(contentsOfFile: output, encoding: .utf8),
            errors: try String(contentsOfFile: errors, encoding: .utf8))
    }

    static func run(_ line: String, in folder: TemporaryFolder, environment: [String: String] = [:]) throws -> Answer {
        try run(line.split(separator: " ").map(String.init), in: folder, environment: environment)
    }
}

/// A small problem in files, and the same numbers to check against.
struct SmallProblem {
    let folder: TemporaryFolder
    let x = [[0.0, 0], [1, 0], [0.5, 2]]
    let y = [[0.0, 1], [1, 1], [2, -1], [0.25, 0.5]]
    let b = [1.0, -2, 0.5, 3]
    let e = [1.0, 2, -1]
    let g = 0.5

    init() throws {
        folder = try TemporaryFolder()
        try write(x, "x.npy")
        try write(y, "y.npy")
        try PointArray(shape: [4], storage: .float64(b)).write(to: folder.path("b.npy"))
        try write(e.map { [$0] }, "e.csv")
        _ = try folder.file("y.csv", y.map { $0.map { "\($0)" }.joined(separator: ",") }.joined(separator: "\n"))
        _ = try folder.file("y.tsv", y.map { $0.map { "\($0)" }.joined(separator: "\t") }.joined(separator: "\n"))
        try PointArray(shape: [3, 2], storage: .float32(x.joined().map { Float($0) })).write(to: folder.path("single.npy"))
    }

    private func write(_ rows: [[Double]], _ name: String) throws {
        try PointArray(shape: [rows.count, rows[0].count], storage: .float64(Array(rows.joined()))).write(to: folder.path(name))
    }

    static let formula = "Exp(-g*SqDist(x,y))*b"
    static let inputs = "x=i:x.npy y=j:y.npy b=j:b.npy g=p:0.5"

    /// e^(-g |x_i - y_j|²) b_j
    func term(_ i: Int, _ j: Int) -> Double { exp(-g * distance(i, j)) * b[j] }

    func distance(_ i: Int, _ j: Int) -> Double { zip(x[i], y[j]).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) } }

    func run(_ line: String) throws -> Tool.Answer { try Tool.run(line, in: folder) }

    /// Runs `reduce` and returns the file that it wrote.
    func reduce(_ line: String, to name: String = "out.npy") throws -> PointArray {
        let answer = try run("reduce \(line) -o \(name)")
        try #require(answer.status == 0, "\(answer.errors)")
        #expect(answer.output == "" && answer.errors == "")
        return try PointArray(contentsOf: folder.path(name))
    }
}

/// Whether numbers agree up to rounding.
func expectClose(_ a: [Double], _ b: [Double], within tolerance: Double = 1e-12, _ place: SourceLocation = #_sourceLocation) {
    #expect(a.count == b.count, sourceLocation: place)
    for (a, b) in zip(a, b) { #expect(abs(a - b) <= tolerance * max(1, abs(b)), "\(a) is not \(b)", sourceLocation: place) }
}
