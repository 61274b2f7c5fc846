import Foundation
import Testing

@testable import ArrayFiles
@testable import KhufuTool

@Suite struct CommandReduceTests {
    typealias P = SmallProblem

    // MARK: Results

    @Test(arguments: ["auto", "cpu", "interpreter"]) func sumsOnEveryDevice(device: String) throws {
        let p = try P()
        let result = try p.reduce("\(P.formula) \(P.inputs) --device \(device)")
        #expect(result.shape == [3, 1])
        expectClose(result.doubles, (0..<3).map { i in (0..<4).reduce(0) { $0 + p.term(i, $1) } })
    }

    @Test func sumsOverI() throws {
        let p = try P()
        let result = try p.reduce("\(P.formula) \(P.inputs) --over i")
        expectClose(result.doubles, (0..<4).map { j in (0..<3).reduce(0) { $0 + p.term($1, j) } })
    }

    @Test(arguments: ["y.csv", "y.tsv"]) func textFilesAsInputs(file: String) throws {
        let p = try P()
        let result = try p.reduce("SqDist(x,y) x=i:x.npy y=j:\(file)")
        expectClose(result.doubles, (0..<3).map { i in (0..<4).reduce(0) { $0 + p.distance(i, $1) } })
    }

    @Test func writesText() throws {
        let p = try P()
        let result = try p.reduce("\(P.formula) \(P.inputs)", to: "out.csv")
        #expect(result.shape == [3, 1])
        expectClose(result.doubles, (0..<3).map { i in (0..<4).reduce(0) { $0 + p.term(i, $1) } })
    }

    @Test func typeComesFromNumpyFiles() throws {
        let p = try P()
        func isDouble(_ line: String) throws -> Bool {
            if case .float64 = try p.reduce(line).storage { true } else { false }
        }
        #expect(try isDouble("x x=i:x.npy"))
        #expect(try !isDouble("x x=i:single.npy"))
        #expect(try !isDouble("y y=j:y.csv"))
        #expect(try !isDouble("x*g x=i:single.npy g=p:0.1"))
        #expect(try isDouble("SqDist(x,y) x=i:single.npy y=j:y.npy"))
        #expect(try isDouble("x x=i:single.npy --dtype float64"))
        #expect(try !isDouble("x x=i:x.npy --dtype float32"))
    }

    @Test func indicesAreWholeNumbers() throws {
        let p = try P()
        let result = try p.reduce("SqDist(x,y) x=i:x.npy y=j:y.npy --reduction ArgKMin --k 2")
        let expected = (0..<3).flatMap { i in (0..<4).sorted { p.distance(i, $0) < p.distance(i, $1) }.prefix(2).map { Int64($0) }
        }
        #expect(result == PointArray(shape: [3, 2], storage: .int64(expected)))
    }

    @Test func valuesAndIndicesGoToTwoFiles() throws {
        let p = try P()
        let values = try p.reduce("SqDist(x,y) x=i:x.npy y=j:y.npy --reduction Min_ArgMin_Reduction", to: "least.csv")
        let indices = try PointArray(contentsOf: p.folder.path("least-indices.csv"))
        let nearest = (0..<3).map { i in (0..<4).min { p.distance(i, $0) < p.distance(i, $1) }! }
        expectClose(values.doubles, nearest.enumerated().map { p.distance($0, $1) })
        #expect(indices.doubles == nearest.map { Double($0) })
    }

    @Test func weightsAndNegativeFormulas() throws {
        let p = try P()
        let result = try p.reduce("-SqDist(x,y) x=i:x.npy y=j:y.npy --reduction SumSoftMaxWeight --weight y")
        let expected = (0..<3).flatMap { i -> [Double] in
            let weights = (0..<4).map { exp(-p.distance(i, $0)) }
            return (0..<2).map { k in (0..<4).reduce(0) { $0 + weights[$1] * p.y[$1][k] } / weights.reduce(0, +) }
        }
        expectClose(result.doubles, expected)
        #expect(try p.run("reduce -x x=i:x.npy").status == 0)
    }

    @Test func parametersAreVectorsOfNumbersOrFiles() throws {
        let p = try P()
        _ = try p.folder.file("g.csv", "1,2\n")
        _ = try p.folder.file("column.csv", "1\n2\n")
        let expected = [0.0, 0, 1, 0, 0.5, 4]
        for source in ["1,2", "g.csv", "column.csv"] {
            #expect(try p.reduce("x*g x=i:x.npy g=p:\(source)").doubles == expected)
        }
    }

    @Test func leadingAxesAreABatch() throws {
        let p = try P()
        let batch = PointArray(shape: [2, 3, 2], storage: .float64((p.x + p.x).joined().map { $0 }))
        try batch.write(to: p.folder.path("batch.npy"))
        let result = try p.reduce("SqDist(x,y) x=i:batch.npy y=j:y.npy")
        #expect(result.shape == [2, 3, 1])
        #expect(Array(result.doubles.prefix(3)) == Array(result.doubles.suffix(3)))
    }

    @Test func emptyDataIsData() throws {
        let p = try P()
        try PointArray(shape: [0, 2], storage: .float64([])).write(to: p.folder.path("none.npy"))
        #expect(try p.reduce("SqDist(x,y) x=i:none.npy y=j:y.npy").shape == [0, 1])
        #expect(try p.reduce("SqDist(x,y) x=i:x.npy y=j:none.npy").doubles == [0, 0, 0])
        let answer = try p.run("reduce x x=i:none.npy")
        #expect(answer.status == 0 && answer.output.contains("0 × 2"))
    }

    // MARK: Gradients

    @Test func gradients() throws {
        let p = try P()
        let line = "\(P.formula) \(P.inputs) --cotangent e.csv --gradient"
        let b = try p.reduce("\(line) b")
        #expect(b.shape == [4, 1])
        expectClose(b.doubles, (0..<4).map { j in (0..<3).reduce(0) { $0 + p.e[$1] * p.term($1, j) / p.b[j] } })
        let x = try p.reduce("\(line) x")
        #expect(x.shape == [3, 2])
        expectClose(
            x.doubles,
            (0..<3).flatMap { i in
                (0..<2).map { k in (0..<4).reduce(0) { $0 - 2 * p.g * p.e[i] * p.term(i, $1) * (p.x[i][k] - p.y[$1][k]) } }
            })
        let g = try p.reduce("\(line) g")
        #expect(g.shape == [1])
        var expected = 0.0
        for i in 0..<3 { for j in 0..<4 { expected -= p.e[i] * p.term(i, j) * p.distance(i, j) } }
        expectClose(g.doubles, [expected])
    }

    // MARK: The summary

    @Test func summary() throws {
        let p = try P()
        let answer = try p.run("reduce SqDist(x,y) x=i:x.npy y=j:y.npy --reduction Min_ArgMin --device interpreter --threads 1")
        #expect(answer.status == 0 && answer.errors == "")
        for word in ["Min_ArgMin over j", "3 × 1, float64", "3 × 1, int64", "0.3125", "interpreter, 1 thread"] {
            #expect(answer.output.contains(word), "\(word) is missing in:\n\(answer.output)")
        }
    }

    @Test func notANumberIsCounted() throws {
        let p = try P()
        _ = try p.folder.file("odd.csv", "nan\ninf\n1\n")
        let answer = try p.run("reduce v v=i:odd.csv")
        #expect(answer.output.contains("1 to 1, mean 1; 1 not a number; 1 infinite"))
    }

    @Test func unusedInputsAreNoted() throws {
        let answer = try P().run("reduce x x=i:x.npy y=j:y.npy")
        #expect(answer.status == 0 && answer.sentence == "Note: the result does not depend on the values of 'y'.")
    }

    // MARK: Compiling

    /// Processes that start at once on an empty cache: all compile, none spoils the others' library.
    @Test func manyProcessesOnAColdCache() throws {
        let p = try P()
        let cache = p.folder.path("cache")
        let processes = try (0..<8).map { number in
            let process = Process()
            process.executableURL = URL(fileURLWithPath: try #require(Tool.path))
            process.currentDirectoryURL = p.folder.url
            process.environment = ProcessInfo.processInfo.environment.merging(["KHUFU_CACHE_DIR": cache]) { $1 }
            process.arguments =
                ["reduce", P.formula] + P.inputs.split(separator: " ").map(String.init)
                + ["--device", "cpu", "-o", "out\(number).npy"]
            process.standardError = FileHandle.nullDevice
            try process.run()
            return process
        }
        for (number, process) in processes.enumerated() {
            process.waitUntilExit()
            try #require(process.terminationReason == .exit && process.terminationStatus == 0)
            let result = try PointArray(contentsOf: p.folder.path("out\(number).npy"))
            expectClose(result.doubles, (0..<3).map { i in (0..<4).reduce(0) { $0 + p.term(i, $1) } })
        }
        let files = try FileManager.default.contentsOfDirectory(atPath: cache)
        #expect(files.filter { $0.hasSuffix(".so") }.count == 1)
        #expect(!files.contains { $0.hasPrefix("khufu-tmp") }, "\(files)")
    }

    // MARK: Without a compiler

    @Test func withoutACompiler() throws {
        let p = try P()
        let line = "reduce SqDist(x,y) x=i:x.npy y=j:y.npy"
        let setting = ["KHUFU_CC": "/nonexistent"]
        let automatic = try Tool.run(line, in: p.folder, environment: setting)
        #expect(automatic.status == 0 && automatic.sentence.hasPrefix("Note: interpreted."))
        let asked = try Tool.run(line + " --device cpu", in: p.folder, environment: setting)
        #expect(asked.status == 69 && asked.sentence.contains("/nonexistent"))
    }

    @Test func interruptionLeavesNothing() throws {
        let p = try P()
        let count = 300_000
        try PointArray(shape: [count, 1], storage: .float32((0..<count).map { Float($0) })).write(to: p.folder.path("long.npy"))
        let before = p.folder.contents
        let process = Process()
        process.executableURL = URL(fileURLWithPath: try #require(Tool.path))
        process.currentDirectoryURL = p.folder.url
        process.arguments = [
            "reduce", "Exp(-SqDist(x,y))", "x=i:long.npy", "y=j:long.npy", "-o", "out.npy", "--device", "interpreter",
        ]
        try process.run()
        Thread.sleep(forTimeInterval: 0.5)
        process.terminate()
        process.waitUntilExit()
        #expect(process.terminationReason == .uncaughtSignal && process.terminationStatus == SIGTERM)
        #expect(p.folder.contents == before)
    }
}
