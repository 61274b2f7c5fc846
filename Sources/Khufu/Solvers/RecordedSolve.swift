/// The solution of (K + alpha I) x = b as an operation that derivatives go through.
///
/// By the implicit function theorem, not through the iterations: for a cotangent c of x and w = (K + alpha I)⁻ᵀ c, the cotangents are
/// w for b, -w·x for alpha and that of the product Kx for -w for the variables of K. All of it is recorded in turn, w by a solve like
/// this one, so that derivatives of every order exist.
struct RecordedSolve<Operator: LinearOperator>: Sendable {
    typealias Scalar = Operator.Scalar

    /// Of detached variables, which the operands replace.
    private let matrix: Operator
    private let settings: SolverSettings
    /// Whether this solves with the transpose. The numbers are the same, since operators are symmetric, but not the derivatives: where
    /// rows and columns come from different variables, each changes the symmetric operator in its own way.
    private let isTransposed: Bool

    init(_ matrix: Operator, _ settings: SolverSettings, isTransposed: Bool = false) throws {
        self.matrix = try matrix.detached()
        self.settings = settings
        self.isTransposed = isTransposed
    }

    private init(transposing other: RecordedSolve) {
        (matrix, settings, isTransposed) = (other.matrix, other.settings, !other.isTransposed)
    }

    func callAsFunction(_ b: Tensor<Scalar>, _ alpha: Tensor<Scalar>, _ variables: [Tensor<Scalar>]) throws -> Tensor<Scalar> {
        let operands = [b, alpha] + variables
        guard let last = operands.lastIndex(where: \.isTracked) else { return try solution(b, alpha, variables) }
        let memo = AdjointMemo<Scalar>()
        return try solution(b, alpha, variables).recorded(operands) { k, operands, x, cotangent in
            let isDifferentiable = operands.contains(where: \.isTracked) || cotangent.isTracked
            let variables = Array(operands.dropFirst(2))
            let adjoint = try memo.solution(for: cotangent, isDifferentiable: isDifferentiable, isLast: k == last) {
                try RecordedSolve(transposing: self)(cotangent, operands[1], variables)
            }
            switch k {
            case 0: return adjoint
            case 1: return try (-(adjoint * x).sum()).reshaped(operands[1].shape)
            default:
                return try matrix.cotangent(
                    ofVariable: k - 2, variables, times: x, for: -adjoint, isTransposed: isTransposed,
                    differentiable: isDifferentiable)
            }
        }
    }

    private func solution(_ b: Tensor<Scalar>, _ alpha: Tensor<Scalar>, _ variables: [Tensor<Scalar>]) throws -> Tensor<Scalar> {
        guard 1...2 ~= b.rank, b.shape[0] == matrix.rowCount else {
            throw SolverError.rightHandSide(shape: b.shape, rows: matrix.rowCount)
        }
        let shift = try alpha.shift
        guard b.count > 0 else { return b.detached() }
        let current = try matrix.replacingVariables(variables.map { $0.detached() })
        let solutions = try settings.solutions(Columns(b), product: current.shiftedMap(alpha: shift), alpha: shift).x
        return solutions.tensor(shape: b.shape)
    }
}

extension LinearOperator {
    /// The cotangent of one of the variables, of which this operator is recomputed, for that of its product with vectors.
    func cotangent(
        ofVariable position: Int, _ variables: [Tensor<Scalar>], times vectors: Tensor<Scalar>, for cotangent: Tensor<Scalar>,
        isTransposed: Bool = false, differentiable: Bool
    ) throws -> Tensor<Scalar> {
        var variables = variables
        variables[position] = variables[position].tracked()
        let matrix = try replacingVariables(variables)
        let product = try isTransposed ? matrix.transposedProduct(vectors) : matrix.product(vectors)
        return try vectorJacobianProduct(
            of: product, withRespectTo: [variables[position]], cotangent: cotangent, differentiable: differentiable)[0]
    }
}
