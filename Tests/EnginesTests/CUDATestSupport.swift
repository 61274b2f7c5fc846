import Foundation
import NVIDIASupport
import Testing

@testable import Engines

/// A CUDA of a test's own, without a GPU: see FakeCUDA.c.
final class FakeCUDA {
    let scratch: ScratchFolder
    let path: String
    private let library: SharedLibrary

    /// Compiled once; each test loads a copy, which has its own state.
    private static let compiled = Result { () throws -> Data in
        let scratch = try ScratchFolder()
        let source = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("FakeCUDA/FakeCUDA.c")
        let library = scratch.path + "/fake.so"
        let environment = scratch.environment()
        try KernelCache(environment: environment).compiler.compile(
            try String(contentsOf: source, encoding: .utf8), flags: ["-O1"], to: library, environment: environment)
        return try Data(contentsOf: URL(fileURLWithPath: library))
    }

    init(_ settings: [String: Int] = [:]) throws {
        scratch = try ScratchFolder()
        path = scratch.path + "/fakecuda.so"
        try Self.compiled.get().write(to: URL(fileURLWithPath: path))
        library = try SharedLibrary(path: path)
        for (key, value) in settings { set(key, value) }
    }

    /// The environment that makes it the driver and the compiler.
    func environment(_ changes: [String: String] = [:]) -> [String: String] {
        scratch.environment(["KHUFU_LIBCUDA": path, "KHUFU_NVRTC": path].merging(changes) { $1 })
    }

    func runtime(_ changes: [String: String] = [:]) -> CUDARuntime {
        let environment = environment(changes)
        return CUDARuntime(environment: environment, cache: KernelCache(environment: environment))
    }

    /// Its device 0.
    func device() throws -> CUDADevice { try runtime().device(0) }

    func set(_ key: String, _ value: Int) {
        call("fake_set", as: (@convention(c) (UnsafePointer<CChar>, CInt) -> Void).self)(key, CInt(value))
    }

    /// Has kernels compute, on this processor.
    func compute() throws {
        let header = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("FakeCUDA/HostCUDA.h")
        let compiler = try KernelCache(environment: scratch.environment()).compiler
        call(
            "fake_compute",
            as: (@convention(c) (UnsafePointer<CChar>, UnsafePointer<CChar>, UnsafePointer<CChar>) -> Void).self)(
                compiler.path, header.path, scratch.path)
    }

    func count(_ key: String) -> Int {
        Int(call("fake_count", as: (@convention(c) (UnsafePointer<CChar>) -> CInt).self)(key))
    }

    /// What was called since last asked.
    func log() -> [String] {
        let text = call("fake_log", as: (@convention(c) () -> UnsafePointer<CChar>).self)()
        return String(cString: text).split(separator: "\n").map(String.init)
    }

    /// Whatever was taken and not given back.
    var leaks: [String: Int] {
        let kinds = ["contexts", "depth", "modules", "streams", "events", "buffers", "programs"]
        return kinds.reduce(into: [:]) { leaks, kind in
            if count(kind) != 0 { leaks[kind] = count(kind) }
        }
    }

    // MARK: The caller's streams

    func newStream() -> UInt { call("fake_stream", as: (@convention(c) () -> UInt).self)() }

    func run(_ stream: UInt) { call("fake_run", as: (@convention(c) (UInt) -> Void).self)(stream) }

    /// Captures a graph on a stream; false if something spoiled it.
    func capture(_ stream: UInt, _ body: () throws -> Void) rethrows -> Bool {
        call("fake_begin_capture", as: (@convention(c) (UInt) -> Void).self)(stream)
        let end = call("fake_end_capture", as: (@convention(c) (UInt) -> CInt).self)
        do { try body() } catch {
            _ = end(stream)
            throw error
        }
        return end(stream) != 0
    }

    var captureMode: Int { Int(call("fake_capture_mode", as: (@convention(c) () -> CInt).self)()) }

    private func call<Function>(_ name: String, as type: Function.Type) -> Function {
        try! library.function(name)
    }
}

extension NVIDIATools {
    static func openNVRTC() throws -> NVRTC {
        try NVRTC(try SharedLibrary(path: try #require(nvrtc)))
    }
}

/// The message of the mistake in a call that a body is to be told of.
func bindingError(_ body: () throws -> Void, sourceLocation: SourceLocation = #_sourceLocation) -> String {
    #expect(throws: BindingError.self, sourceLocation: sourceLocation, performing: body)?.description ?? ""
}

/// The message of the error that a body is to throw.
func engineError(_ body: () throws -> Void, sourceLocation: SourceLocation = #_sourceLocation) -> String {
    #expect(throws: EngineError.self, sourceLocation: sourceLocation, performing: body)?.description ?? ""
}
