import Kernels

/// How many vector instructions, and vector functions, the processor finishes per second when nothing holds them up: the limits
/// that a kernel is held to. Measured, for all threads at once, by loops without memory traffic or dependencies.
package final class ProcessorRates {
    private let instructionSet: InstructionSet
    private let cache: KernelCache
    private let threads: Int
    private let type: ScalarType
    private var known: [String: Double] = [:]

    /// - Parameter type: the type computed in.
    package init(type: ScalarType, threads: Int, cache: KernelCache = .shared) throws(CompilationError) {
        self.type = type
        self.threads = threads
        self.cache = cache
        instructionSet = try cache.instructionSet
    }

    package var lanes: Int { instructionSet.vectorBytes / type.byteCount }

    /// The least time for some pairs of points, with every lane in use.
    package func bound(_ cost: PairCost, pairs: Double) throws(CompilationError) -> Double {
        var seconds = max(
            Double(cost.arithmetic) / (try arithmetic), Double(cost.multiplications) / (try multiplications))
        // Divisions and roots have a unit of their own, beside which all else goes on.
        var divider = 0.0
        for (name, count) in cost.functions {
            let time = Double(count) / (try rate(of: name))
            if Self.dividing.contains(name) { divider += time } else { seconds += time }
        }
        return max(seconds, divider) * pairs / Double(lanes)
    }

    private static let dividing: Set<String> = [PairCost.division, "sqrt", "rsqrt"]

    /// Instructions of arithmetic per second, additions and multiply-adds in equal parts.
    private var arithmetic: Double {
        get throws(CompilationError) { try arithmetic("+", multiplying: 6, of: 12) }
    }

    /// Multiply-adds per second.
    private var multiplications: Double {
        get throws(CompilationError) { try arithmetic("*", multiplying: 12, of: 12) }
    }

    private func arithmetic(_ key: String, multiplying products: Int, of count: Int) throws(CompilationError) -> Double {
        let body = """
            for (long long k = 0; k < n; k++) {
                for (int l = 0; l < \(products); l++) a[l] = a[l] * factor + term;
                for (int l = \(products); l < \(count); l++) a[l] = a[l] + term;
            }
            """
        return try rate(key, functions: [], sums: count, perTurn: Double(count), body)
    }

    /// Calls of a vector function per second; infinite for what is no function of one argument known here.
    package func rate(of name: String) throws(CompilationError) -> Double {
        let suffix = type == .float64 ? "f64" : "f32"
        let number = "*(const volatile \(suffix) *)&x[l]"
        if name == PairCost.division {
            return try rate(name, functions: [], sums: 8, perTurn: 8, Self.turn("a[l] + 1 / \(number)"))
        }
        guard let function = VectorMath.function(named: name), function.arity == 1 else { return .infinity }
        return try rate(
            name, functions: [name], sums: 8, perTurn: 8, Self.turn("a[l] + \(name)_\(suffix)(\(number))"))
    }

    private static func turn(_ expression: String) -> String {
        "for (long long k = 0; k < n; k++) for (int l = 0; l < 8; l++) a[l] = \(expression);"
    }

    private func rate(
        _ key: String, functions: Set<String>, sums: Int, perTurn: Double, _ body: String
    ) throws(CompilationError) -> Double {
        if let rate = known[key] { return rate }
        let isDouble = type == .float64
        let vector = isDouble ? "f64" : "f32"
        let source = """
            #define LANES \(lanes)
            \(VectorMath.prelude)
            \(VectorMath.source(for: functions, f32: !isDouble, f64: isDouble))
            long long khufu_rate(long long n)
            {
                \(vector) a[\(sums)], x[8];
                volatile \(isDouble ? "double" : "float") one = 1, small = 1e-6;
                const \(vector) factor = splat_\(vector)(one - small), term = splat_\(vector)(small);
                for (int l = 0; l < \(sums); l++) a[l] = splat_\(vector)(small * l);
                for (int l = 0; l < 8; l++) x[l] = splat_\(vector)(one / (l + 2));
            \(body)
                \(vector) total = a[0];
                for (int l = 1; l < \(sums); l++) total = total + a[l];
                return (long long)total[0];
            }
            """
        let library = try cache.library(for: source, instructionSet: instructionSet)
        guard let symbol = library.symbol("khufu_rate") else {
            throw .unloadable(compiler: try cache.compiler.path, reason: "it lacks khufu_rate")
        }
        let function = unsafeBitCast(symbol, to: (@convention(c) (Int64) -> Int64).self)
        let turns = 2_000_000 / Int64(sums)
        let clock = ContinuousClock()
        var best = Double.infinity
        for _ in 0..<8 {
            let time = clock.measure {
                ThreadPool.shared.run(count: threads, threads: threads) { _ in _ = function(turns) }
            }
            best = min(best, time / .seconds(1))
        }
        withExtendedLifetime(library) {}
        let rate = Double(turns) * perTurn * Double(threads) / best
        known[key] = rate
        return rate
    }
}
