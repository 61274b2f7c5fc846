import Foundation
import Khufu
import Testing

@testable import ArrayFiles
@testable import KhufuTool

/// Mistakes on the command line: the exit code, one sentence, and never a trap.
@Suite struct CommandErrorTests {
    static let cases: [(line: String, status: Int32, words: String)] = [
        ("reduce", 64, "formula"),
        ("bogus", 64, "bogus"),
        ("reduce x x=i", 64, "no ':'"),
        ("reduce x x", 64, "no '='"),
        ("reduce x x=q:x.npy", 64, "i, j or p"),
        ("reduce x x=i:", 64, "missing"),
        ("reduce x 1x=i:x.npy", 64, "'1x'"),
        ("reduce x =i:x.npy", 64, "''"),
        ("reduce x x=i:x.npy x=j:y.npy", 64, "two inputs"),
        ("reduce x x=i:x.npy --reduction Summ", 64, "no reduction named Summ"),
        ("reduce x x=i:x.npy --over k", 64, "'i' and 'j'"),
        ("reduce x x=i:x.npy --dtype int8", 64, "float32"),
        ("reduce x x=i:x.npy --device abacus", 64, "interpreter"),
        ("reduce x x=i:x.npy --threads 0", 64, "1 to 1024"),
        ("reduce x x=i:x.npy --threads 99999999999", 64, "1 to 1024"),
        ("reduce x x=i:x.npy --k 99999999999999999999", 64, "--k"),
        ("reduce x x=i:x.npy --gradient x", 64, "go together"),
        ("reduce x x=i:x.npy --cotangent e.csv", 64, "go together"),
        ("reduce x x=i:x.npy --gradient z --cotangent e.csv", 64, "'z'"),
        ("reduce x x=i:x.npy -o out.txt", 64, ".npy or .csv"),
        ("reduce x x=i:x.npy -o out", 64, ".npy or .csv"),
        ("reduce x+ x=i:x.npy", 65, "expected here"),
        ("reduce z x=i:x.npy", 65, "no variable `z`"),
        ("reduce Expp(x) x=i:x.npy", 65, "`Exp` is near"),
        ("reduce x-y x=i:x.npy y=j:e.csv --weight x", 65, "no weight"),
        ("reduce SqDist(x,y) x=i:x.npy y=j:y.npy --reduction KMin --k 0", 65, "at least 1"),
        ("reduce x-y x=i:x.npy y=i:y.npy", 65, "one number of points"),
        ("reduce x x=i:0.5", 65, "numbers are for parameters"),
        ("reduce g g=p:a,b", 65, "'a'"),
        ("reduce g g=p:x.npy", 65, "one vector"),
        ("reduce x x=i:bad.csv", 65, "line 2"),
        ("reduce x x=i:bad.npy", 65, "NUMPY"),
        ("reduce x x=i:x.txt", 65, ".npy or .csv"),
        ("reduce x x=i:flat.npy", 65, "dimension of 'x' is 0"),
        ("reduce OneHot(x[0],1048576) x=i:tall.npy", 65, "memory"),
        ("reduce Var(7,1,0) x=i:x.npy", 65, "Var(7,1,0)"),
        ("reduce x x=i:x.npy --gradient x --cotangent y.npy", 65, "shape of the result"),
        ("reduce x x=i:x.npy --reduction ArgMin --gradient x --cotangent e.csv", 65, "no derivative"),
        ("reduce x x=i:none.npy", 66, "No such file"),
        ("reduce x x=i:folder.npy", 66, "a folder"),
        ("reduce x x=i:x.npy -o nowhere/out.npy", 73, "No such file"),
        ("reduce x x=i:x.npy -o folder.npy", 73, "a folder"),
        ("explain x x=i:0", 65, "1 to 1,048,576"),
        ("explain x x=i:3.5", 64, "whole number"),
        ("explain x x=i:3 --gradient y", 64, "'y'"),
        ("explain x x=i:3 --prelude", 64, "--source"), ("explain x x=i:3 --points 0", 64, "--points"),
        ("explain x x=i:3 --tolerance 0.1", 64, "--points"),
        ("explain x x=i:3 --source fortran", 64, "'c'"),
        ("explain x x=i:3 --reduction ArgMin --gradient x", 65, "no derivative"),
        ("demo -o picture.gif", 65, ".svg or .png"),
        ("demo -o nowhere/picture", 73, "No such file"),
        ("operations zzzz", 65, "zzzz"),
    ]

    @Test(arguments: cases) func mistake(line: String, status: Int32, words: String) throws {
        let p = try SmallProblem()
        _ = try p.folder.file("bad.csv", "1,2\n3\n")
        _ = try p.folder.file("bad.npy", "nonsense")
        try PointArray(shape: [5, 0], storage: .float64([])).write(to: p.folder.path("flat.npy"))
        try PointArray(shape: [300_000, 1], storage: .float32(Array(repeating: 0, count: 300_000))).write(
            to: p.folder.path("tall.npy"))
        try FileManager.default.createDirectory(atPath: p.folder.path("folder.npy"), withIntermediateDirectories: false)
        let before = p.folder.contents
        let answer = try p.run(line)
        #expect(answer.status == status, "\(answer.errors)")
        #expect(answer.errors.hasPrefix("Error: ") && answer.errors.contains(words), "\(answer.errors)")
        #expect(answer.output == "")
        #expect(p.folder.contents == before)
    }

    @Test func mistakesInFormulasAreDrawn() throws {
        let answer = try SmallProblem().run("reduce Exp(x)*Sqrd(x) x=i:x.npy")
        #expect(answer.errors.split(separator: "\n").suffix(2) == ["  Exp(x)*Sqrd(x)", "         ^^^^"])
    }

    @Test func hostileTextDoesNotReachTheTerminal() throws {
        let folder = try TemporaryFolder()
        for arguments in [
            ["reduce", "\u{1b}[2Jx", "x=i:x.npy"], ["reduce", "x", "\u{1b}[2J=i:x.npy"], ["reduce", "x", "x=i:\u{1b}[2J.npy"],
            ["\u{1b}[2J"],
        ] {
            let answer = try Tool.run(arguments, in: folder)
            #expect([64, 65, 66].contains(answer.status) && !answer.errors.contains("\u{1b}"), "\(answer.errors)")
        }
    }

    @Test func anyArgumentsEndInACode() throws {
        let p = try SmallProblem()
        let words = [
            "reduce", "explain", "", "x", "x=i:x.npy", "y=j:y.npy", "x=i:3", "y=j:1", "-", "--", "--k", "-1", "--weight", "x*x",
            "--over", "i",
            "--gradient", "--cotangent", "e.csv", "-o", "out.npy", "--reduction", "LogSumExp", "=:", "g=p:1e400", "((",
            "SqDist(x,y)", "\u{0301}", "👩‍👩‍👧",
        ]
        var random = SeededGenerator(seed: 11)
        for _ in 0..<60 {
            let arguments = (0..<Int.random(in: 1...7, using: &random)).map { _ in words.randomElement(using: &random)! }
            let answer = try Tool.run(arguments, in: p.folder)
            #expect([0, 64, 65, 66, 69, 73].contains(answer.status), "\(arguments): \(answer.status) \(answer.errors)")
            #expect((answer.status == 0) != answer.errors.contains("Error: "), "\(arguments): \(answer.errors)")
        }
    }
}
