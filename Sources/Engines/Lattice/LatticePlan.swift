import RealModule

/// Which lattice carries a sum of Gaussians, and what it costs in accuracy.
///
/// Half a Gaussian goes from the columns to the nodes z of a lattice, the other half from there to the rows: with m = (x + y) / 2,
///
///     exp(-G |x - z|² · 2) exp(-G |z - y|² · 2) = exp(-G |x - y|²) exp(-4G |z - m|²),
///
/// so that the sum over all nodes is exp(-G |x - y|²) times a sum of Gaussians at the points of a lattice, which is nearly the same wherever
/// m lies. By Poisson's formula Σ_k exp(-4G (z_k - m)²) h = √(π/4G) (1 + δ) along an axis with step h, with
/// |δ| ≤ 2 Σ_{n≥1} q^(n²) ≤ 2q / (1 - q), q = exp(-π² / 4Gh²). That error is relative to each term, whatever its factor: it keeps the
/// promise that errors are relative to the sum of magnitudes.
///
/// Each point touches only the nodes less than R = count · h / 2 away along every axis. A node that x does not touch would have had
/// at most exp(-2GR²) times its part from y, and the same with x and y exchanged, so what a pair lacks is at most
/// T = 2D exp(-2GR²) Π_a (√(π/2G) / h)(1 + δ) C, where C = Π_a h √(4G/π): that is 2D 2^(D/2) (1 + δ) exp(-2GR²). Unlike δ it is
/// absolute, so that rows which all columns are far from need to be looked at; see `LatticeRun`.
///
/// Derivatives of Gaussians are Gaussians times r + c, of a row and a column. Σ K b (r + c) = r Σ K b + Σ K (b c): the lattice has one and the
/// same approximation of K in both sums, so that errors are relative to |b (r + c)| as before, however much cancels. What cut off is at most
/// R = max |r + c| times as much. The sum of magnitudes is at least Σ K |b| (r + c)² / R, of which the lattice has the terms.
///
/// Why not a tile's value at its middle, times its weights' sum? For uniform columns in D = 3, tiles of side s, expanded about their
/// centroids so that the linear term vanishes, err by about 0.12 (s/σ)² with G = 1/2σ². To 1e-4 a tile may be 0.03 σ wide, and a million points
/// in a cube of side 50 σ are 0.0002 to such a tile: it would take 5e9 points for one each. A lattice of step 0.64 σ serves any number.
struct LatticePlan {
    struct Axis {
        /// Where node 0 is.
        var zero: Double
        var step: Double
        /// The number of the first node.
        var first: Int
        var count: Int
        /// 2Gh²: a point's weight at t steps is exp(-exponent t²).
        var exponent: Double

        /// The node at or below a coordinate: as the generated code computes it.
        func node(_ x: Double) -> Int { Int(((x - zero) * (1 / step)).rounded(.down)) }
    }

    let axes: [Axis]
    let window: LatticeWindow
    /// What a node's sums are multiplied by in the end.
    let scale: Double
    /// By how much a pair may be off, relative to itself.
    let relativeError: Double
    /// By how much else, in terms of the column's factor.
    let cutoff: Double

    /// - Parameters:
    ///   - weights: G along each axis.
    ///   - rows: between which numbers rows lie along each axis.
    ///   - tolerance: the relative error that is allowed.
    ///   - reach: how many times a term's typical size the largest is, beside what the Gaussian does.
    ///   - limit: nodes at most.
    ///   - lanes: numbers in a vector.
    init?(
        weights: [Double], rows: [ClosedRange<Double>], columns: [ClosedRange<Double>], tolerance: Double, reach: Double,
        limit: Int, lanes: Int
    ) {
        let dimension = Double(weights.count)
        // Half of the tolerance is for the step.
        let axisError = 0.98 * Double.log(onePlus: tolerance / 2) / dimension
        let steps = weights.map { Double.pi / (4 * $0 * .log((2 + axisError) / axisError)).squareRoot() }
        relativeError = Double.expMinusOne(dimension * Double.log(onePlus: axisError))
        // Sums are judged to be what they are where columns are uniform, and the window such that even much smaller ones do.
        let spread = zip(weights, columns).reduce(Self.room * reach) { $0 * max(1, $1.1.length * ($1.0 / .pi).squareRoot()) }
        let corner = 2 * dimension * .pow(2, dimension / 2) * (1 + relativeError)
        let exponent = 2 * weights[0] * steps[0] * steps[0]
        let length = 2 * (Double.log(2.1 * corner * spread / tolerance) / exponent).squareRoot()
        guard length < 64 else { return nil }
        window = LatticeWindow(count: max(4, 2 * Int((length / 2).rounded(.up))), lanes: lanes)
        cutoff = corner * .exp(-exponent * Double(window.count * window.count) / 4)
        scale = zip(weights, steps).reduce(1) { $0 * $1.1 * (4 * $1.0 / .pi).squareRoot() }

        var axes: [Axis] = []
        var total = 1.0
        for axis in weights.indices {
            let low = min(rows[axis].lowerBound, columns[axis].lowerBound)
            let high = max(rows[axis].upperBound, columns[axis].upperBound)
            guard (high - low) / steps[axis] < Double(limit) else { return nil }
            var own = Axis(
                zero: low, step: steps[axis], first: -window.before, count: 0,
                exponent: 2 * weights[axis] * steps[axis] * steps[axis])
            own.count = own.node(high) + window.padded
            total *= Double(own.count)
            axes.append(own)
        }
        guard total <= Double(limit), scale.isNormal, steps.allSatisfy(\.isNormal) else { return nil }
        self.axes = axes
    }

    /// How much smaller than that of uniform points a sum may be.
    private static let room = 50.0

    var nodeCount: Int { axes.reduce(1) { $0 * $1.count } }

    /// Nodes that a point touches.
    var nodesPerPoint: Int { axes.dropLast().reduce(window.padded) { product, _ in product * window.count } }

    /// Nodes that share the first coordinate.
    var planeSize: Int { axes.dropFirst().reduce(1) { $0 * $1.count } }

    /// Nodes that a point touches along the first axis.
    var firstWindow: Int { axes.count == 1 ? window.padded : window.count }

    /// Whether a sum is as accurate as promised.
    ///
    /// - Parameters:
    ///   - magnitude: the sum of magnitudes as the lattice has it: what is left out makes it smaller, the step at most so much larger.
    ///   - total: the sum of the columns' magnitudes.
    func isAccurate(magnitude: Double, total: Double, tolerance: Double) -> Bool {
        (1 + relativeError) * cutoff * total <= (tolerance - relativeError) * magnitude * 0.999
    }
}

extension ClosedRange<Double> {
    var length: Double { upperBound - lowerBound }
}
