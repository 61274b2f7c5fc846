import Formulas
import Kernels

/// An array in memory that a reduction reads: contiguous, row-major, of shape (batch…, points, dimension), or
/// (batch…, dimension) for a parameter.
///
/// The memory is the caller's. It must stay valid and unchanged while the reduction runs.
public struct InputArray: @unchecked Sendable {
    public var base: UnsafeRawPointer
    public var type: ScalarType
    public var shape: [Int]

    public init(_ base: UnsafeRawPointer, type: ScalarType, shape: [Int]) {
        self.base = base
        self.type = type
        self.shape = shape
    }
}

/// Something wrong with what a reduction is given to run on, in one sentence that names the input, what was expected and
/// what came.
public struct BindingError: Error, Hashable, Sendable, CustomStringConvertible {
    public var description: String
    public init(_ description: String) { self.description = description }
}
