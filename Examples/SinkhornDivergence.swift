import Khufu
import RealModule

/// The Sinkhorn divergence of clouds of points of equal weights, for the cost |x - y|²/2: entropic optimal transport without its bias
/// (Feydy, Séjourné, Vialard, Amari, Trouvé and Peyré, "Interpolating between optimal transport and MMD using Sinkhorn divergences",
/// 2019), by Sinkhorn's iteration on logarithms, at a temperature that falls to its final value.
struct SinkhornDivergence {
    /// The length below which details do not count: the square root of the temperature ε.
    var blur: Double
    /// A length that no two points are farther apart than, where the temperature starts.
    var diameter = 4.0
    /// What the blur is multiplied by from step to step.
    var scaling = 0.8
    /// Steps at the final temperature.
    var finalSteps = 10

    /// OT(x, y) - OT(x, x)/2 - OT(y, y)/2: positive, and 0 where the clouds are the same.
    func callAsFunction(_ x: Tensor<Double>, _ y: Tensor<Double>) throws -> Tensor<Double> {
        let own = try 0.5 * (cost(x, x) + cost(y, y))
        return try cost(x, y) - own
    }

    /// The entropic transport cost min Σ π_ij |x_i - y_j|²/2 + ε KL(π | 1/MN), as the value of its dual.
    func cost(_ x: Tensor<Double>, _ y: Tensor<Double>) throws -> Tensor<Double> {
        let (f, g) = try potentials(x, y)
        // One more step, the only one that derivatives go through: at the optimum they do not depend on the potentials.
        let first = try softMin(x, y.detached(), g, blur).mean()
        let second = try softMin(y, x.detached(), f, blur).mean()
        return try first + second
    }

    /// Where the plan moves each x: to Σ_j π_ij y_j / Σ_j π_ij.
    func transported(_ x: Tensor<Double>, to y: Tensor<Double>) throws -> Tensor<Double> {
        let g = try potentials(x, y).g
        return try scores(x, y, g, blur).softMaxMean(of: LazyTensor(columns: y), over: .columns)
    }

    private func potentials(_ x: Tensor<Double>, _ y: Tensor<Double>) throws -> (f: Tensor<Double>, g: Tensor<Double>) {
        let (x, y) = (x.detached(), y.detached())
        var f = Tensor<Double>(repeating: 0, shape: [x.shape[0], 1])
        var g = Tensor<Double>(repeating: 0, shape: [y.shape[0], 1])
        let falling = sequence(first: diameter) { $0 * scaling }.prefix { $0 > blur }
        for blur in falling + Array(repeating: blur, count: finalSteps) {
            let (newF, newG) = try (softMin(x, y, g, blur), softMin(y, x, f, blur))
            // The mean of old and new: both sides step at once without overshooting.
            (f, g) = try (0.5 * (f + newF), 0.5 * (g + newG))
        }
        return (f, g)
    }

    /// -ε log (1/N Σ_j exp((g_j - |x_i - y_j|²/2)/ε)).
    private func softMin(_ x: Tensor<Double>, _ y: Tensor<Double>, _ g: Tensor<Double>, _ blur: Double) throws -> Tensor<Double> {
        let total = try scores(x, y, g, blur).logSumExp(over: .columns)
        return -blur * blur * (total - .log(Double(y.shape[0])))
    }

    /// (g_j - |x_i - y_j|²/2)/ε.
    private func scores(
        _ x: Tensor<Double>, _ y: Tensor<Double>, _ g: Tensor<Double>, _ blur: Double
    ) throws -> LazyTensor<Double> {
        let distances = try LazyTensor(rows: x).squaredDistance(to: LazyTensor(columns: y))
        return try (LazyTensor(columns: g) - distances / 2) / (blur * blur)
    }
}
