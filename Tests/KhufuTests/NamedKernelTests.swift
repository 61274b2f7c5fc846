import Khufu
import RealModule
import Testing

/// Kernels by name against their definitions.
@Suite struct NamedKernelTests {
    let x = random([4, 2], seed: 1), y = random([5, 2], seed: 2), b = random([5, 3], seed: 3)
    let u = random([4, 1], seed: 4), v = random([5, 1], seed: 5)

    /// Kernels as functions of q = (x - y)ᵀW(x - y) and p = xᵀWy.
    static let definitions: [(text: String, value: @Sendable (_ q: Double, _ p: Double) -> Double)] = [
        ("gaussian(x, y)", { q, _ in .exp(-q) }),
        ("laplacian(x, y)", { q, _ in .exp(-q.squareRoot()) }),
        ("cauchy(x, y)", { q, _ in 1 / (1 + q) }),
        ("inverse_multiquadric(x, y)", { q, _ in 1 / (1 + q).squareRoot() }),
        ("energy(x, y)", { q, _ in -q.squareRoot() }),
        ("matern12(x, y)", { q, _ in .exp(-q.squareRoot()) }),
        ("matern32(x, y)", { q, _ in (1 + (3 * q).squareRoot()) * .exp(-(3 * q).squareRoot()) }),
        ("matern52(x, y)", { q, _ in (1 + (5 * q).squareRoot() + 5 * q / 3) * .exp(-(5 * q).squareRoot()) }),
        ("linear(x, y)", { _, p in p }),
        ("polynomial(x, y, 3)", { _, p in .pow(1 + p, 3) }),
        ("-2 * gaussian(x, y) + 0.3 * linear(x, y)**2 - 1", { q, p in -2 * .exp(-q) + 0.3 * p * p - 1 }),
    ]

    @Test(arguments: definitions.indices, ["one", "scalar", "diagonal", "full"])
    func valuesAreThoseOfTheDefinition(index: Int, bandwidth: String) throws {
        let (text, value) = Self.definitions[index]
        let weights: [[Double]] =
            switch bandwidth {
            case "one": [[1, 0], [0, 1]]
            case "scalar": [[0.6, 0], [0, 0.6]]
            case "diagonal": [[0.6, 0], [0, 1.7]]
            default: [[0.9, 0.2], [0.2, 0.5]]
            }
        let given: Tensor<Double>? =
            switch bandwidth {
            case "one": nil
            case "scalar": Tensor([0.6])
            case "diagonal": Tensor([0.6, 1.7])
            default: try Tensor(weights)
            }
        let kernel = try NamedKernel(text)
        let matrix = try kernel.matrix(
            rows: ["x": x], columns: ["y": y], weights: Array(repeating: given, count: kernel.kernelCount)
        ).dense()
        for i in 0..<4 {
            for j in 0..<5 {
                var (q, p) = (0.0, 0.0)
                for k in 0..<2 {
                    for l in 0..<2 {
                        q += weights[k][l] * (x[i, k] - y[j, k]) * (x[i, l] - y[j, l])
                        p += weights[k][l] * x[i, k] * y[j, l]
                    }
                }
                #expect(abs(matrix[i, j, 0] - value(q, p)) < 1e-12)
            }
        }
    }

    @Test func productsOfSeveralFeatures() throws {
        let kernel = try NamedKernel("gaussian(x,y) * (1 + linear(u,v)**2)")
        #expect(kernel.rowNames == ["x", "u"] && kernel.columnNames == ["y", "v"] && kernel.kernelCount == 2)
        let result = try kernel.product(rows: ["x": x, "u": u], columns: ["y": y, "v": v], weights: [Tensor([0.5])], vectors: b)
        let rows = try x.reshaped([4, 1, 2]), columns = try y.reshaped([1, 5, 2])
        let gaussian = try ((rows - columns).squared().sum(axes: [2]) * -0.5).exp()
        try expectClose(result, (gaussian * (u.matmul(v.transposed()).squared() + 1)).matmul(b))
    }

    @Test func directions() throws {
        let angles = [0.1, 1.4, 2.9]
        let directions = try Tensor(angles.map { [Double.cos($0), .sin($0)] })
        let matrix = try NamedKernel("von_mises(x, y)").matrix(
            rows: ["x": directions], columns: ["y": directions], weights: [Tensor([4])]
        )
        .dense()
        for i in 0..<3 { for j in 0..<3 { #expect(abs(matrix[i, j, 0] - .exp(4 * (.cos(angles[i] - angles[j]) - 1))) < 1e-13) } }
    }

    @Test(arguments: [
        ("gauss(x, y)", "gauss"), ("gaussian(x)", "row"), ("gaussian(x, y) / 2", "sums"), ("gaussian(x, y)**0.5", "power"),
        ("gaussian(x, x)", "x"), ("polynomial(x, y, z)", "degree"), ("gaussian(x, 3)", "names"), ("gaussian(x, y", ""),
    ])
    func mistakesAreNamed(text: String, part: String) {
        let error = #expect(throws: FormulaError.self) { try NamedKernel(text) }
        #expect(error?.description.contains(part) == true)
    }

    @Test func missingFeaturesAreNamed() throws {
        let kernel = try NamedKernel("gaussian(x, y)")
        let missing = #expect(throws: TensorError.self) { try kernel.matrix(rows: ["x": x], columns: [:]) }
        #expect(missing?.description.contains("y of the columns") == true)
        #expect(throws: TensorError.self) { try kernel.matrix(rows: ["x": x, "u": u], columns: ["y": y]) }
        #expect(throws: TensorError.self) { try kernel.matrix(rows: ["x": x], columns: ["y": y], weights: [nil, nil]) }
    }
}
