import Foundation
import Testing

@testable import KhufuTool

/// The commands that tell of formulas, of the machine, and the demonstration.
@Suite struct CommandReportTests {
    private func run(_ line: String, environment: [String: String] = [:]) throws -> Tool.Answer {
        try Tool.run(line, in: try TemporaryFolder(), environment: environment)
    }

    // MARK: explain

    @Test func stagesAreToldApart() throws {
        let answer = try run("explain Exp(-SqDist(x,y)/Exp(g))*Log(SqNorm2(x))*SqNorm2(y) x=i:3 y=j:3 g=p:1")
        #expect(answer.status == 0 && answer.errors == "")
        for words in [
            "once           p1 = Exp(g)", "for each i     r1 = Log(Sum(x**2))", "for each j     c1 = Sum(y**2)", "for each pair",
            "1 number per i",
        ] {
            #expect(answer.output.contains(words), "\(words) is missing in:\n\(answer.output)")
        }
    }

    @Test func rolesFollowTheIndex() throws {
        let answer = try run("explain Exp(SqNorm2(x))*Exp(SqNorm2(y)) x=i:3 y=j:3 --over i")
        #expect(answer.output.contains("for each j     r1 = "))
    }

    @Test func formOfLongDistancesIsTold() throws {
        for (form, isTold) in [("inner", true), ("direct", false)] {
            let answer = try run(
                "explain SqDist(x,y) x=i:50 y=j:50", environment: ["KHUFU_SQUARED_DISTANCES": form])
            #expect(answer.output.contains("distances      by inner products") == isTold, "\(answer.output)")
        }
    }

    @Test func gradientsAreFormulas() throws {
        let answer = try run("explain Exp(-SqDist(x,y)) x=i:3 y=j:3 --gradient y")
        #expect(answer.output.contains("with respect to y") && answer.output.contains("Sum over i of"))
        let zero = try run("explain Exp(x) x=i:3 y=j:3 --gradient y")
        #expect(zero.output.contains("with respect to y: zero"))
    }

    @Test func sourceAlone() throws {
        let short = try run("explain Exp(-SqDist(x,y)) x=i:3 y=j:3 --source c")
        #expect(short.status == 0 && short.output.hasPrefix("// Sum over j of") && short.output.contains("khufu_rows"))
        #expect(!short.output.contains("exp2_f32(f32"))
        let whole = try run("explain Exp(-SqDist(x,y)) x=i:3 y=j:3 --source c --prelude --dtype float64")
        #expect(whole.output.contains("exp2_f64(f64"))
        #expect(try run("explain x x=i:3 --gradient x --source c").output.contains("Var(1,3,0)"))
    }

    @Test func pruningIsTold() throws {
        for (formula, words) in [
            ("Exp(-SqDist(x,y))", "pruning        with --tolerance, by way of a lattice"),
            ("Exp(-Norm2(x-y))", "pruning        with --tolerance, pairs"),
            ("SqDist(x,y) --reduction KMin", "the result is the same"),
            ("Sum(x) --reduction Min", "pruning        none"),
        ] { #expect(try run("explain \(formula) x=i:3 y=j:3").output.contains(words), "\(formula)") }
        let answer = try run("explain SqDist(x,y) x=i:3 y=j:3 --reduction ArgMin --points 9000")
        #expect(answer.output.contains("% of the pairs of 9,000 random points") && !answer.output.contains("100 %"))
        let sum = try run("explain Exp(-SqDist(x,y)) x=i:3 y=j:3 --points 300 --tolerance 1e-3")
        #expect(sum.output.contains("evaluated      100 % of the pairs of 300 random points"))
    }

    @Test func commonFactorsAreShownOutsideTheSum() throws {
        let answer = try run("explain Exp(-g*SqDist(x,y))*b x=i:3 y=j:3 b=j:1 g=p:1 --gradient x")
        #expect(answer.output.contains("at the end     sum × r1"))
        #expect(answer.output.contains("a pair costs   8 instructions of arithmetic, 1 exp2; reads 4 numbers"))
    }

    // MARK: bench

    @Test(arguments: ["cpu", "interpreter"]) func benchTimesAReduction(device: String) throws {
        let answer = try run("bench Exp(-SqDist(x,y)) x=i:3 y=j:3 --points 200 --device \(device)")
        #expect(answer.status == 0 && answer.errors == "")
        let lines = answer.output.split(separator: "\n")
        try #require(lines.count == 2)
        #expect(lines[1].hasPrefix("Exp(-SqDist(x,y))") && lines[1].contains("200  float32"))
        // Only compiled code is held to the processor's limit.
        #expect(lines[1].hasSuffix("%") == (device == "cpu"))
    }

    @Test func benchRefuses() throws {
        #expect(try run("bench Exp(x) x=i:3 --points 0").sentence.contains("--points"))
        #expect(try run("bench Exp(z) x=i:3").status == 65)
    }

    // MARK: lists, doctor, cache

    @Test func lists() throws {
        #expect(try run("operations").output.contains("SqDist(f, g)"))
        #expect(try run("operations SOFTDTW").output.contains("SoftDTW"))
        #expect(try run("operations --markdown").output.hasPrefix("| Name |"))
        #expect(try run("reductions").output.contains("ArgKMin"))
        #expect(try run("--version").output == "khufu \(KhufuCommand.version)\n")
        let help = try run("--help").output
        for code in ExitStatus.allCases { #expect(help.contains(" \(code.rawValue) ")) }
    }

    @Test func doctor() throws {
        let folder = try TemporaryFolder()
        let answer = try Tool.run("doctor", in: folder, environment: ["KHUFU_CACHE_DIR": folder.path("cache"), "KHUFU_CC": ""])
        for word in ["processor", "compilers", "interpreter: works", "opencl", "safe: it is yours", "self-check"] {
            #expect(answer.output.contains(word), "\(word) is missing in:\n\(answer.output)")
        }
        #expect((answer.status == 0) == answer.output.contains("agrees with the interpreter"))
    }

    @Test func doctorWithoutACompiler() throws {
        let answer = try run("doctor", environment: ["KHUFU_CC": "/nonexistent"])
        #expect(answer.status == 69 && answer.output.contains("refused  /nonexistent (named by KHUFU_CC)"))
    }

    @Test func doctorWithoutAGPU() throws {
        let nowhere = ["KHUFU_LIBCUDA": "/nonexistent", "KHUFU_NVRTC": "/nowhere", "KHUFU_OPENCL": "/elsewhere"]
        let output = try run("doctor", environment: nowhere).output
        #expect(output.contains("cuda driver    absent   /nonexistent (named by KHUFU_LIBCUDA) is not there"))
        #expect(output.contains("cuda compiler  absent   /nowhere (named by KHUFU_NVRTC) is not there"))
        #expect(output.contains("cuda: There is no CUDA device: /nonexistent (named by KHUFU_LIBCUDA) is not there."))
        #expect(output.contains("absent   /elsewhere (named by KHUFU_OPENCL) is not there"))
        #expect(output.contains("opencl: none"))
    }

    @Test func cacheIsShownAndCleared() throws {
        let folder = try TemporaryFolder()
        let setting = ["KHUFU_CACHE_DIR": folder.path("cache")]
        _ = try Tool.run("doctor", in: folder, environment: setting)
        #expect(try Tool.run("cache", in: folder, environment: setting).output.contains("cache\n"))
        #expect(try Tool.run("cache --clear", in: folder, environment: setting).output.contains("deleted"))
        #expect(try Tool.run("cache", in: folder, environment: setting).output.contains("0 files"))
    }

    @Test func brokenOutput() throws {
        let folder = try TemporaryFolder()
        let path = try #require(Tool.path)
        func shell(_ line: String) throws -> (status: Int32, errors: String) {
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/bin/sh")
            process.arguments = ["-c", line.replacingOccurrences(of: "khufu", with: "'\(path)'")]
            let errors = try folder.file("errors", "")
            process.standardError = FileHandle(forWritingAtPath: errors)
            process.standardOutput = FileHandle.nullDevice
            try process.run()
            process.waitUntilExit()
            return (process.terminationStatus, try String(contentsOfFile: errors, encoding: .utf8))
        }
        // A reader that leaves early is no mistake; a full disk is.
        #expect(try shell("khufu operations | head -1") == (0, ""))
        if FileManager.default.fileExists(atPath: "/dev/full") {
            #expect(
                try shell("khufu operations > /dev/full") == (
                    74, "Error: Standard output cannot be written: No space left on device.\n"
                ))
        }
    }

    // MARK: demo

    @Test func demo() throws {
        let folder = try TemporaryFolder()
        let answer = try Tool.run("demo -o map", in: folder)
        #expect(answer.status == 0, "\(answer.errors)")
        #expect(folder.contents == ["map.png", "map.svg"])
        for words in ["accuracy    9", "they agree", "in all, compiling included"] {
            #expect(answer.output.contains(words), "\(words) is missing in:\n\(answer.output)")
        }
    }
}
