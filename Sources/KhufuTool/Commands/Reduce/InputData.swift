import ArrayFiles
import Engines
import Formulas
import Kernels

/// The inputs of a reduction: what was declared on the command line, and the numbers read for it.
struct InputData {
    let declarations: [Declaration]
    let arrays: [NumberArray]
    let type: NumberType

    /// Reads every source.
    ///
    /// - Parameter type: the type to compute in; by default float64 where any `.npy` file has float64, else float32.
    ///   Text has no type, so that CSV files and numbers on the command line have no say.
    init(_ arguments: [InputArgument], type: NumberType?) throws {
        var declarations: [Declaration] = []
        var sources: [(array: PointArray, shape: [Int])] = []
        var hasDouble = false
        for (position, argument) in arguments.enumerated() {
            let array = try Self.read(argument)
            let shape = try Self.shape(of: array, for: argument)
            declarations.append(try argument.declaration(position: position, dimension: shape.last ?? 1))
            if fileExtension(argument.rest) == "npy", case .float64 = array.storage { hasDouble = true }
            sources.append((array, shape))
        }
        let type = type ?? (hasDouble ? .float64 : .float32)
        self.declarations = declarations
        self.type = type
        arrays = try sources.map { try NumberArray($0.array, type: type, shape: $0.shape) }
    }

    private static func read(_ argument: InputArgument) throws -> PointArray {
        if argument.category == .parameter { return try PointArray(parameter: argument.rest) }
        if (try? PointArray(literal: argument.rest)) != nil {
            throw Failure(
                .dataError,
                "\(quoted(argument.name)) follows \(argument.category == .i ? "i" : "j") and takes a file; "
                    + "numbers are for parameters, \(argument.name)=p:\(printable(argument.rest, limit: 40)).")
        }
        return try PointArray(contentsOf: argument.rest)
    }

    /// The shape that the engine is given: (…, points, dimension), or (dimension) for a parameter.
    ///
    /// One axis is a point each of dimension 1. For a parameter all but one axis may be 1 long, as a CSV file's row or column is.
    /// More than two axes are a batch.
    static func shape(of array: PointArray, for argument: InputArgument) throws(Failure) -> [Int] {
        if argument.category == .parameter {
            guard array.shape.count(where: { $0 != 1 }) <= 1 else {
                throw Failure(
                    .dataError,
                    "\(quoted(argument.name)) is a parameter, one vector; "
                        + "\(printable(argument.rest, limit: 100)) has shape \(readable(shape: array.shape)).")
            }
            return [array.count]
        }
        switch array.shape.count {
        case 0: return [1, 1]
        case 1: return array.shape + [1]
        default: return array.shape
        }
    }

    /// Names that the formulas do not use: allowed, as they count points, and most often a mistake.
    func unusedNames(_ reduction: Reduction) -> [String] {
        let used = Set(reduction.variables)
        return declarations.filter { !used.contains($0.variable) }.compactMap(\.name)
    }
}
