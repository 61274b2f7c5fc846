import Formulas

/// The usual kernels by name. Each is a function of two vectors and of weights W: one number, a diagonal, or a symmetric matrix.
///
/// With q = (x - y)ᵀ W (x - y) and r = √q; for a Gaussian of standard deviation σ, W = 1/(2σ²), and for a length scale ℓ of the others
/// W = 1/ℓ².
///
/// Sources: C. E. Rasmussen and C. K. I. Williams, *Gaussian Processes for Machine Learning*, 2006, section 4.2; for the energy kernel,
/// G. J. Székely and M. L. Rizzo, "Energy statistics", 2013; for directions, K. V. Mardia and P. E. Jupp, *Directional Statistics*, 2000.
enum KernelFunction: String, CaseIterable, Sendable {
    /// exp(-q).
    case gaussian
    /// exp(-r); also Matérn 1/2.
    case laplacian
    /// 1/(1 + q).
    case cauchy
    /// 1/√(1 + q).
    case inverseMultiquadric = "inverse_multiquadric"
    /// -r.
    case energy
    /// exp(-r).
    case matern12
    /// (1 + √3 r) exp(-√3 r).
    case matern32
    /// (1 + √5 r + 5q/3) exp(-√5 r).
    case matern52
    /// xᵀ W y.
    case linear
    /// (1 + xᵀ W y)^d, written polynomial(x, y, d).
    case polynomial
    /// exp(W (x·y - 1)) for unit vectors; W is the concentration, one number.
    case vonMises = "von_mises"

    /// The kernel of two vectors; with weights 1 where none are given.
    func matrix<Scalar: TensorScalar>(
        _ x: LazyTensor<Scalar>, _ y: LazyTensor<Scalar>, _ weights: LazyTensor<Scalar>?, degree: Int?
    ) throws -> LazyTensor<Scalar> {
        func square() throws -> LazyTensor<Scalar> {
            try weights.map { try x.weightedSquaredDistance(to: y, $0) } ?? x.squaredDistance(to: y)
        }
        func product() throws -> LazyTensor<Scalar> {
            guard let weights else { return try x | y }
            return weights.dimension == x.dimension * x.dimension && x.dimension > 1
                ? try x | weights.matrixTimes(y) : try (x * weights) | y
        }
        switch self {
        case .gaussian: return try (-square()).exp()
        case .laplacian, .matern12: return try (-square().squareRoot()).exp()
        case .cauchy: return try (square() + 1).reciprocal()
        case .inverseMultiquadric: return try (square() + 1).reciprocalSquareRoot()
        case .energy: return try -square().squareRoot()
        case .matern32:
            let r = try square().squareRoot() * Scalar(3).squareRoot()
            return try (r + 1) * (-r).exp()
        case .matern52:
            let r = try square().squareRoot() * Scalar(5).squareRoot()
            return try (r * r / 3 + r + 1) * (-r).exp()
        case .linear: return try product()
        case .polynomial: return try (product() + 1).power(degree ?? 2)
        case .vonMises:
            let cosine = try (x | y) - 1
            return try (weights.map { try cosine * $0 } ?? cosine).exp()
        }
    }
}
