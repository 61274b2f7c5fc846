import Formulas

/// Σ (u - v)² of a row's vector u and a column's vector v, both long.
struct LongDistance {
    var row: Formula
    var column: Formula

    /// The least dimension that is worth it: the steps around the inner product are as many as for 6 components.
    static let leastDimension = 16

    /// The share of |u|² + |v|² below which a distance is computed anew.
    ///
    /// With n components and unit roundoff ε, the direct sum errs by at most (n + 2) ε s, where s is the result; the norms and
    /// the product together by at most (n + 2) ε 2 N, where N = |u|² + |v|². What is just kept, s = N / 4, may so err by 8 times
    /// as much, and does by 4 at most on data: the worst bounds of norms and product are not met at once. Most distances in
    /// many dimensions are near N, and err no more than direct ones.
    ///
    /// Only differences from the centre enter. Each is rounded once, relative to itself: how far the points are from the
    /// origin does not matter.
    static let leastShare = 0.25
}

// Squared distances by inner products:
//
//     centre      c = a point amid the columns
//     row         u' = u - c, |u'|², |u'|² / 4
//     column      v' = v - c, -2 v', |v'|², |v'|² / 4, in the table
//     pair        s = (|u'|² + (u'|-2 v')) + |v'|²
//                 unless s > |u'|² / 4 + |v'|² / 4: s = Σ (u - v)²
//
// Apart from the product these are additions, which some processors do beside it.
extension FormulaLowering {
    /// The squared distances worth it. Where the difference itself is used too, it has to be computed anyway.
    func longDistances(_ order: [Formula], roots: [Formula]) -> [Formula: LongDistance] {
        var uses: [Formula: Int] = [:]
        for argument in roots + order.flatMap(\.arguments) { uses[argument, default: 0] += 1 }
        var distances: [Formula: LongDistance] = [:]
        for sum in order where stage(sum) == .pair {
            guard let square = sum.argument(of: "Sum"), let difference = square.argument(of: "Square"),
                uses[square] == 1, uses[difference] == 1, type(of: difference.operation).name == "Subtract"
            else { continue }
            let (u, v) = (difference.arguments[0], difference.arguments[1])
            guard u.dimension == v.dimension, u.dimension >= LongDistance.leastDimension else { continue }
            switch (stage(u), stage(v)) {
            case (.row, .column): distances[sum] = LongDistance(row: u, column: v)
            case (.column, .row): distances[sum] = LongDistance(row: v, column: u)
            default: break
            }
        }
        return distances
    }

    /// - Parameter isContracted: whether inner products are computed for a tile of pairs at a time.
    func emit(_ distance: LongDistance, isContracted: Bool) -> Value {
        let n = distance.row.dimension
        let (u, v) = (operand(distance.row), operand(distance.column))
        let centre = emitCentre(of: distance.column)

        let share = builder.constant(LongDistance.leastShare)

        /// x - c, in an array.
        func centred(_ x: Operand) -> ArrayReference {
            let array = builder.array(n)
            builder.loop(n) { k in builder.store(x[k] - builder.centre(k + centre), in: array, at: k) }
            return array
        }
        let (row, rowNorm, rowBound) = builder.inSection(.row) {
            let row = centred(u)
            let norm = sumOfSquares(n) { k in builder.load(row, at: k) }
            return (row, norm, norm * share)
        }
        let column = builder.reserveColumnTable(n + 2)
        let (columnNorm, columnBound) = (Index(column + n), Index(column + n + 1))
        builder.inSection(.column) {
            // On accelerators an array is registers, of which there are few: differences are computed twice.
            let array = builder.kernel.isForAccelerators ? nil : centred(v)
            func component(_ k: Index) -> Value {
                array.map { builder.load($0, at: k) } ?? v[k] - builder.centre(k + centre)
            }
            let norm = sumOfSquares(n, component)
            builder.loop(n) { k in builder.storeInColumnTable(builder.constant(-2) * component(k), at: k + column) }
            builder.storeInColumnTable(norm, at: columnNorm)
            builder.storeInColumnTable(norm * share, at: columnBound)
        }

        let product =
            (isContracted ? builder.contract(Contraction(row: row, column: .table, first: column)) : nil)
            ?? builder.sum(n) { k in builder.load(row, at: k) * builder.columnTable(k + column) }
        // In this order it overflows only where the distance does, or to -inf. An infinite component makes the bound infinite,
        // which nothing exceeds; nor does NaN.
        let squared = (rowNorm + product) + builder.columnTable(columnNorm)
        let isKept = rowBound + builder.columnTable(columnBound) < squared
        return builder.replacing(squared, where: isKept.apply(.not)) { sumOfSquares(n) { k in u[k] - v[k] } }
    }

    /// Finds a point amid the columns; returns where it begins.
    private func emitCentre(of column: Formula) -> Int {
        let first = builder.reserveCentre(column.dimension)
        var sample = ofSample()
        sample.place([column])
        let v = sample.operand(column)
        builder.inSection(.centre) {
            builder.loop(column.dimension) { k in builder.storeInCentre(v[k], at: k + first) }
        }
        return first
    }

    /// Σ x_k², in several sums: one addition need not wait for the last, and rounding adds up over fewer.
    private func sumOfSquares(_ count: Int, _ x: (Index) -> Value) -> Value {
        let width = 4
        func square(_ k: Index) -> Value {
            let x = x(k)
            return x * x
        }
        let (turns, rest) = count.quotientAndRemainder(dividingBy: width)
        var sums = builder.withoutUnrolling {
            builder.fold(turns, from: (0..<width).map { _ in builder.constant(0) }) { k, sums in
                sums.enumerated().map { place, sum in sum + square(k * width + place) }
            }
        }
        for k in 0..<rest { sums[k] = sums[k] + square(Index(turns * width + k)) }
        return (sums[0] + sums[1]) + (sums[2] + sums[3])
    }
}

extension Formula {
    /// The argument of an operation with this name.
    func argument(of name: String) -> Formula? {
        type(of: operation).name == name ? arguments[0] : nil
    }
}
