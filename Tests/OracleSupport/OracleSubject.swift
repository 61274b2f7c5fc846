import Engines
import Formulas
import Kernels
import RandomNumbers

/// A reduction under test, compiled from text once and run on many sizes, types and engines.
package final class OracleSubject: Sendable {
    package let expression: OracleExpression
    package let weight: OracleExpression?
    /// One of the names of Genred.
    package let name: String
    package let k: Int
    package let over: ReducedIndex
    package let accumulation: Accumulation
    package let domains: [Int: OracleDomain]
    package let isExact: Bool
    package let text: String
    private let weightText: String?
    package let compiled: CompiledReduction
    private let variables: [OracleExpression.Variable]

    /// - Parameters:
    ///   - domains: where the variables' numbers come from, by index; `.real` for the others.
    ///   - isExact: every step is exact in every type, so that results must be equal.
    package init(
        _ name: String = "Sum", of expression: OracleExpression, weight: OracleExpression? = nil, k: Int = 1,
        over: ReducedIndex = .j, accumulation: Accumulation = .init(), domains: [Int: OracleDomain] = [:], isExact: Bool = false,
        infix: Bool = false, cache: KernelCache = .shared
    ) throws {
        (self.expression, self.weight, self.name, self.k, self.over) = (expression, weight, name, k, over)
        (self.accumulation, self.domains, self.isExact) = (accumulation, domains, isExact)
        text = expression.text(infix: infix)
        weightText = weight?.text(infix: infix)
        variables = Set(expression.variables + (weight?.variables ?? [])).sorted { $0.index < $1.index }
        do {
            let reduction = try Reduction(
                Reduction.Kind(named: name), of: Formula(parsing: text), weight: weightText.map { try Formula(parsing: $0) },
                k: k,
                over: over, accumulation: accumulation)
            compiled = try CompiledReduction(
                reduction,
                declarations: variables.map {
                    Declaration(
                        variable: Formulas.Variable(
                            index: $0.index, dimension: $0.dimension, category: Category(rawValue: $0.category)!))
                }, cache: cache)
        } catch {
            throw OracleFailure("\(name) of \(text)\(weightText.map { " weighted by " + $0 } ?? ""): \(error)")
        }
    }

    /// How and on what it is run.
    package struct Call: Sendable {
        package var m = 5
        package var n = 7
        package var type = ScalarType.float32
        package var engine = OracleEngine.compiled
        /// Changes to the options, of what no other field says.
        package var adjust: (@Sendable (inout ExecutionOptions) -> Void)?
        package var threads = 1
        package var seed = 1
        /// Batch shapes of the variables, by index; none where one is missing.
        package var batches: [Int: [Int]] = [:]
        package var sparsity: BlockSparsity?
        /// At most so many rows are checked, spread over the result.
        package var checkedRows = 24

        package init(
            m: Int = 5, n: Int = 7, type: ScalarType = .float32, engine: OracleEngine = .compiled, threads: Int = 1,
            seed: Int = 1,
            batches: [Int: [Int]] = [:], sparsity: BlockSparsity? = nil, checkedRows: Int = 24
        ) {
            (self.m, self.n, self.type, self.engine, self.threads) = (m, n, type, engine, threads)
            (self.seed, self.batches, self.sparsity, self.checkedRows) = (seed, batches, sparsity, checkedRows)
        }
    }

    /// One line that says everything needed to do it again.
    package func describe(_ call: Call) -> String {
        var line = "\(name) over \(over.rawValue) of \"\(text)\""
        if let weightText { line += " weight \"\(weightText)\"" }
        if name.contains("KM") { line += " K=\(k)" }
        line += " M=\(call.m) N=\(call.n) \(call.type.rawValue) \(call.engine.rawValue) threads=\(call.threads) seed=\(call.seed)"
        if accumulation != Accumulation() {
            line += " \(accumulation.scheme.rawValue) double=\(accumulation.usesDoubleAccumulator)"
        }
        if !call.batches.isEmpty { line += " batches=\(call.batches.sorted { $0.key < $1.key }.map { "\($0.key):\($0.value)" })" }
        if let sparsity = call.sparsity {
            line +=
                " ranges=" + sparsity.patterns.map { "\($0.rowRanges)|\($0.ends)|\($0.columnRanges)" }.joined(separator: " / ")
        }
        return line
    }

    // MARK: Data

    private func pointCount(_ category: Int, _ call: Call) -> Int {
        guard category < 2, variables.contains(where: { $0.category == category }) else { return 1 }
        return category == 0 ? call.m : call.n
    }

    package func arrays(_ call: Call) -> [OracleArray] {
        var random = RandomSource(seed: call.seed)
        return variables.map { variable in
            let batch = call.batches[variable.index] ?? []
            let points = pointCount(variable.category, call)
            let domain = domains[variable.index] ?? .real
            var values: [Double] = []
            for _ in 0..<points * batch.reduce(1, *) { values += domain.vector(variable.dimension, &random) }
            return OracleArray(
                values, type: call.type, shape: batch + (variable.category == 2 ? [] : [points]) + [variable.dimension])
        }
    }

    // MARK: Running

    /// A result with all that was written.
    package struct Result: Hashable, Sendable {
        package var values: [Double]
        package var indices: [Int64]
    }

    package func run(_ call: Call) throws -> Result { try run(arrays(call), call) }

    package func run(_ arrays: [OracleArray], _ call: Call) throws -> Result {
        let inputs = arrays.map(\.input)
        let shape = try compiled.resultShape(for: inputs)
        let bytes = shape.valueTotal * call.type.byteCount
        let (guardBytes, guardByte) = (64, UInt8(0xA5))
        let values = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes + guardBytes, alignment: 64)
        let indices = UnsafeMutableBufferPointer<Int64>.allocate(capacity: shape.indexTotal + 8)
        defer {
            values.deallocate()
            indices.deallocate()
        }
        values.initializeMemory(as: UInt8.self, repeating: guardByte)
        indices.initialize(repeating: -77)
        var options = call.engine.options(threads: call.threads, sparsity: call.sparsity)
        call.adjust?(&options)
        try compiled.run(
            inputs, options: options,
            values: UnsafeMutableRawBufferPointer(rebasing: values[..<bytes]),
            indices: UnsafeMutableBufferPointer(rebasing: indices[..<shape.indexTotal]))
        guard values[bytes...].allSatisfy({ $0 == guardByte }), indices[shape.indexTotal...].allSatisfy({ $0 == -77 }) else {
            throw OracleFailure("memory after the result was written to")
        }
        withExtendedLifetime(arrays) {}
        return Result(
            values: (0..<shape.valueTotal).map { call.type.read(UnsafeRawPointer(values.baseAddress!), $0) },
            indices: Array(indices[..<shape.indexTotal]))
    }

    // MARK: Checking

    /// Nil where the engine agrees with the oracle; else one line with the case and the first difference.
    package func check(_ call: Call) -> String? {
        do {
            let arrays = arrays(call)
            let result = try run(arrays, call)
            return difference(result, arrays, call).map { "\(describe(call)): \($0)" }
        } catch {
            return "\(describe(call)): throws \(error)"
        }
    }

    /// - Parameter data: numbers of the variables, in order of their index, in place of random ones.
    package func check(_ call: Call, data: [[Double]]) -> String? {
        do {
            let arrays = zip(variables, data).map { variable, values in
                OracleArray(
                    values, type: call.type,
                    shape: variable.category == 2
                        ? [variable.dimension] : [values.count / variable.dimension, variable.dimension])
            }
            var call = call
            call.m = arrays.indices.first { variables[$0].category == 0 }.map { arrays[$0].shape[0] } ?? 1
            call.n = arrays.indices.first { variables[$0].category == 1 }.map { arrays[$0].shape[0] } ?? 1
            let result = try run(arrays, call)
            return difference(result, arrays, call).map { "\(describe(call)) on data \(data.map { $0.prefix(12) }): \($0)" }
        } catch {
            return "\(describe(call)): throws \(error)"
        }
    }

    private func difference(_ result: Result, _ arrays: [OracleArray], _ call: Call) -> String? {
        let outputCategory = over == .j ? 0 : 1
        let (rows, columns) = (pointCount(outputCategory, call), pointCount(1 - outputCategory, call))
        let batchShape = [Int].broadcasting(variables.map { call.batches[$0.index] ?? [] })
        let total = batchShape.reduce(1, *) * rows
        guard total > 0 else { return result.values.isEmpty && result.indices.isEmpty ? nil : "the result should be empty" }
        let (valueCount, indexCount) = (result.values.count / total, result.indices.count / total)
        let step = max(1, total / call.checkedRows)
        // The last row too, and not the first of each block only.
        for start in stride(from: 0, to: total, by: step) {
            let flat = start + step > total ? total - 1 : start + (start / step) % step
            let (item, row) = flat.quotientAndRemainder(dividingBy: rows)
            let expected = expectation(row, item, batchShape, columns, arrays.map(\.values), call)
            guard expected.values.count == valueCount, expected.indices.count == indexCount else {
                return
                    "\(valueCount) numbers and \(indexCount) indices per row, not \(expected.values.count) and \(expected.indices.count)"
            }
            for (c, range) in expected.values.enumerated() {
                let value = result.values[flat * valueCount + c]
                if !accepts(value, range, call) {
                    return "row \(row) of item \(item), number \(c) is \(value), not \(range.lowerBound) to \(range.upperBound)"
                }
            }
            for (c, allowed) in expected.indices.enumerated() {
                let index = result.indices[flat * indexCount + c]
                if !allowed.contains(index) {
                    return "row \(row) of item \(item), index \(c) is \(index), not of \(allowed.sorted().prefix(4))"
                }
            }
        }
        return nil
    }

    private func accepts(_ value: Double, _ range: ClosedRange<Double>, _ call: Call) -> Bool {
        // Where the oracle cannot tell.
        if range.lowerBound == -.infinity, range.upperBound == .infinity { return true }
        if range.contains(value) { return true }
        if value.isNaN || !range.lowerBound.isFinite { return false }
        // Stored in a type that may be too small or too coarse.
        if value.isInfinite { return max(abs(range.lowerBound), abs(range.upperBound)) > 0.99 * call.type.largest }
        let room = call.type.unitRoundoff * max(abs(range.lowerBound), abs(range.upperBound)) * 1.01 + call.type.smallestStep
        return value >= range.lowerBound - room && value <= range.upperBound + room
    }

    /// All numbers of the result by the oracle.
    package func values(_ data: [[Double]], _ call: Call) -> [Double] {
        let (rows, columns) = pointCounts(call)
        let batchShape = [Int].broadcasting(variables.map { call.batches[$0.index] ?? [] })
        return (0..<batchShape.reduce(1, *) * rows).flatMap { flat in
            expectation(flat % rows, flat / rows, batchShape, columns, data, call).values.map {
                ($0.lowerBound + $0.upperBound) / 2
            }
        }
    }

    /// The terms of a row, and how far rounding may move them.
    private func expectation(
        _ row: Int, _ item: Int, _ batchShape: [Int], _ columns: Int, _ data: [[Double]], _ call: Call
    ) -> OracleExpectation {
        let roundoff = call.engine.isDouble || call.type == .float64 ? 0x1p-53 : 0x1p-24
        var random = RandomSource(seed: call.seed &+ row &* 7919)
        let outputCategory = over == .j ? 0 : 1
        var inputs = Array(repeating: [Double](), count: (variables.map(\.index).max() ?? -1) + 1)
        func load(_ k: Int, _ point: Int) {
            let variable = variables[k]
            let batchItem = (call.batches[variable.index] ?? []).item(of: item, in: batchShape)
            let points = variable.category == 2 ? 1 : pointCount(variable.category, call)
            let start = (batchItem * points + point) * variable.dimension
            inputs[variable.index] = Array(data[k][start..<start + variable.dimension])
        }
        for k in variables.indices where variables[k].category != 1 - outputCategory {
            load(k, variables[k].category == 2 ? 0 : row)
        }
        var terms: [OracleExpectation.Term] = []
        let met = columnsMet(by: row, item, columns, call)
        let samples = isExact ? 0 : met.count > 2000 ? 2 : 3
        for column in met {
            for k in variables.indices where variables[k].category == 1 - outputCategory { load(k, column) }
            let (value, deviation) = evaluate(expression, inputs, roundoff, samples, &random)
            let (weightValue, weightDeviation) = weight.map { evaluate($0, inputs, roundoff, samples, &random) } ?? ([], [])
            terms.append(
                OracleExpectation.Term(
                    position: column, value: value, deviation: deviation, weight: weightValue, weightDeviation: weightDeviation))
        }
        return OracleExpectation(
            name, k: k, dimension: expression.dimension, weightDimension: weight?.dimension, terms: terms, roundoff: roundoff,
            isExact: isExact)
    }

    private func columnsMet(by row: Int, _ item: Int, _ columns: Int, _ call: Call) -> [Int] {
        guard let sparsity = call.sparsity else { return Array(0..<columns) }
        let pattern = sparsity.patterns[sparsity.patterns.count == 1 ? 0 : item]
        guard let range = pattern.rowRanges.firstIndex(where: { $0.contains(row) }) else { return [] }
        let slices = pattern.columnRanges[(range == 0 ? 0 : pattern.ends[range - 1])..<pattern.ends[range]]
        return slices.flatMap { Array($0) }
    }

    private func evaluate(
        _ expression: OracleExpression, _ inputs: [[Double]], _ roundoff: Double, _ samples: Int, _ random: inout RandomSource
    ) -> ([Double], [Double]) {
        let value = expression.value(inputs)
        var deviation = value.map { _ in 0.0 }
        for _ in 0..<samples {
            let other = expression.value(inputs, amplitude: 64 * roundoff, &random)
            for k in value.indices {
                let distance = other[k] == value[k] ? 0 : abs(other[k] - value[k])
                if !(distance <= deviation[k]) { deviation[k] = distance }
            }
        }
        return (value, deviation)
    }
}

package struct OracleFailure: Error, CustomStringConvertible {
    package var description: String
    package init(_ description: String) { self.description = description }
}

extension OracleSubject {
    package var inputs: [OracleExpression.Variable] { variables }
    package var nodeCount: Int { expression.nodeCount + (weight?.nodeCount ?? 0) }

    /// Points of the result and points reduced over, per batch item.
    package func pointCounts(_ call: Call) -> (rows: Int, columns: Int) {
        let (m, n) = (pointCount(0, call), pointCount(1, call))
        return over == .j ? (m, n) : (n, m)
    }
}
