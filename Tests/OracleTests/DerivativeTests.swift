import Testing
@Suite struct DerivativeTests {
    static let operators = [
        "Grad", "GradMatrix", "Diff", "Divergence", "Laplacian", "TraceOperator", "AdjointOperator", "SumLinOperator",
    ]
}
