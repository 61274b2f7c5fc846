extension Columns {
    /// Left singular vectors and singular values, descending; those that are 0 to rounding are left out.
    ///
    /// A QR decomposition, then one-sided Jacobi rotations of R (Hestenes, 1958), which are accurate for small singular values as well
    /// (Demmel and Veselić, 1992): a factor F of a kernel matrix FFᵀ has them over many orders of magnitude.
    func leftSingularPairs() -> (vectors: Columns, values: [Double]) {
        var (basis, rotated) = factored()
        for _ in 0..<60 {
            var isDiagonal = true
            for p in 0..<rotated.count {
                for q in p + 1..<max(p + 1, rotated.count) {
                    let pair = rotated.selecting([p, q])
                    let gram = pair.transposedTimes(pair)
                    let (a, b, overlap) = (gram[0, 0], gram[1, 1], gram[0, 1])
                    guard abs(overlap) > 0x1p-50 * (a * b).squareRoot() else { continue }
                    isDiagonal = false
                    let zeta = (b - a) / (2 * overlap)
                    let tangent = (zeta < 0 ? -1 : 1) / (abs(zeta) + (1 + zeta * zeta).squareRoot())
                    let cosine = 1 / (1 + tangent * tangent).squareRoot()
                    rotated.rotate(p, q, cosine, cosine * tangent)
                }
            }
            if isDiagonal { break }
        }
        let norms = rotated.norms()
        let largest = norms.max() ?? 0
        let order = norms.indices.filter { norms[$0] > 1e-15 * largest }.sorted { norms[$0] > norms[$1] }
        let values = order.map { norms[$0] }
        var inner = rotated.selecting(order)
        inner.scale(values.map { 1 / $0 })
        return (basis.times(inner), values)
    }
}
