import Foundation
import Testing

@testable import Kernels

/// Compiles the vector functions with every compiler and instruction set at hand and holds them to their stated accuracy.
@Suite struct VectorMathTests {
    @Test(arguments: Build.available) func accuracy(build: Build) throws {
        let library = try Library(build, VectorMath.functions)
        for function in VectorMath.functions {
            for samples in [true, false].map({ Samples.of(function, isSingle: $0) }) {
                let worst = samples.worst(of: library.apply(function, samples))
                let stated = samples.isSingle ? function.maximumError.float32 : function.maximumError.float64
                let name = "\(function.name)_\(samples.isSingle ? "f32" : "f64")"
                #expect(worst.error <= stated, "\(name)(\(worst.arguments)) = \(worst.got), not \(worst.want)")
            }
        }
    }

    @Test(arguments: Build.available) func halfPrecision(build: Build) throws {
        let library = try Library(build, [])
        // Every half becomes the float it stands for, and comes back.
        let halves = (0...UInt16.max).map { $0 }
        let singles = library.convert(halves, by: "halves_to_singles", from: UInt16.self, to: Float.self)
        for (half, single) in zip(halves, singles) {
            let want = Float(Float16(bitPattern: half))
            #expect(single.isNaN == want.isNaN && (want.isNaN || single.bitPattern == want.bitPattern), "half \(half)")
        }
        // Floats between halves, at ties and beyond the range, round as Float16 does.
        var random = Random()
        let floats =
            singles.flatMap { [$0, $0.nextUp, $0 * 1.00048828125, $0 * 1.0004] }
            + (0..<65536).map { _ in Float(bitPattern: UInt32(truncatingIfNeeded: random.next())) }
        for (float, half) in zip(floats, library.convert(floats, by: "singles_to_halves", from: Float.self, to: UInt16.self)) {
            let want = Float16(float), got = Float16(bitPattern: half)
            #expect(got.isNaN == want.isNaN && (want.isNaN || half == want.bitPattern), "float \(float)")
        }
    }

    @Test(arguments: Build.available) func masks(build: Build) throws {
        let library = try Library(build, [])
        // One lane of every vector differs: any must see it, whichever it is; min keeps a NaN in its second argument.
        var floats = [Float](repeating: 1, count: 32)
        #expect(library.any(floats) == 0)
        for k in floats.indices {
            floats[k] = -1
            #expect(library.any(floats) == 3)
            floats[k] = 1
        }
        #expect(
            library.convert([1, 3, .nan, -0.5] + floats.dropLast(4), by: "smaller_than_two", from: Float.self, to: Float.self)
                .prefix(4).elementsEqual([1, 2, 0, -0.5]) { $0 == $1 || $0.isNaN && $1 == 0 })
    }

    @Test func dependenciesComeFirstAndOnce() {
        let source = VectorMath.source(for: ["acos", "sqrt"], f32: true, f64: false)
        let parts = ["f32 sqrt_f32(", "f32 asin_f32(", "f32 acos_f32("].map { source.components(separatedBy: $0) }
        #expect(parts.allSatisfy { $0.count == 2 })
        #expect(parts[0][0].count < parts[1][0].count && parts[1][0].count < parts[2][0].count)
        #expect(!source.contains("_f64(f64 x)") && !source.contains("exp_f32"))
    }
}

/// A compiler, an instruction set and a number of lanes.
struct Build: Sendable, CustomTestStringConvertible {
    let compiler: String
    let flags: [String]
    /// As many as the registers hold of float32, where f64 is twice as wide; or half as many, where f64 fits.
    let lanes: Int

    var testDescription: String { "\((compiler as NSString).lastPathComponent) \(flags.first ?? "native") lanes \(lanes)" }

    static let available: [Build] = {
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
        let compilers = ["clang", "gcc"].compactMap { name in
            folders.map { "\($0)/\(name)" }.first { FileManager.default.isExecutableFile(atPath: $0) }
        }
        let processor = Set(
            ((try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? "").split { " \n\t".contains($0) })
        var sets: [(flags: [String], needs: [Substring], lanes: Int)] = []
        #if arch(x86_64)
        sets.append((["-msse2"], [], 4))
        sets.append((["-mavx2", "-mfma", "-mf16c"], ["avx2", "fma", "f16c"], 8))
        sets.append(
            (
                ["-mavx512f", "-mavx512dq", "-mavx512vl", "-mavx512bw", "-mavx2", "-mfma", "-mf16c"],
                ["avx512f", "avx512dq", "avx512vl", "avx512bw"], 16
            ))
        #else
        sets.append(([], [], 4))
        #endif
        return compilers.flatMap { compiler in
            sets.filter { $0.needs.allSatisfy(processor.contains) }.flatMap {
                [
                    Build(compiler: compiler, flags: $0.flags, lanes: $0.lanes),
                    Build(compiler: compiler, flags: $0.flags, lanes: $0.lanes / 2),
                ]
            }
        }
    }()
}

/// The compiled functions, each as a loop over an array.
private final class Library {
    private let handle: UnsafeMutableRawPointer

    init(_ build: Build, _ functions: [VectorFunction]) throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("khufu-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let source = folder.appendingPathComponent("functions.c"), object = folder.appendingPathComponent("functions.so")
        try Self.source(functions, lanes: build.lanes).write(to: source, atomically: true, encoding: .utf8)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: build.compiler)
        process.arguments =
            ["-x", "c", "-std=gnu11", "-O2"] + build.flags
            + [
                "-Wall", "-Wextra", "-Werror", "-Wno-psabi", "-ffp-contract=fast", "-fno-math-errno", "-fno-trapping-math",
                "-fPIC", "-shared",
            ]
            + [source.path, "-o", object.path, "-lm"]
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0)
        handle = try #require(dlopen(object.path, RTLD_NOW | RTLD_LOCAL))
    }

    deinit { dlclose(handle) }

    static func source(_ functions: [VectorFunction], lanes: Int) -> String {
        var text = "#define LANES \(lanes)\n" + VectorMath.prelude
        text += VectorMath.source(for: Set(functions.map(\.name)), f32: true, f64: true)
        for function in functions {
            for (type, scalar) in [("f32", "float"), ("f64", "double")] {
                let arguments = ["x", "y"].prefix(function.arity)
                let parameters = arguments.map { "const \(scalar) *\($0), " }.joined()
                let loads = arguments.map { "load_\(type)(\($0) + i)" }.joined(separator: ", ")
                text += """
                    void all_\(function.name)_\(type)(\(parameters)\(scalar) *z, long n)
                    {
                        for (long i = 0; i < n; i += LANES) store_\(type)(z + i, \(function.name)_\(type)(\(loads)));
                    }

                    """
            }
        }
        return text + """
            library1(erf)
            void all_erf_f64(const double *x, double *z, long n) { for (long i = 0; i < n; i += LANES) store_f64(z + i, erf_f64(load_f64(x + i))); }
            void halves_to_singles(const unsigned short *x, float *z, long n) { for (long i = 0; i < n; i += LANES) store_f32(z + i, load_h16(x + i)); }
            void singles_to_halves(const float *x, unsigned short *z, long n) { for (long i = 0; i < n; i += LANES) store_h16(z + i, load_f32(x + i)); }
            void smaller_than_two(const float *x, float *z, long n) { for (long i = 0; i < n; i += LANES) store_f32(z + i, min_f32(splat_f32(2), load_f32(x + i))); }
            int any_negative(const float *x, long n)
            {
                int found = 0;
                for (long i = 0; i < n; i += LANES) {
                    found |= any_i32(load_f32(x + i) < 0);
                    found |= any_i64(f64_from_f32(load_f32(x + i)) < 0) * 2;
                }
                return found;
            }

            """
    }

    private func symbol<T>(_ name: String, as type: T.Type) -> T { unsafeBitCast(dlsym(handle, name)!, to: type) }

    func convert<T, R>(_ x: [T], by name: String, from: T.Type, to: R.Type) -> [R] {
        typealias Apply = @convention(c) (UnsafeRawPointer, UnsafeMutableRawPointer, Int) -> Void
        precondition(x.count % 32 == 0, "whole vectors only")
        return [R](unsafeUninitializedCapacity: x.count) { z, count in
            x.withUnsafeBytes { symbol(name, as: Apply.self)($0.baseAddress!, z.baseAddress!, x.count) }
            count = x.count
        }
    }

    func any(_ x: [Float]) -> Int32 {
        typealias Test = @convention(c) (UnsafePointer<Float>, Int) -> Int32
        return symbol("any_negative", as: Test.self)(x, x.count)
    }

    /// The function's values at the samples, as Double.
    func apply(_ function: VectorFunction, _ samples: Samples) -> [Double] {
        func values<T: BinaryFloatingPoint>(_ type: T.Type, _ suffix: String) -> [Double] {
            let x = samples.x.map { T($0) }, y = samples.y.map { T($0) }
            let name = "all_\(function.name)_\(suffix)"
            guard function.arity == 2 else { return convert(x, by: name, from: T.self, to: T.self).map { Double($0) } }
            typealias Apply = @convention(c) (UnsafeRawPointer, UnsafeRawPointer, UnsafeMutableRawPointer, Int) -> Void
            var z = [T](repeating: 0, count: x.count)
            x.withUnsafeBytes { x in
                y.withUnsafeBytes { y in
                    z.withUnsafeMutableBytes {
                        symbol(name, as: Apply.self)(
                            x.baseAddress!, y.baseAddress!, $0.baseAddress!, $0.count / MemoryLayout<T>.size)
                    }
                }
            }
            return z.map { Double($0) }
        }
        return samples.isSingle ? values(Float.self, "f32") : values(Double.self, "f64")
    }
}

#if arch(x86_64)
private typealias Reference = Float80
#else
private typealias Reference = Double  // then float64 is held to the library's own error besides
#endif

/// Arguments of one function in one precision, and what it should give there.
private struct Samples: Sendable {
    let isSingle: Bool
    var x: [Double] = []
    var y: [Double] = []
    var want: [Reference] = []

    private static let all: [String: (single: Samples, double: Samples)] = Dictionary(
        uniqueKeysWithValues: VectorMath.functions.map { ($0.name, (Samples($0, isSingle: true), Samples($0, isSingle: false))) })

    static func of(_ function: VectorFunction, isSingle: Bool) -> Samples {
        let both = all[function.name]!
        return isSingle ? both.single : both.double
    }

    private init(_ function: VectorFunction, isSingle: Bool) {
        self.isSingle = isSingle
        var random = Random()
        let special = Self.special.map { isSingle ? Double(Float($0)) : $0 }
        /// Uniform in the function's range, of its size and smaller on a logarithmic scale, or any bit pattern.
        func sample(_ range: ClosedRange<Double>, _ kind: Int) -> Double {
            let value: Double
            switch kind {
            case 0: value = range.lowerBound + (range.upperBound - range.lowerBound) * random.uniform()
            case 1:
                let size = max(abs(range.lowerBound), abs(range.upperBound)) * Foundation.exp(-40 * random.uniform())
                value = range.lowerBound < 0 && random.next() & 1 == 0 ? -size : size
            default:
                let bits = random.next()
                return isSingle ? Double(Float(bitPattern: UInt32(truncatingIfNeeded: bits >> 32))) : Double(bitPattern: bits)
            }
            return isSingle ? Double(Float(value)) : value
        }
        if function.arity == 1 {
            x = special
            for k in 0..<12000 { x.append(sample(function.domain[0], k % 8 < 5 ? 0 : k % 8 - 5)) }
        } else {
            for a in special { for b in special { x.append(a); y.append(b) } }
            for k in 0..<12000 { x.append(sample(function.domain[0], k % 3)); y.append(sample(function.domain[1], k / 3 % 3)) }
        }
        while x.count % 64 != 0 { x.append(0.5); if function.arity == 2 { y.append(0.5) } }
        let exact = Self.exact(function.name)
        want = x.indices.map { exact(Reference(x[$0]), function.arity == 2 ? Reference(y[$0]) : 0) }
    }

    private static let special: [Double] = {
        let sizes: [Double] = [
            0, 1e-45, .leastNonzeroMagnitude, 1e-40, 0x1p-1030, 1e-30, 1e-9, 1e-5, 0.41421356, 0.49999997, 0.49999999999999994,
            0.5, 0.70710678, 0.9999999, 1, 1.0000001,
            1.41421356, 1.5, 1.57079632679489662, 2, 2.5, 3, 3.14159265358979312, 87.3, 87.4, 88.72283, 88.72284, 103, 104, 105,
            708.3, 708.4, 709.78,
            709.79, 745, 746, 1e4, 1e5, 100001, 8388609, 1e10, 1e12, 1e13, 4503599627370497, 1e22, 3.4e38, 1.7e308, .infinity,
        ]
        return sizes + sizes.map { -$0 } + [.nan]
    }()

    private static func exact(_ name: String) -> (Reference, Reference) -> Reference {
        switch name {
        case "exp": { x, _ in Foundation.exp(x) }
        case "exp2", "fast_exp2": { x, _ in Foundation.exp2(x) }
        case "log": { x, _ in x < 0 ? .nan : Foundation.log(x) }
        case "sin": { x, _ in Foundation.sin(x) }
        case "cos": { x, _ in Foundation.cos(x) }
        case "asin": { x, _ in Foundation.asin(x) }
        case "acos": { x, _ in Foundation.acos(x) }
        case "atan": { x, _ in Foundation.atan(x) }
        case "atan2": { y, x in Foundation.atan2(y, x) }
        case "pow": { x, y in Foundation.pow(x, y) }
        case "sqrt": { x, _ in x.squareRoot() }
        case "rsqrt": { x, _ in x == 0 ? 0 : 1 / x.squareRoot() }
        case "floor": { x, _ in x.rounded(.down) }
        case "trunc": { x, _ in x.rounded(.towardZero) }
        case "round": { x, _ in x.rounded(.toNearestOrAwayFromZero) }
        default: { _, _ in fatalError("no reference for \(name)") }
        }
    }

    /// The largest error in units in the last place. Results around the smallest normal number may be flushed to zero.
    func worst(of got: [Double]) -> (error: Double, arguments: String, got: Double, want: Reference) {
        let digits = isSingle ? 24 : 53
        let smallest =
            isSingle
            ? Reference(sign: .plus, exponent: -125, significand: 1) : Reference(sign: .plus, exponent: -1021, significand: 1)
        let largest = isSingle ? Double(Float.greatestFiniteMagnitude) : Double.greatestFiniteMagnitude
        var worst = (error: -1.0, index: 0)
        for k in want.indices {
            let exact = want[k], value = got[k]
            var error = 0.0
            if exact.isNaN || value.isNaN {
                error = exact.isNaN == value.isNaN ? 0 : .infinity
            } else if exact.magnitude > Reference(largest) {
                error = value.magnitude >= largest && (value < 0) == (exact < 0) ? 0 : .infinity
            } else if exact.magnitude < smallest {
                error = (Reference(value) - exact).magnitude <= smallest ? 0 : .infinity
            } else {
                let place = Reference(sign: .plus, exponent: exact.exponent - Reference.Exponent(digits - 1), significand: 1)
                error = Double((Reference(value) - exact).magnitude / place)
            }
            if error > worst.error { worst = (error, k) }
        }
        let k = worst.index
        return (worst.error, y.isEmpty ? "\(x[k])" : "\(x[k]), \(y[k])", got[k], want[k])
    }
}

/// xorshift: the same samples every time.
private struct Random {
    private var state: UInt64 = 0x9e37_79b9_7f4a_7c15

    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state &* 0x2545_f491_4f6c_dd1d
    }

    mutating func uniform() -> Double { Double(next() >> 11) * 0x1p-53 }
}
