import Formulas

/// A kernel written with the names of the usual ones: sums, products and whole powers of kernels between pairs of features.
///
///     let kernel = try NamedKernel("gaussian(x, y) * (1 + linear(u, v)**2)")
///     let a = try kernel.product(rows: ["x": x, "u": u], columns: ["y": y, "v": v], weights: [Tensor([0.5])], vectors: b)
///
/// `gaussian`, `laplacian`, `cauchy`, `inverse_multiquadric`, `energy`, `matern12`, `matern32`, `matern52`, `linear`, `polynomial(x, y, d)`
/// and `von_mises` are known. The first argument names features of the rows, the second of the columns. With q = (x - y)ᵀ W (x - y) the
/// Gaussian is exp(-q), the Laplacian exp(-√q), and so on; ``weights`` are the W of each, in the order in which kernels are written.
public struct NamedKernel: Sendable, CustomStringConvertible {
    /// As it was written.
    public let description: String
    private let syntax: Syntax
    /// The features of rows and of columns, in the order of their first use.
    public let rowNames: [String]
    public let columnNames: [String]
    /// How many kernels are written, and so the most weights that can be given.
    public let kernelCount: Int

    /// - Throws: ``FormulaError``, with the place in the text, for what does not parse and for names that are not known.
    public init(_ text: String) throws(FormulaError) {
        description = text
        syntax = try Syntax(parsing: text)
        var names = (rows: [String](), columns: [String](), count: 0)
        try Self.check(syntax, &names)
        if let both = names.rows.first(where: names.columns.contains) {
            throw FormulaError("\(both) stands for rows in one place and for columns in another.")
        }
        (rowNames, columnNames, kernelCount) = names
    }

    /// The symbolic matrix of some features.
    ///
    /// - Parameters:
    ///   - rows: each feature of the rows by its name, of shape (batch…, rows, dimension).
    ///   - columns: the same of the columns.
    ///   - weights: for each kernel in the order of the text one number, as many as the dimension, or a symmetric matrix in
    ///     row-major order; none for 1.
    /// - Throws: ``TensorError`` where features or weights are missing or too many, or shapes do not fit.
    public func matrix<Scalar: TensorScalar>(
        rows: [String: Tensor<Scalar>], columns: [String: Tensor<Scalar>], weights: [Tensor<Scalar>?] = []
    ) throws -> LazyTensor<Scalar> {
        try Self.check(rows.keys.sorted(), against: rowNames, "rows")
        try Self.check(columns.keys.sorted(), against: columnNames, "columns")
        guard weights.count <= kernelCount else {
            throw TensorError("\(description) has \(kernelCount) kernels; \(weights.count) weights came.")
        }
        var features: [String: LazyTensor<Scalar>] = [:]
        for (name, tensor) in rows { features[name] = try LazyTensor(rows: tensor) }
        for (name, tensor) in columns { features[name] = try LazyTensor(columns: tensor) }
        let parameters = try weights.map { weight in
            try weight.map { try LazyTensor(parameter: $0.rank == 2 ? try $0.reshaped([-1]) : $0) }
        }
        var rest = parameters[...]
        return try Self.matrix(syntax, features, &rest)
    }

    /// The product of the kernel's matrix with vectors, Σ_j K(x_i, y_j) b_j: the `kernel_product` of KeOps' first generation.
    ///
    /// - Parameter vectors: (columns) or (columns, k).
    /// - Returns: (rows) or (rows, k).
    public func product<Scalar: TensorScalar>(
        rows: [String: Tensor<Scalar>], columns: [String: Tensor<Scalar>], weights: [Tensor<Scalar>?] = [],
        vectors: Tensor<Scalar>
    ) throws -> Tensor<Scalar> {
        try matrix(rows: rows, columns: columns, weights: weights).matmul(vectors)
    }

    private static func check(_ given: [String], against names: [String], _ axis: String) throws(TensorError) {
        if let missing = names.first(where: { !given.contains($0) }) {
            throw TensorError(
                "Feature \(missing) of the \(axis) is missing; \(given.isEmpty ? "none came" : "\(given.joined(separator: ", ")) came")."
            )
        }
        if let odd = given.first(where: { !names.contains($0) }) {
            throw TensorError("There is no feature \(odd) of the \(axis); there are \(names.joined(separator: ", ")).")
        }
    }
}

// MARK: - Reading

extension NamedKernel {
    /// Whether all of a text can be understood; collects the features' names.
    private static func check(_ syntax: Syntax, _ names: inout (rows: [String], columns: [String], count: Int))
        throws(FormulaError)
    {
        switch syntax.kind {
        case .integer, .decimal: return
        case .infix(.plus), .infix(.minus), .infix(.times), .minus, .plus:
            for argument in syntax.arguments { try check(argument, &names) }
        case .infix(.power):
            guard let exponent = syntax.arguments[1].integer, (1...64).contains(exponent) else {
                throw syntax.arguments[1].error("A kernel's power is a whole number from 1 to 64.")
            }
            try check(syntax.arguments[0], &names)
        case .call(let name):
            let function = try function(name, syntax)
            let arguments = syntax.arguments
            guard arguments.count == 2 || (arguments.count == 3 && function == .polynomial) else {
                throw syntax.error("A kernel takes a feature of the rows and one of the columns.")
            }
            if arguments.count == 3, !(1...64).contains(arguments[2].integer ?? 0) {
                throw arguments[2].error("The degree of a polynomial kernel is a whole number from 1 to 64.")
            }
            let row = try featureName(arguments[0]), column = try featureName(arguments[1])
            if !names.rows.contains(row) { names.rows.append(row) }
            if !names.columns.contains(column) { names.columns.append(column) }
            names.count += 1
        default: throw syntax.error("A kernel is made of named kernels, numbers, sums, products and whole powers.")
        }
    }

    private static func function(_ name: String, _ syntax: Syntax) throws(FormulaError) -> KernelFunction {
        guard let function = KernelFunction(rawValue: name) else {
            let known = KernelFunction.allCases.map(\.rawValue).joined(separator: ", ")
            throw syntax.error("There is no kernel named \(name); there are \(known).")
        }
        return function
    }

    private static func featureName(_ syntax: Syntax) throws(FormulaError) -> String {
        guard case .name(let name) = syntax.kind else { throw syntax.error("The arguments of a kernel are names of features.") }
        return name
    }

    /// The matrix of a text that has been checked. Weights are taken from the front, one per kernel.
    private static func matrix<Scalar: TensorScalar>(
        _ syntax: Syntax, _ features: [String: LazyTensor<Scalar>], _ weights: inout ArraySlice<LazyTensor<Scalar>?>
    ) throws -> LazyTensor<Scalar> {
        if case .call(let name) = syntax.kind {
            let arguments = syntax.arguments
            return try function(name, syntax).matrix(
                features[try featureName(arguments[0])]!, features[try featureName(arguments[1])]!,
                weights.isEmpty ? nil : weights.removeFirst(), degree: arguments.count > 2 ? arguments[2].integer : nil)
        }
        switch syntax.kind {
        case .integer(let number): return LazyTensor(number: Scalar(number))
        case .decimal(let number): return LazyTensor(number: Scalar(number))
        case .minus: return try -matrix(syntax.arguments[0], features, &weights)
        case .plus: return try matrix(syntax.arguments[0], features, &weights)
        case .infix(.power): return try matrix(syntax.arguments[0], features, &weights).power(syntax.arguments[1].integer!)
        default: break
        }
        let first = try matrix(syntax.arguments[0], features, &weights),
            second = try matrix(syntax.arguments[1], features, &weights)
        switch syntax.kind {
        case .infix(.plus): return try first + second
        case .infix(.minus): return try first - second
        default: return try first * second
        }
    }
}
