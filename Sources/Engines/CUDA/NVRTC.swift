/// NVIDIA's compiler of CUDA C++ as a library. It needs no GPU and no toolkit, and has no headers to include.
final class NVRTC: Sendable {
    private let library: SharedLibrary
    let version: CUDAVersion
    /// The devices that it makes machine code for.
    let supported: [ComputeCapability]

    private let nvrtcGetErrorString: @convention(c) (Int32) -> UnsafePointer<CChar>?
    private let nvrtcCreateProgram:
        @convention(c) (
            _ program: UnsafeMutablePointer<UInt>, _ source: UnsafePointer<CChar>, _ name: UnsafePointer<CChar>,
            _ headerCount: Int32, _ headers: UnsafeRawPointer?, _ headerNames: UnsafeRawPointer?
        ) -> Int32
    private let nvrtcCompileProgram:
        @convention(c) (_ program: UInt, _ count: Int32, _ options: UnsafePointer<UnsafePointer<CChar>?>) -> Int32
    private let nvrtcDestroyProgram: @convention(c) (_ program: UnsafeMutablePointer<UInt>) -> Int32
    private let machineCode: Output
    private let intermediate: Output
    private let log: Output

    /// A pair of functions that tell the size of something and then give it.
    private struct Output: Sendable {
        let size: @convention(c) (_ program: UInt, UnsafeMutablePointer<Int>) -> Int32
        let bytes: @convention(c) (_ program: UInt, UnsafeMutablePointer<UInt8>) -> Int32

        init(_ library: SharedLibrary, _ name: String) throws(SharedLibrary.LoadingError) {
            size = try library.function("nvrtcGet\(name)Size")
            bytes = try library.function("nvrtcGet\(name)")
        }
    }

    init(_ library: SharedLibrary) throws(SharedLibrary.LoadingError) {
        self.library = library
        nvrtcGetErrorString = try library.function("nvrtcGetErrorString")
        nvrtcCreateProgram = try library.function("nvrtcCreateProgram")
        nvrtcCompileProgram = try library.function("nvrtcCompileProgram")
        nvrtcDestroyProgram = try library.function("nvrtcDestroyProgram")
        machineCode = try Output(library, "CUBIN")
        intermediate = try Output(library, "PTX")
        log = try Output(library, "ProgramLog")

        typealias Version = @convention(c) (_ major: UnsafeMutablePointer<Int32>, _ minor: UnsafeMutablePointer<Int32>) -> Int32
        let nvrtcVersion: Version = try library.function("nvrtcVersion")
        var (major, minor): (Int32, Int32) = (0, 0)
        guard nvrtcVersion(&major, &minor) == 0 else {
            throw SharedLibrary.LoadingError(reason: "does not tell its version")
        }
        version = CUDAVersion(major: Int(major), minor: Int(minor))

        typealias Numbers = @convention(c) (UnsafeMutablePointer<Int32>) -> Int32
        let nvrtcGetNumSupportedArchs: Numbers = try library.function("nvrtcGetNumSupportedArchs")
        let nvrtcGetSupportedArchs: Numbers = try library.function("nvrtcGetSupportedArchs")
        var count: Int32 = 0
        guard nvrtcGetNumSupportedArchs(&count) == 0, count > 0 else {
            throw SharedLibrary.LoadingError(reason: "does not tell which devices it compiles for")
        }
        var numbers = [Int32](repeating: 0, count: Int(count))
        _ = nvrtcGetSupportedArchs(&numbers)
        supported = numbers.map { ComputeCapability(number: Int($0)) }.sorted()
    }

    /// Options of every kernel, part of the numerical contract: multiply-adds may be fused; division, roots and subnormal numbers stay exact.
    static let standardOptions = [
        "--std=c++17", "--fmad=true", "--prec-div=true", "--prec-sqrt=true", "--ftz=false",
    ]

    /// Compiles a source text.
    ///
    /// - Parameter options: more options for the compiler.
    /// - Returns: what the driver loads, and what the compiler had to say.
    func compile(
        _ source: String, for target: CUDATarget, options: [String] = []
    ) throws(EngineError) -> (code: [UInt8], log: String) {
        var program: UInt = 0
        try check(nvrtcCreateProgram(&program, source, "kernel.cu", 0, nil, nil), "cannot begin")
        defer { _ = nvrtcDestroyProgram(&program) }

        let options = Self.standardOptions + [target.option] + options
        let status = Self.withCStrings(options) { nvrtcCompileProgram(program, Int32(options.count), $0) }
        let log = (try? output(log, of: program)).map(Self.text) ?? ""
        guard status == 0 else {
            let beginning = log.split(separator: "\n").prefix(12).joined(separator: "\n")
            try check(status, "did not compile a kernel with \(target.option)", details: beginning)
            return ([], log)
        }
        return switch target {
        case .machineCode: (try output(machineCode, of: program), log)
        // The driver reads PTX up to a zero; one more is no harm.
        case .intermediate: (try output(intermediate, of: program) + [0], log)
        }
    }

    private func output(_ output: Output, of program: UInt) throws(EngineError) -> [UInt8] {
        var size = 0
        try check(output.size(program, &size), "does not give what it made")
        var bytes = [UInt8](repeating: 0, count: size)
        try check(output.bytes(program, &bytes), "does not give what it made")
        return bytes
    }

    private func check(_ status: Int32, _ failure: String, details: String = "") throws(EngineError) {
        guard status != 0 else { return }
        let name = nvrtcGetErrorString(status).map { String(cString: $0) } ?? "its error \(status)"
        throw EngineError("NVRTC \(version) \(failure): \(name)" + (details.isEmpty ? "." : "\n\(details)"))
    }

    private static func text(_ bytes: [UInt8]) -> String {
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }

    private static func withCStrings<Result>(
        _ texts: [String], _ body: (UnsafePointer<UnsafePointer<CChar>?>) -> Result
    ) -> Result {
        var bytes: [CChar] = []
        let offsets = texts.map { text in
            defer { bytes += text.utf8CString }
            return bytes.count
        }
        return bytes.withUnsafeBufferPointer { bytes in
            let pointers: [UnsafePointer<CChar>?] = offsets.map { bytes.baseAddress! + $0 }
            return pointers.withUnsafeBufferPointer { body($0.baseAddress!) }
        }
    }
}
