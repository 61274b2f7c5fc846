// The largest and smallest component of a vector. The first wins a tie, here as in reductions, and NaN wins over numbers.

struct Max: ExtremumOperation {
    static let name = "Max"
    static let summary = "The largest component of f."
    static let isLargest = true
    static let isIndex = false
}

struct Min: ExtremumOperation {
    static let name = "Min"
    static let summary = "The smallest component of f."
    static let isLargest = false
    static let isIndex = false
}

struct ArgMax: ExtremumOperation {
    static let name = "ArgMax"
    static let summary = "The position of the largest component of f, from 0; the first wins a tie."
    static let isLargest = true
    static let isIndex = true
}

struct ArgMin: ExtremumOperation {
    static let name = "ArgMin"
    static let summary = "The position of the smallest component of f, from 0; the first wins a tie."
    static let isLargest = false
    static let isIndex = true
}

/// What the four share.
protocol ExtremumOperation: PlainOperation {
    static var isLargest: Bool { get }
    static var isIndex: Bool { get }
}

extension ExtremumOperation {
    static var parameters: [Parameter] { [.formula("f")] }

    func dimension(_ arguments: [Formula]) -> Int { 1 }

    func simplified(_ arguments: [Formula]) -> Formula? {
        arguments[0].dimension == 1 ? (Self.isIndex ? .zero(1) : arguments[0]) : nil
    }

    /// The winner's mask, which selects what flows through the value.
    private func selection(_ f: Formula) -> Formula {
        (Self.isLargest ? Formula.trusted(ArgMax(), f) : .trusted(ArgMin(), f)).oneHot(f.dimension)
    }

    func pullback(of cotangent: Formula, _ arguments: [Formula], result: Formula, wanted: [Bool]) -> [Formula?] {
        Self.isIndex ? [nil] : [cotangent * selection(arguments[0])]
    }

    func pushforward(of tangents: [Formula?], _ arguments: [Formula], result: Formula) -> Formula {
        guard !Self.isIndex, let tangent = tangents[0] else { return .zero(1) }
        return selection(arguments[0]).dot(tangent)
    }

    func evaluate(_ arguments: [[Double]], dimension: Int) -> [Double] {
        let x = arguments[0]
        var best = 0
        for k in x.indices.dropFirst() where !x[best].isNaN {
            if x[k].isNaN || (Self.isLargest ? x[k] > x[best] : x[k] < x[best]) { best = k }
        }
        return [Self.isIndex ? Double(best) : x[best]]
    }

    func bounds(_ x: [Bounds], _ context: BoundsContext) -> Bounds? {
        if Self.isIndex {
            return Bounds(.zero(1), Formula(Number(x[0].dimension - 1)), .nonNegative)
        }
        let result = x[0].map { .trusted(Self(), $0) }
        return context.bounds(result, unlessNaN: .trusted(Max(), x[0].probe.absolute))
    }

    func lowering(_ dimensions: [Int]) -> Lowering {
        .scalar { arguments, emitter in
            let first = arguments[0][0]
            let winner = emitter.fold(dimensions[0] - 1, from: [first, emitter.constant(0)]) { k, best in
                let x = arguments[0][k + 1]
                let isBetter = Self.isLargest ? x > best[0] : x < best[0]
                let wins = isBetter || (x.isNaN && best[0] == best[0])
                return [wins.select(x, best[0]), wins.select(emitter.number(k + 1), best[1])]
            }
            return winner[Self.isIndex ? 1 : 0]
        }
    }
}
