import Formulas

extension FormulaGenerator {
    /// How to call an operation for a result of some dimension; nil where it has no result of that dimension.
    package typealias Recipe = @Sendable (inout FormulaGenerator, Int) -> String?

    /// One recipe for each name of the catalogue.
    package static let recipes: [String: Recipe] = leaves.merging(functions) { a, _ in a }.merging(functionsOfSeveral) { a, _ in a
    }
    .merging(vectors) { a, _ in a }.merging(norms) { a, _ in a }.merging(matrices) { a, _ in a }
    .merging(complexNumbers) { a, _ in a }.merging(differentials) { a, _ in a }

    static let names = recipes.keys.sorted()
    static let smoothNames = names.filter { !roughNames.contains($0) }

    /// Operations with steps or kinks, which finite differences cannot follow.
    static let roughNames: Set<String> = [
        "Abs", "Sign", "Step", "ReLU", "Floor", "Round", "Clamp", "ClampInt", "DiffClampInt", "IfElse", "Mod", "Equal",
        "NotEqual", "LessThan", "LessOrEqual", "Maximum", "Minimum", "Max", "Min", "ArgMax", "ArgMin", "OneHot", "Norm2",
        "Normalize",
    ]

    static let derivatives: Set<String> = ["Grad", "GradMatrix", "Diff", "Divergence", "Laplacian"]

    private static let leaves: [String: Recipe] = [
        "Var": { g, d in g.input { $0.dimension == d }.map { "\($0)" } },
        "IntCst": { g, d in d == 1 ? "IntCst(\(g.random.int(-3...3)))" : nil },
        "RatCst": { g, d in d == 1 ? "RatCst(\(g.random.int(-3...3)), \(g.random.int(1...5)))" : nil },
        "IntInv": { g, d in d == 1 ? "IntInv(\(g.random.int(1...5)))" : nil },
        "Zero": { _, d in "Zero(\(d))" },
    ]

    private static let functions: [String: Recipe] = [
        "Minus": { g, d in
            let f = g.argument(d)
            return g.either("Minus(\(f))", "-\(f)")
        },
        "Inv": { g, d in
            let f = g.positive(d)
            return g.either("Inv(\(f))", "1/\(f)")
        },
        "Square": { g, d in
            let f = g.bounded(d)
            return g.either("Square(\(f))", "(\(f))**2")
        },
        "Sqrt": { g, d in "Sqrt(\(g.positive(d)))" },
        "Rsqrt": { g, d in "Rsqrt(\(g.positive(d)))" },
        "Pow": { g, d in
            let m = g.random.int(-3...5)
            let f = m < 0 ? g.positive(d) : g.bounded(d)
            return g.either("Pow(\(f), \(m))", "(\(f))**\(m)")
        },
        "Exp": { g, d in "Exp(\(g.bounded(d)))" },
        "Log": { g, d in "Log(\(g.positive(d)))" },
        "XLogX": { g, d in "XLogX(\(g.positive(d)))" },
        "Sin": { g, d in "Sin(\(g.argument(d)))" },
        "Cos": { g, d in "Cos(\(g.argument(d)))" },
        "Asin": { g, d in "Asin(\(g.inside(d)))" },
        "Acos": { g, d in "Acos(\(g.inside(d)))" },
        "Atan": { g, d in "Atan(\(g.argument(d)))" },
        "SinXDivX": { g, d in "SinXDivX(\(g.argument(d)))" },
        "SphericalBessel": { g, d in "SphericalBessel(\(g.argument(d)), \(g.random.int(0...5)))" },
        "Abs": { g, d in "Abs(\(g.argument(d)))" },
        "Sign": { g, d in "Sign(\(g.argument(d)))" },
        "Step": { g, d in "Step(\(g.argument(d)))" },
        "ReLU": { g, d in "ReLU(\(g.argument(d)))" },
        "Floor": { g, d in "Floor(\(g.argument(d)))" },
        "Round": { g, d in "Round(\(g.argument(d)), \(g.random.int(-1...3)))" },
        "ClampInt": { g, d in "ClampInt(\(g.argument(d)), \(g.random.int(-2...0)), \(g.random.int(0...2)))" },
        "DiffClampInt": { g, d in "DiffClampInt(\(g.argument(d)), \(g.random.int(-2...0)), \(g.random.int(0...2)))" },
    ]

    private static let functionsOfSeveral: [String: Recipe] = [
        "Add": { g, d in
            let (a, b) = g.pair(d)
            return g.either("Add(\(a), \(b))", "\(a) + \(b)")
        },
        "Subtract": { g, d in
            let (a, b) = g.pair(d)
            return g.either("Subtract(\(a), \(b))", "\(a) - \(b)")
        },
        "Mult": { g, d in
            let (a, b) = g.pair(d)
            return g.either("Mult(\(a), \(b))", "\(a) * \(b)")
        },
        "Divide": { g, d in
            let (a, b) = g.pair(d) { $0.positive($1) }
            return g.either("Divide(\(a), \(b))", "\(a) / \(b)")
        },
        "Powf": { g, d in
            if g.random.chance(1 / 3) { return "(\(g.positive(d)))**(\(g.number()))" }
            let (a, b) = g.pair(d) { $0.positive($1) }
            return g.either("Powf(\(b), \(a))", "(\(b))**(\(a))")
        },
        "Atan2": { g, d in
            let (a, b) = g.pair(d) { $0.positive($1) }
            return "Atan2(\(a), \(b))"
        },
        "Maximum": { g, d in
            let (a, b) = g.pair(d)
            return "Maximum(\(a), \(b))"
        },
        "Minimum": { g, d in
            let (a, b) = g.pair(d)
            return "Minimum(\(a), \(b))"
        },
        "Equal": { g, d in
            let (a, b) = g.pair(d)
            return g.either("Equal(\(a), \(b))", "\(a) == \(b)")
        },
        "NotEqual": { g, d in
            let (a, b) = g.pair(d)
            return g.either("NotEqual(\(a), \(b))", "\(a) != \(b)")
        },
        "LessThan": { g, d in
            let (a, b) = g.pair(d)
            return g.either("LessThan(\(a), \(b))", g.random.chance(1 / 2) ? "\(a) < \(b)" : "\(b) > \(a)")
        },
        "LessOrEqual": { g, d in
            let (a, b) = g.pair(d)
            return g.either("LessOrEqual(\(a), \(b))", g.random.chance(1 / 2) ? "\(a) <= \(b)" : "\(b) >= \(a)")
        },
        "Clamp": { g, d in
            let (a, b) = g.pair(d)
            return "Clamp(\(a), \(g.style == .anything ? g.argument(1) : "-0.5"), \(g.style == .anything ? b : g.positive(d)))"
        },
        "IfElse": { g, d in
            let (a, b) = g.pair(d)
            return "IfElse(\(g.argument(d)), \(a), \(b))"
        },
        "Mod": { g, d in
            let (a, b) = g.pair(d) { $0.positive($1) }
            return "Mod(\(a), \(b), \(g.argument(1)))"
        },
    ]

    private static let vectors: [String: Recipe] = [
        "Sum": { g, d in d == 1 ? "Sum(\(g.argument(g.size())))" : nil },
        "SumT": { g, d in "SumT(\(g.argument(1)), \(d))" },
        "Scalprod": { g, d in
            guard d == 1 else { return nil }
            let (a, b) = g.pair(g.size())
            return g.either("Scalprod(\(a), \(b))", "\(a) | \(b)")
        },
        "Max": { g, d in d == 1 ? "Max(\(g.argument(g.size())))" : nil },
        "Min": { g, d in d == 1 ? "Min(\(g.argument(g.size())))" : nil },
        "ArgMax": { g, d in d == 1 ? "ArgMax(\(g.argument(g.size())))" : nil },
        "ArgMin": { g, d in d == 1 ? "ArgMin(\(g.argument(g.size())))" : nil },
        "Elem": { g, d in
            guard d == 1 else { return nil }
            let n = g.size()
            let (f, m) = (g.argument(n), g.random.int(0...n - 1))
            return g.either("Elem(\(f), \(m))", "(\(f))[\(m)]")
        },
        "ElemT": { g, d in "ElemT(\(g.argument(1)), \(d), \(g.random.int(0...d - 1)))" },
        "Extract": { g, d in
            let (m, rest) = (g.random.int(0...2), g.random.int(0...2))
            let f = g.argument(m + d + rest)
            return g.either("Extract(\(f), \(m), \(d))", "(\(f))[\(m == 0 ? "" : "\(m)"):\(rest == 0 ? "" : "\(m + d)")]")
        },
        "ExtractT": { g, d in
            let n = g.random.int(1...d)
            return "ExtractT(\(g.argument(n)), \(g.random.int(0...d - n)), \(d))"
        },
        "Concat": { g, d in
            guard d > 1 else { return nil }
            let a = g.random.int(1...d - 1)
            let (f, h) = (g.argument(a), g.argument(d - a))
            return g.random.chance(1 / 2) ? "Concat(\(f), \(h))" : "[\(f), \(h)]"
        },
        "OneHot": { g, d in "OneHot(\(g.argument(1)), \(d))" },
        "BSpline": { g, d in
            let order = g.style == .smooth ? 3 : g.random.int((d == 1 ? 1 : 0)...3)
            let count = d + order + 1
            let knots = (0..<count).map { "\(Double(2 * $0 - count) * 0.5)" }.joined(separator: ", ")
            return "BSpline(\(g.style == .anything ? g.argument(count) : "[\(knots)]"), \(g.bounded(1)), \(order))"
        },
    ]

    private static let norms: [String: Recipe] = [
        "SqNorm2": { g, d in d == 1 ? "SqNorm2(\(g.argument(g.size())))" : nil },
        "Norm2": { g, d in d == 1 ? "Norm2(\(g.argument(g.size())))" : nil },
        "Normalize": { g, d in "Normalize(\(g.argument(d)))" },
        "SqDist": { g, d in
            guard d == 1 else { return nil }
            let (a, b) = g.pair(g.size())
            return "SqDist(\(a), \(b))"
        },
        "SqNormIso": { g, d in d == 1 ? "SqNormIso(\(g.argument(1)), \(g.argument(g.size())))" : nil },
        "SqNormDiag": { g, d in
            guard d == 1 else { return nil }
            let n = g.size()
            return "SqNormDiag(\(g.argument(n)), \(g.argument(n)))"
        },
        "SymSqNorm": { g, d in
            guard d == 1 else { return nil }
            let n = g.size()
            return "SymSqNorm(\(g.argument(n * n)), \(g.argument(n)))"
        },
        "WeightedSqNorm": { g, d in
            guard d == 1 else { return nil }
            let n = g.size()
            return "WeightedSqNorm(\(g.argument(g.random.pick([1, n, n * n]))), \(g.argument(n)))"
        },
        "WeightedSqDist": { g, d in
            guard d == 1 else { return nil }
            let n = g.size()
            return "WeightedSqDist(\(g.argument(g.random.pick([1, n, n * n]))), \(g.argument(n)), \(g.argument(n)))"
        },
    ]
}
