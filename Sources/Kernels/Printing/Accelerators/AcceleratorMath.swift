/// The instructions that are functions, as the languages' own libraries have them.
enum AcceleratorMath {
    /// `f32 exp_f32(f32 x)`, by the library's function or by instructions that are as accurate and faster.
    static func definition(of name: String, isDouble: Bool, _ language: AcceleratorLanguage) -> String {
        let type = isDouble ? "f64" : "f32"
        func unary(_ expression: String) -> String { "INLINE \(type) \(name)_\(type)(\(type) x) { return \(expression); }" }
        func binary(_ expression: String) -> String {
            "INLINE \(type) \(name)_\(type)(\(type) x, \(type) y) { return \(expression); }"
        }
        /// The library's name for this type.
        func library(_ name: String) -> String { language == .cuda && !isDouble ? name + "f" : name }
        switch name {
        case "abs": return unary("\(library("fabs"))(x)")
        case "rsqrt": return unary("x == 0 ? 0 : \(library("rsqrt"))(x)")
        case "round": return unary("\(library("round"))(x)")
        case "exp2" where language == .cuda && !isDouble: return exp2
        case "fast_exp2" where language == .cuda && !isDouble:
            return exp2.replacing("exp2_f32", with: "fast_exp2_f32")
        case "fast_exp2": return unary("exp2(x)")
        case "atan2", "pow": return binary("\(library(name))(x, y)")
        default: return unary("\(library(name))(x)")
        }
    }

    // The special-function unit, with its 2 units in the last place at most; results below 2^-126 are 0.
    //
    // It does 16 a cycle, where 128 instructions are issued: one exponential per pair lasts as long as 8 of them. A pair of the Gaussian sum
    // in 3 dimensions issues 9.4 (counted in sm_90's machine code: 3 differences, 4 products or sums of squares, the exponential, the sum,
    // 0.4 for reading and the loop), so the unit is not what is waited for, and a part of the exponentials as polynomials, which take some 9
    // more each, would cost time. Only in 1 dimension, where a pair issues 5, would one in five save an eighth. Counted, never timed.
    private static let exp2 =
        "INLINE f32 exp2_f32(f32 x) { f32 y; asm(\"ex2.approx.ftz.f32 %0, %1;\" : \"=f\"(y) : \"f\"(x)); return y; }"
}
