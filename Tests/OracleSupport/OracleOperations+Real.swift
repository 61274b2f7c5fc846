#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

// Real functions, component by component.

extension OracleOperation {
    static let leaves: [OracleOperation] = [
        OracleOperation(
            name: "Var", dimension: { _, a in a[1].integer }, value: { _, _, _ in preconditionFailure("variables are inputs") },
            samples: { _ in [] }),
        constant("IntCst", [[.integer(3)], [.integer(-7)], [.integer(16_777_217)]]) { Double($0[0].integer) },
        constant("RatCst", [[.integer(1), .integer(3)], [.integer(-10), .integer(4)]]) {
            Double($0[0].integer) / Double($0[1].integer)
        },
        constant("IntInv", [[.integer(7)], [.integer(-2)]]) { 1 / Double($0[0].integer) },
        constant("Number", [[.number(0.1)], [.number(1e-3)], [.number(123.456)]]) {
            if case .number(let value) = $0[0] { value } else { preconditionFailure() }
        },
        OracleOperation(
            name: "Zero", dimension: { _, a in a[0].integer },
            value: { _, _, dimension in Array(repeating: 0, count: dimension) },
            samples: { [Sample(dimensions: [], domains: [], attributes: [.integer($0)])] }),
    ]

    private static func constant(
        _ name: String, _ attributes: [[Attribute]], _ value: @escaping @Sendable ([Attribute]) -> Double
    ) -> OracleOperation {
        OracleOperation(
            name: name, dimension: { _, _ in 1 }, value: { _, a, _ in [value(a)] },
            samples: { _ in attributes.map { Sample(dimensions: [], domains: [], attributes: $0) } })
    }

    static let elementwise: [OracleOperation] = [
        binary("Add") { $0 + $1 },
        binary("Subtract") { $0 - $1 },
        unary("Minus") { -$0 },
        binary("Mult") { $0 * $1 },
        binary("Divide", .real, .nonzero) { $0 / $1 },
        unary("Inv", .nonzero) { 1 / $0 },
        unary("Square") { $0 * $0 },
        unary("Sqrt", .positive) { sqrt($0) },
        unary("Rsqrt", .positive) { $0 == 0 ? 0 : 1 / sqrt($0) },
        unary("Pow", .nonzero, integers: { [[3], [[-2, 4, 5, -3, 7, 0, 12][$0 % 7]], [[-9, -1, 2, 1, 13][$0 % 5]]] }) {
            pow($0, Double($1[0]))
        },
        binary("Powf", .positive, .real) { pow($0, $1) },
        unary("Exp") { exp($0) },
        unary("Log", .positive) { log($0) },
        unary("XLogX", .positive) { $0 == 0 ? 0 : $0 * log($0) },
        unary("Sin") { sin($0) },
        unary("Cos") { cos($0) },
        unary("Asin", .unit) { asin($0) },
        unary("Acos", .unit) { acos($0) },
        unary("Atan") { atan($0) },
        // At 0 the sign of zero would decide between π and -π.
        binary("Atan2", .nonzero, .real) { atan2($0, $1) },
        unary("SinXDivX") { $0 == 0 ? 1 : sin($0) / $0 },
        unary("SphericalBessel", .real, integers: { [[$0 % 4], [$0 % 7]] }) { sphericalBessel($1[0], $0) },
        unary("Abs") { $0 < 0 ? -$0 : $0 },
    ]

    static let piecewise: [OracleOperation] = [
        binary("Maximum", exact: .lattice) { max($0, $1) },
        binary("Minimum", exact: .lattice) { min($0, $1) },
        unary("Sign") { $0 > 0 ? 1 : $0 < 0 ? -1 : 0 },
        unary("Step") { $0 < 0 ? 0 : 1 },
        unary("ReLU") { $0 < 0 ? 0 : $0 },
        unary("Floor") { floor($0) },
        unary("Round", .real, integers: { [[[0, 1, 2, -1][$0 % 4]]] }) { x, integers in
            let d = integers[0]
            if d == 0 { return round(x) }
            return d > 0
                ? round(x * pow(10, Double(d))) / pow(10, Double(d)) : round(x / pow(10, Double(-d))) * pow(10, Double(-d))
        },
        ternary("Clamp", [.real, .unit, .positive]) { $0 < $1 ? $1 : $0 > $2 ? $2 : $0 },
        unary("ClampInt", .real, integers: { _ in [[-1, 1]] }) { x, range in min(max(x, Double(range[0])), Double(range[1])) },
        unary("DiffClampInt", .real, integers: { _ in [[-1, 1]] }) { x, range in
            x < Double(range[0]) || x > Double(range[1]) ? 0 : 1
        },
        ternary("IfElse", [.real, .real, .real]) { $0 >= 0 ? $1 : $2 },
        ternary("Mod", [.real, .positive, .real]) { f, n, d in f - n * floor((f - d) / n) },
        binary("Equal", exact: .lattice) { $0 == $1 ? 1 : 0 },
        binary("NotEqual", exact: .lattice) { $0 == $1 ? 0 : 1 },
        binary("LessThan", exact: .lattice) { $0 < $1 ? 1 : 0 },
        binary("LessOrEqual", exact: .lattice) { $0 <= $1 ? 1 : 0 },
    ]
}

/// j_n(x): the power series (DLMF 10.53.1) where its terms fall at once; the recurrence (10.51.1) run upward where x is far
/// beyond n; else run downward from far above n, where any start value does (Miller), scaled to the known j_0 or j_1.
package func sphericalBessel(_ n: Int, _ x: Double) -> Double {
    if abs(x) < 3 {
        var term = 1.0
        for k in stride(from: 1, through: n, by: 1) { term *= x / Double(2 * k + 1) }
        var sum = 0.0
        for k in 1...40 {
            sum += term
            term *= -x * x / (2 * Double(k) * Double(2 * n + 2 * k + 1))
        }
        return sum
    }
    if !(abs(x) < 100) {
        var (before, current) = (cos(x) / x, sin(x) / x)
        for k in 0..<n { (before, current) = (current, Double(2 * k + 1) / x * current - before) }
        return current
    }
    let top = max(n, Int(abs(x))) + 40
    var values = Array(repeating: 0.0, count: top + 2)
    values[top] = 1e-290
    for k in stride(from: top, through: 1, by: -1) {
        values[k - 1] = Double(2 * k + 1) / x * values[k] - values[k + 1]
        if abs(values[k - 1]) > 1e200 { for m in (k - 1)...top { values[m] *= 1e-200 } }
    }
    let first = sin(x) / x
    let second = sin(x) / (x * x) - cos(x) / x
    return abs(first) > abs(second) ? values[n] * first / values[0] : values[n] * second / values[1]
}
