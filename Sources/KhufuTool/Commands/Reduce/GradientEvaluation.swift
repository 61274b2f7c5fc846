import ArrayFiles
import Engines
import Formulas
import Kernels

extension Evaluation {
    /// The derivative of Σ result × cotangent with respect to a named input, the cotangent coming from a file.
    init(gradientOf reduction: Reduction, _ data: InputData, name: String, cotangentFile: String, _ options: DeviceOptions) throws
    {
        guard let position = data.declarations.firstIndex(where: { $0.name == name }) else {
            throw Failure(.dataError, "There is no input \(quoted(name)).")
        }
        // Asked first: a reduction without a derivative is the clearer message than a cotangent that cannot fit it.
        _ = try reduction.gradient(withRespectTo: data.declarations[position].variable)
        let compiled = try CompiledReduction(reduction, declarations: data.declarations)
        let shape = try data.arrays.withInputs { try compiled.resultShape(for: $0) }
        let cotangent = try Self.cotangent(cotangentFile, shape: shape.batch + [shape.rows, shape.values], type: data.type)
        try self.init(gradientOf: compiled, at: position, data.arrays, cotangent: cotangent, options)
    }

    /// Reads a cotangent. One axis stands for one number per point, as with inputs.
    private static func cotangent(_ path: String, shape: [Int], type: NumberType) throws -> NumberArray {
        let array = try PointArray(contentsOf: path)
        let fits = array.shape == shape || array.shape + [1] == shape
        guard fits else {
            throw Failure(
                .dataError,
                "\(printable(path, limit: 4096)): the cotangent has the shape of the result, \(readable(shape: shape)); "
                    + "this is \(readable(shape: array.shape)).")
        }
        return try NumberArray(array, type: type, shape: shape)
    }
}
