import Formulas

extension FormulaGenerator {
    static let matrices: [String: Recipe] = [
        "MatVecMult": { g, d in
            let p = g.size()
            return "MatVecMult(\(g.argument(d * p)), \(g.argument(p)))"
        },
        "VecMatMult": { g, d in
            let n = g.size()
            return "VecMatMult(\(g.argument(n)), \(g.argument(n * d)))"
        },
        "TensorProd": { g, d in
            let a = g.divisor(d)
            return "TensorProd(\(g.argument(a)), \(g.argument(d / a)))"
        },
        "TensorDot": { g, d in
            let (a, c) = (g.divisor(d), g.size())
            let b = d / a
            let (isFirst, isLast) = (g.random.chance(1 / 2), g.random.chance(1 / 2))
            let shapes = "\(isFirst ? [c, a] : [a, c]), \(isLast ? [b, c] : [c, b])"
            let permute = g.random.pick(["", ", [0, 1]", ", [1, 0]", ", (1, 0)"])
            return
                "TensorDot(\(g.argument(a * c)), \(g.argument(b * c)), \(shapes), [\(isFirst ? 0 : 1)], [\(isLast ? 1 : 0)]\(permute))"
        },
        "Kron": { g, d in
            let a = g.divisor(d)
            let (p, r) = (g.divisor(a), g.divisor(d / a))
            return "Kron(\(g.argument(a)), \(g.argument(d / a)), [\(p), \(a / p)], [\(r), \(d / a / r)])"
        },
        "SoftDTW_SqDist": { g, d in
            d == 1 ? "SoftDTW_SqDist(\(g.argument(g.size())), \(g.argument(g.size())), \(g.positive(1)))" : nil
        },
        "GradSoftDTW_SqDist": { g, d in
            guard d >= 3 else { return nil }
            let n = g.random.int(1...d - 2)
            return "GradSoftDTW_SqDist(\(g.argument(n)), \(g.argument(d - 1 - n)), \(g.positive(1)))"
        },
    ]

    static let complexNumbers: [String: Recipe] = [
        "Complex": { g, d in d.isMultiple(of: 2) ? "Complex(\(g.argument(d / 2)), \(g.argument(d / 2)))" : nil },
        "Real2Complex": { g, d in d.isMultiple(of: 2) ? "Real2Complex(\(g.argument(d / 2)))" : nil },
        "Imag2Complex": { g, d in d.isMultiple(of: 2) ? "Imag2Complex(\(g.argument(d / 2)))" : nil },
        "ComplexReal": { g, d in "ComplexReal(\(g.argument(2 * d)))" },
        "ComplexImag": { g, d in "ComplexImag(\(g.argument(2 * d)))" },
        "Conj": { g, d in d.isMultiple(of: 2) ? "Conj(\(g.argument(d)))" : nil },
        "ComplexAdd": { g, d in g.complexPair("ComplexAdd", d) },
        "ComplexSubtract": { g, d in g.complexPair("ComplexSubtract", d) },
        "ComplexMult": { g, d in g.complexPair("ComplexMult", d) },
        "ComplexDivide": { g, d in g.complexPair("ComplexDivide", d) },
        "ComplexRealScal": { g, d in
            guard d.isMultiple(of: 2) else { return nil }
            let (s, z) = (g.argument(1), g.argument(d))
            return g.random.chance(1 / 2) ? "ComplexRealScal(\(s), \(z))" : "ComplexRealScal(\(z), \(s))"
        },
        "ComplexSquareAbs": { g, d in "ComplexSquareAbs(\(g.argument(2 * d)))" },
        "ComplexAbs": { g, d in "ComplexAbs(\(g.complex(2 * d)))" },
        "ComplexAngle": { g, d in "ComplexAngle(\(g.complex(2 * d)))" },
        "ComplexExp": { g, d in d.isMultiple(of: 2) ? "ComplexExp(\(g.bounded(d)))" : nil },
        "ComplexExp1j": { g, d in d.isMultiple(of: 2) ? "ComplexExp1j(\(g.argument(d / 2)))" : nil },
        "ComplexSum": { g, d in d == 2 ? "ComplexSum(\(g.argument(2 * g.size())))" : nil },
        "ComplexSumT": { g, d in d.isMultiple(of: 2) ? "ComplexSumT(\(g.argument(2)), \(d))" : nil },
    ]

    private mutating func complexPair(_ name: String, _ dimension: Int) -> String? {
        guard dimension.isMultiple(of: 2) else { return nil }
        let shape = random.int(0...3)
        let first = argument(shape == 0 ? 2 : dimension)
        return "\(name)(\(first), \(complex(shape == 1 ? 2 : dimension)))"
    }

    static let differentials: [String: Recipe] = [
        "Grad": { g, d in
            guard let v = g.input(where: { $0.dimension == d }) else { return nil }
            let n = g.size()
            return "Grad(\(g.argument(n)), \(v), \(g.argument(n)))"
        },
        "GradMatrix": { g, d in
            guard let v = g.input(where: { d.isMultiple(of: $0.dimension) }) else { return nil }
            return "GradMatrix(\(g.argument(d / v.dimension)), \(v))"
        },
        "Diff": { g, d in g.input().map { "Diff(\(g.argument(d)), \($0), \(g.argument($0.dimension)))" } },
        "Divergence": { g, d in
            guard d == 1, let v = g.input() else { return nil }
            return "Divergence(\(g.argument(v.dimension)), \(v))"
        },
        "Laplacian": { g, d in
            guard d == 1, let v = g.input() else { return nil }
            return "Laplacian(\(g.argument(1)), \(v))"
        },
        "TraceOperator": { g, d in
            guard d == 1, let v = g.input() else { return nil }
            return "TraceOperator(\(g.endomorphism(of: v)), \(v))"
        },
        "AdjointOperator": { g, d in
            guard let v = g.input(where: { $0.dimension == d }) else { return nil }
            let map = g.linear(in: v)
            return "AdjointOperator(\(map.text), \(v), \(g.argument(map.dimension)))"
        },
        "SumLinOperator": { g, d in
            guard d == 1, let v = g.input() else { return nil }
            let map = g.linear(in: v)
            switch g.random.int(0...2) {
            case 0: return "SumLinOperator(\(map.text), \(v))"
            case 1: return "SumLinOperator(\(map.text), \(v), \(g.argument(map.dimension)))"
            default: return "SumLinOperator(\(map.text), \(v), \(g.argument(map.dimension)), \(g.argument(v.dimension)))"
            }
        },
        "Factorize": { g, d in "Factorize(\(g.argument(d)), \(g.argument(g.size())))" },
        "AutoFactorize": { g, d in "AutoFactorize(\(g.argument(d)))" },
    ]
}
