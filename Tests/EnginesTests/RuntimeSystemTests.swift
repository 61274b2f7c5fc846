import Foundation
import Kernels
import Synchronization
import Testing

@testable import Engines

@Suite struct RuntimeSHA256Tests {
    /// The examples of FIPS 180-4 and of NIST's test suite.
    @Test(arguments: [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
        (
            "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
            "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"
        ),
    ])
    func publishedVectors(message: String, digest: String) {
        #expect(SHA256.hexadecimal(SHA256.digest(of: Array(message.utf8))) == digest)
    }

    @Test func aMillionTimesA() {
        let digest = SHA256.digest(of: [UInt8](repeating: UInt8(ascii: "a"), count: 1_000_000))
        #expect(SHA256.hexadecimal(digest) == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
    }

    @Test func fieldsAreKeptApart() {
        #expect(SHA256.name(of: ["ab", "c"]) != SHA256.name(of: ["a", "bc"]))
        #expect(SHA256.name(of: ["a"]) != SHA256.name(of: ["a", ""]))
    }
}

@Suite struct RuntimeChildProcessTests {
    private let environment = ["PATH": "/usr/bin:/bin", "GREETING": "hello"]

    private func shell(_ command: String, input: [UInt8] = [], timeout: Duration = .seconds(60)) -> ChildProcess.Result {
        ChildProcess.run("/bin/sh", ["-c", command], input: input, environment: environment, timeout: timeout)
    }

    @Test func streamsAndStatus() {
        let result = shell("echo $GREETING; echo trouble >&2; exit 7")
        #expect(result.ending == .exited(status: 7))
        #expect(String(decoding: result.standardOutput, as: UTF8.self) == "hello\n")
        #expect(String(decoding: result.standardError, as: UTF8.self) == "trouble\n")
    }

    @Test func inputLargerThanAnyBufferComesBackWhole() {
        let input = (0..<900_000).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
        #expect(shell("cat", input: input).standardOutput == input)
    }

    @Test func aChildThatReadsNothingIsNoHarm() {
        let result = shell("exec <&-; exit 3", input: [UInt8](repeating: 65, count: 5_000_000))
        #expect(result.ending == .exited(status: 3))
    }

    @Test func aSlowChildIsStopped() {
        let start = ContinuousClock.now
        // The grandchild holds the streams open; it must go as well.
        #expect(shell("sleep 30 & sleep 30", timeout: .milliseconds(200)).ending == .timedOut)
        #expect(shell("exec >&- 2>&- <&-; sleep 30", timeout: .milliseconds(200)).ending == .timedOut)
        #expect(ContinuousClock.now - start < .seconds(10))
    }

    @Test func whatIsNotThereIsNotStarted() {
        let result = ChildProcess.run("/nowhere/cc", [], environment: [:])
        #expect(result.ending == .notStarted(errno: ENOENT))
        #expect(result.ending.description.contains("No such file"))
    }

    @Test func signalsAreReported() {
        #expect(shell("kill -9 $$").ending == .killed(signal: 9))
    }

    @Test func manyAtOnceKeepTheirStreamsApart() {
        let wrong = Atomic(0)
        onThreads(8) { number in
            for _ in 0..<10 {
                let start = ContinuousClock.now
                let result = shell(number == 0 ? "sleep 0.2; echo 0" : "echo \(number)")
                let text = String(decoding: result.standardOutput, as: UTF8.self)
                if text != "\(number)\n" || ContinuousClock.now - start > .seconds(20) { wrong.add(1, ordering: .relaxed) }
            }
        }
        #expect(wrong.load(ordering: .relaxed) == 0)
    }
}

@Suite struct RuntimeProcessorTests {
    private let epyc = Processor(
        processorInformation: """
            processor\t: 0
            model name\t: AMD EPYC 9R14
            flags\t\t: fpu sse sse2 fma avx f16c avx2 avx512f avx512dq avx512bw avx512vl

            processor\t: 1
            model name\t: other
            """)

    @Test func readsProcessorInformation() {
        #expect(epyc.modelName == "AMD EPYC 9R14")
        #expect(epyc.features.contains("avx512vl") && epyc.features.count == 11)
        let arm = Processor(processorInformation: "Features\t: fp asimd sve\nCPU implementer\t: 0x41\nCPU part\t: 0xd40\n")
        #expect(arm.modelName == "ARM implementer 0x41 part 0xd40")
        #expect(arm.features == ["fp", "asimd", "sve"])
    }

    @Test func distancesFollowTheProcessor() throws {
        let intel = Processor(processorInformation: "vendor_id\t: GenuineIntel\nmodel name\t: Xeon\n")
        let amd = Processor(processorInformation: "vendor_id\t: AuthenticAMD\nmodel name\t: EPYC\n")
        let automatic = try DistanceSetting.read([:]).get()
        #expect(automatic.form(rows: 10_000, on: intel) == .inner && automatic.form(rows: 10, on: intel) == .direct)
        #expect(automatic.form(rows: 10_000, on: amd) == .direct)
        for form in SquaredDistances.allCases {
            let named = try DistanceSetting.read(["KHUFU_SQUARED_DISTANCES": form.rawValue]).get()
            for processor in [intel, amd] { #expect(named.form(rows: 1, on: processor) == form) }
        }
        #expect {
            try DistanceSetting.read(["KHUFU_SQUARED_DISTANCES": "both"]).get()
        } throws: {
            "\($0)" == "KHUFU_SQUARED_DISTANCES is \"both\"; it may be one of: direct, inner."
        }
    }

    @Test func hostIsKnown() {
        #expect(Processor.host.modelName != "unknown")
        #expect(InstructionSet.supported().contains(.best()))
    }

    #if arch(x86_64)
    @Test func environmentSelects() throws {
        #expect(InstructionSet.supported(on: epyc) == [.avx512, .avx2, .sse2])
        #expect(try InstructionSet.selected(environment: [:], on: epyc) == .avx512)
        #expect(try InstructionSet.selected(environment: ["KHUFU_SIMD": "avx2"], on: epyc) == .avx2)
        #expect(InstructionSet.avx2.targetFlags(on: epyc) == ["-mavx2", "-mfma", "-mf16c"])
        #expect(InstructionSet.avx512.targetFlags(on: epyc) == ["-march=native"])

        let old = Processor(modelName: "Old", features: ["sse2", "avx2"])
        let lacking = #expect(throws: InstructionSet.Refusal.self) {
            try InstructionSet.selected(environment: ["KHUFU_SIMD": "avx2"], on: old)
        }
        #expect(lacking?.description == "KHUFU_SIMD asks for avx2, but this processor (Old) lacks fma, f16c; it can do: sse2.")
        let unknown = #expect(throws: InstructionSet.Refusal.self) {
            try InstructionSet.selected(environment: ["KHUFU_SIMD": "mmx"], on: old)
        }
        #expect(unknown?.description == "KHUFU_SIMD is \"mmx\"; on this processor it may be one of: sse2.")
    }
    #endif
}
