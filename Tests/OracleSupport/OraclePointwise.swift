import Engines
import Formulas
import Kernels
import RandomNumbers

/// A formula's text and, at any point, what its value should be: for what the oracle knows by differences only.
package struct OraclePointwise {
    package var text: String
    package var variables: [OracleExpression.Variable]
    package var domains: [Int: OracleDomain]
    package var expected: ([[Double]]) -> [OracleDifferences.Estimate]

    package init(
        _ text: String, _ variables: [OracleExpression.Variable], _ domains: [Int: OracleDomain],
        _ expected: @escaping ([[Double]]) -> [OracleDifferences.Estimate]
    ) {
        (self.text, self.variables, self.domains, self.expected) = (
            text, variables.sorted { $0.index < $1.index }, domains, expected
        )
    }

    /// All in one vector.
    package static func concatenated(_ parts: [OraclePointwise]) -> OraclePointwise {
        var (text, variables, domains) = (parts[0].text, Set(parts[0].variables), parts[0].domains)
        for part in parts.dropFirst() {
            text = "Concat(\(text),\(part.text))"
            variables.formUnion(part.variables)
            domains.merge(part.domains) { first, _ in first }
        }
        return OraclePointwise(text, Array(variables), domains) { inputs in parts.flatMap { $0.expected(inputs) } }
    }

    /// Sums over j on random data, in float64 but for `type`; nil where engine and oracle agree.
    package func check(
        _ engine: OracleEngine, m: Int = 3, n: Int = 2, seed: Int, type: ScalarType = .float64,
        relative: Double = 1e-11
    ) -> String? {
        let line = "Sum over j of \"\(text)\" M=\(m) N=\(n) \(type.rawValue) \(engine.rawValue) seed=\(seed)"
        do {
            let compiled = try CompiledReduction(
                try Reduction(.sum, of: Formula(parsing: text)),
                declarations: variables.map {
                    Declaration(
                        variable: Formulas.Variable(
                            index: $0.index, dimension: $0.dimension, category: Category(rawValue: $0.category)!))
                })
            var random = RandomSource(seed: seed)
            func points(_ category: Int) -> Int { category == 0 ? m : category == 1 ? n : 1 }
            let arrays = variables.map { variable in
                let values = (0..<points(variable.category)).flatMap { _ in
                    (domains[variable.index] ?? .real).vector(variable.dimension, &random)
                }
                return OracleArray(
                    values, type: type,
                    shape: variable.category == 2 ? [variable.dimension] : [points(variable.category), variable.dimension])
            }
            let shape = try compiled.resultShape(for: arrays.map(\.input))
            let values = UnsafeMutableRawBufferPointer.allocate(byteCount: shape.valueTotal * type.byteCount + 8, alignment: 64)
            defer { values.deallocate() }
            try compiled.run(
                arrays.map(\.input), options: engine.options(), values: values,
                indices: UnsafeMutableBufferPointer(start: nil, count: 0))
            withExtendedLifetime(arrays) {}
            let (hasRows, hasColumns) = (variables.contains { $0.category == 0 }, variables.contains { $0.category == 1 })
            for i in 0..<(hasRows ? m : 1) {
                var sums: [OracleDifferences.Estimate] = []
                for j in 0..<(hasColumns ? n : 1) {
                    var inputs = Array(repeating: [Double](), count: (variables.last?.index ?? -1) + 1)
                    for (variable, array) in zip(variables, arrays) {
                        let start = (variable.category == 0 ? i : variable.category == 1 ? j : 0) * variable.dimension
                        inputs[variable.index] = Array(array.values[start..<start + variable.dimension])
                    }
                    let terms = expected(inputs)
                    if sums.isEmpty { sums = terms.map { _ in .init(value: 0, error: 0) } }
                    for (k, term) in terms.enumerated() {
                        sums[k].value += term.value
                        sums[k].error += term.error + relative * (abs(term.value) + 1)
                    }
                }
                guard sums.count == shape.values else { return "\(line): \(shape.values) numbers, not \(sums.count)" }
                for (k, sum) in sums.enumerated() {
                    let value = type.read(UnsafeRawPointer(values.baseAddress!), i * shape.values + k)
                    if !(abs(value - sum.value) <= sum.error) {
                        return "\(line): row \(i), number \(k) is \(value), not \(sum.value) ± \(sum.error)"
                    }
                }
            }
            return nil
        } catch {
            return "\(line): throws \(error)"
        }
    }
}

extension OracleExpression {
    private var calls: String { text(infix: false) }

    package static func variable(_ v: Variable) -> OracleExpression { variable(v.index, v.dimension, v.category) }

    /// `Grad(self, v, e)` for a fresh variable e.
    package func gradient(in v: Variable, cotangent e: Variable, _ domains: [Int: OracleDomain]) -> OraclePointwise {
        OraclePointwise(
            "Grad(\(calls),\(Self.variable(v).calls),\(Self.variable(e).calls))", Array(Set(variables + [v, e])), domains
        ) {
            self.gradient($0, in: v.index, cotangent: $0[e.index])
        }
    }

    /// `Diff(self, v, u)`.
    package func differential(in v: Variable, tangent u: Variable, _ domains: [Int: OracleDomain]) -> OraclePointwise {
        OraclePointwise(
            "Diff(\(calls),\(Self.variable(v).calls),\(Self.variable(u).calls))", Array(Set(variables + [v, u])), domains
        ) {
            self.differential($0, in: v.index, tangent: $0[u.index])
        }
    }

    /// `Grad(Grad(self, v, e), w, d)`.
    package func secondGradient(
        in v: Variable, cotangent e: Variable, then w: Variable, cotangent d: Variable, _ domains: [Int: OracleDomain]
    ) -> OraclePointwise {
        let text =
            "Grad(Grad(\(calls),\(Self.variable(v).calls),\(Self.variable(e).calls)),\(Self.variable(w).calls),\(Self.variable(d).calls))"
        return OraclePointwise(text, Array(Set(variables + [v, e, w, d])), domains) { inputs in
            (0..<w.dimension).map { k in
                OracleDifferences.mixed { s, t in
                    var moved = inputs
                    for c in 0..<v.dimension { moved[v.index][c] += s * inputs[d.index][c] }
                    moved[w.index][k] += t
                    return zip(self.value(moved), inputs[e.index]).map { $0 * $1 }.reduce(0, +)
                }
            }
        }
    }

    /// The matrix of derivatives: [component][component of v].
    package func jacobian(_ inputs: [[Double]], in v: Variable) -> [[OracleDifferences.Estimate]] {
        let columns = (0..<v.dimension).map { k in
            differential(inputs, in: v.index, tangent: (0..<v.dimension).map { $0 == k ? 1 : 0 })
        }
        return (0..<dimension).map { row in columns.map { $0[row] } }
    }
}

extension [OracleDifferences.Estimate] {
    package var total: OracleDifferences.Estimate {
        .init(value: reduce(0) { $0 + $1.value }, error: reduce(0) { $0 + $1.error })
    }
}
