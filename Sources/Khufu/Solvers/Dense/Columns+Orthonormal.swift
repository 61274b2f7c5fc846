// Orthonormal bases by Gram-Schmidt, each vector twice, which is enough for orthogonality to rounding (Giraud, Langou, Rozložník and
// van den Eshof, 2005).

extension Columns {
    /// An orthonormal basis of what these columns add to the span of another orthonormal one. Columns that depend on earlier ones
    /// are left out.
    func orthonormalized(against basis: Columns? = nil) -> Columns { factored(against: basis).basis }

    /// An orthonormal basis Q and coefficients R with these columns = QR, to rounding.
    func factored() -> (basis: Columns, coefficients: Columns) {
        let (basis, coefficients) = factored(against: nil)
        var matrix = Columns(length: basis.count, count: count)
        for (column, entries) in coefficients.enumerated() {
            for (row, entry) in entries.enumerated() { matrix[row, column] = entry }
        }
        return (basis, matrix)
    }

    private func factored(against outer: Columns?) -> (basis: Columns, coefficients: [[Double]]) {
        var basis = Columns(length: length, count: 0)
        var coefficients: [[Double]] = []
        for column in 0..<count {
            var vector = selecting([column])
            let norm = vector.norms()[0]
            var entries = [Double](repeating: 0, count: basis.count)
            guard norm > 0 else {
                coefficients.append(entries)
                continue
            }
            for _ in 0..<2 {
                if let outer { vector.add(-1, times: outer.times(outer.transposedTimes(vector))) }
                let overlap = basis.transposedTimes(vector)
                vector.add(-1, times: basis.times(overlap))
                for k in entries.indices { entries[k] += overlap[k, 0] }
            }
            let rest = vector.norms()[0]
            if rest > 1e-14 * norm, basis.count < length {
                vector.scale([1 / rest])
                basis.append(vector)
                entries.append(rest)
            }
            coefficients.append(entries)
        }
        return (basis, coefficients)
    }
}
