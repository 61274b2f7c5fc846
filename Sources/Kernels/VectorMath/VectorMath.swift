/// One function of the vector prelude: its C text for both precisions, and the accuracy that the tests hold it to.
///
/// The C functions take and return whole vectors: `exp` is `f32 exp_f32(f32 x)` and `f64 exp_f64(f64 x)`.
package struct VectorFunction: Sendable {
    /// The name without its precision: `exp` stands for `exp_f32` and `exp_f64`.
    package let name: String
    package let arity: Int
    /// Names of the functions that the text calls, in the same precision.
    package let dependencies: [String]
    /// C source of the float32 function. It may assume that `VectorMath.prelude` came before.
    package let float32: String
    /// C source of the float64 function.
    package let float64: String
    /// Largest error in units in the last place of the result, over all arguments whose result is a normal number.
    package let maximumError: (float32: Double, float64: Double)
    /// Where the accuracy test samples most densely, one range per argument. Special values and random bit patterns are tested besides.
    package let domain: [ClosedRange<Double>]

    package init(
        _ name: String, arity: Int = 1, dependencies: [String] = [],
        maximumError: (float32: Double, float64: Double), domain: [ClosedRange<Double>],
        float32: String, float64: String
    ) {
        self.name = name
        self.arity = arity
        self.dependencies = dependencies
        self.float32 = float32
        self.float64 = float64
        self.maximumError = maximumError
        self.domain = domain
    }
}

/// The vector mathematics that generated C kernels use: polynomials at a stated accuracy, inlined, instead of library calls.
///
/// A kernel's source is `#define LANES n`, the `prelude`, the functions it needs (`source(for:f32:f64:)`), then the kernel.
/// Compile it as gnu11 with `-ffp-contract=fast -fno-math-errno -fno-trapping-math` and link with `-lm`: rare arguments (a sine of
/// 1e10, a negative base of a power) leave the vector path for libm. Never pass `-ffast-math`, `-fassociative-math`,
/// `-ffinite-math-only` or `-fno-signed-zeros`: rounding by adding a large number, error terms and NaN tests would be optimised away.
package enum VectorMath {
    package static let functions: [VectorFunction] =
        rounding + roots + exponentials + powersOfTwo + trigonometric + inverseTrigonometric + powers

    /// The C texts of the named functions and of what they depend on; dependencies first, each once.
    /// Unknown names are ignored: the caller asks `function(named:)` what exists.
    package static func source(for names: Set<String>, f32: Bool, f64: Bool) -> String {
        var needed = names
        // The catalogue lists a function after its dependencies, so that one walk from the end finds them all.
        for function in functions.reversed() where needed.contains(function.name) {
            needed.formUnion(function.dependencies)
        }
        return functions.filter { needed.contains($0.name) }
            .flatMap { (f32 ? [$0.float32] : []) + (f64 ? [$0.float64] : []) }
            .joined(separator: "\n\n") + "\n"
    }

    package static func function(named name: String) -> VectorFunction? {
        functions.first { $0.name == name }
    }
}
