/// The vector instructions that kernels are written for.
///
/// A kernel's source depends on the width alone; the compiler is told the rest by `targetFlags`.
package enum InstructionSet: String, Sendable, CaseIterable {
    case avx512, avx2, sse2, neon
    /// Any other architecture: 128-bit vectors, of which the compiler makes what it can.
    case portable

    package var vectorBytes: Int {
        switch self {
        case .avx512: 64
        case .avx2: 32
        case .sse2, .neon, .portable: 16
        }
    }

    /// The features, by their names in `Processor.features`, that a processor must have.
    var requiredFeatures: [String] {
        switch self {
        // The subset of every server and desktop part since 2017; AVX-512F alone (Xeon Phi) lacks the integer half.
        case .avx512: ["avx512f", "avx512bw", "avx512dq", "avx512vl", "avx2", "fma", "f16c"]
        case .avx2: ["avx2", "fma", "f16c"]
        case .sse2, .neon, .portable: []  // part of their architectures
        }
    }

    /// The best that a processor can do.
    package static func best(on processor: Processor = .host) -> InstructionSet {
        supported(on: processor)[0]
    }

    /// What a processor can run, widest first; never empty.
    package static func supported(on processor: Processor = .host) -> [InstructionSet] {
        #if arch(x86_64)
        [.avx512, .avx2, .sse2].filter { processor.features.isSuperset(of: $0.requiredFeatures) }
        #elseif arch(arm64)
        [.neon]
        #else
        [.portable]
        #endif
    }

    /// The set to use: the best, or the one that `KHUFU_SIMD` names, which tests use to run the narrower ones.
    package static func selected(
        environment: [String: String] = ProcessEnvironment.current, on processor: Processor = .host
    ) throws(Refusal) -> InstructionSet {
        guard let name = environment.setting("KHUFU_SIMD") else { return best(on: processor) }
        let choices = supported(on: processor)
        if let choice = choices.first(where: { $0.rawValue == name }) { return choice }
        let names = choices.map(\.rawValue).joined(separator: ", ")
        guard let known = InstructionSet(rawValue: name) else {
            throw Refusal(description: "KHUFU_SIMD is \"\(name)\"; on this processor it may be one of: \(names).")
        }
        let missing = known.requiredFeatures.filter { !processor.features.contains($0) }
        let lack = missing.isEmpty ? "is of another architecture" : "lacks \(missing.joined(separator: ", "))"
        throw Refusal(
            description: "KHUFU_SIMD asks for \(name), but this processor (\(processor.modelName)) \(lack); "
                + "it can do: \(names).")
    }

    /// The flags that make clang or gcc compile for exactly this set: for the host's best, everything the host has, and its tuning.
    func targetFlags(on processor: Processor = .host) -> [String] {
        switch self {
        case .neon: ["-mcpu=native"]
        case .portable: []
        case _ where self == .best(on: processor): ["-march=native"]
        case .avx512: ["-mavx512f", "-mavx512bw", "-mavx512dq", "-mavx512vl", "-mavx2", "-mfma", "-mf16c"]
        case .avx2: ["-mavx2", "-mfma", "-mf16c"]
        case .sse2: ["-msse2"]
        }
    }

    /// A request that this machine cannot meet, in a sentence.
    package struct Refusal: Error, Sendable, CustomStringConvertible {
        package let description: String
    }
}
