/// A constant of a formula, kept exact: a fraction while both parts fit in 64 bits, else a Double.
///
/// Constants are folded when formulas are built; fractions keep that folding free of rounding, so that
/// `x/3` means the same in float32 and in float64.
public struct Number: Hashable, Sendable {
    private enum Storage: Hashable, Sendable {
        /// `numerator / denominator`, reduced, with a positive denominator.
        case fraction(Int, Int)
        /// Any other finite value that is not an integer, as written.
        case real(Double)
    }
    private let storage: Storage

    public static let zero = Number(0)
    public static let one = Number(1)

    public init(_ value: Int) { storage = .fraction(value, 1) }

    /// Nil where the denominator is zero or the reduced parts do not fit.
    public init?(_ numerator: Int, over denominator: Int) {
        guard denominator != 0, numerator != .min, denominator != .min else { return nil }
        let divisor = greatestCommonDivisor(numerator.magnitude, denominator.magnitude)
        let sign = denominator < 0 ? -1 : 1
        storage = .fraction(sign * numerator / Int(divisor), sign * denominator / Int(divisor))
    }

    /// Nil for infinities and NaN, which formulas cannot write.
    public init?(_ value: Double) {
        guard value.isFinite else { return nil }
        // Beyond 2^53 not every integer is a Double, so the value is no longer surely meant as one.
        if value == value.rounded(), abs(value) <= 0x1p53 {
            storage = .fraction(Int(value), 1)
        } else {
            storage = .real(value)
        }
    }

    /// The nearest Double.
    public var value: Double {
        switch storage {
        case .fraction(let numerator, let denominator): Double(numerator) / Double(denominator)
        case .real(let value): value
        }
    }

    /// The value where it is a whole number.
    public var integer: Int? {
        if case .fraction(let numerator, 1) = storage { numerator } else { nil }
    }

    public var isNegative: Bool { value < 0 }

    /// Whether its text is a quotient.
    var isQuotient: Bool {
        if case .fraction(_, let denominator) = storage { denominator != 1 } else { false }
    }

    static func + (a: Number, b: Number) -> Number? {
        combine(
            a, b,
            exact: { a, b in
                let (x, o1) = a.0.multipliedReportingOverflow(by: b.1)
                let (y, o2) = b.0.multipliedReportingOverflow(by: a.1)
                let (n, o3) = x.addingReportingOverflow(y)
                let (d, o4) = a.1.multipliedReportingOverflow(by: b.1)
                return o1 || o2 || o3 || o4 ? nil : (n, d)
            }, rounded: +)
    }

    static func * (a: Number, b: Number) -> Number? {
        let product = combine(
            a, b,
            exact: { a, b in
                let (n, o1) = a.0.multipliedReportingOverflow(by: b.0)
                let (d, o2) = a.1.multipliedReportingOverflow(by: b.1)
                return o1 || o2 ? nil : (n, d)
            }, rounded: *)
        // A product that underflows is not the constant zero, which would be simplified away with all it multiplies.
        return product == .zero && a != .zero && b != .zero ? nil : product
    }

    static func / (a: Number, b: Number) -> Number? {
        guard b.value != 0 else { return nil }
        return combine(
            a, b,
            exact: { a, b in
                let (n, o1) = a.0.multipliedReportingOverflow(by: b.1)
                let (d, o2) = a.1.multipliedReportingOverflow(by: b.0)
                return o1 || o2 ? nil : (n, d)
            }, rounded: /)
    }

    static func - (a: Number, b: Number) -> Number? { (-b).flatMap { a + $0 } }

    static prefix func - (a: Number) -> Number? { a * Number(-1) }

    /// Exactly where both are fractions and the result fits, otherwise in Double; nil where even that overflows.
    private static func combine(
        _ a: Number, _ b: Number, exact: ((Int, Int), (Int, Int)) -> (Int, Int)?,
        rounded: (Double, Double) -> Double
    ) -> Number? {
        if case .fraction(let an, let ad) = a.storage, case .fraction(let bn, let bd) = b.storage,
            let (n, d) = exact((an, ad), (bn, bd)), let result = Number(n, over: d)
        {
            return result
        }
        return Number(rounded(a.value, b.value))
    }
}

extension Number: CustomStringConvertible {
    /// Text that the parser reads back as the same number.
    public var description: String {
        switch storage {
        case .fraction(let numerator, 1): "\(numerator)"
        case .fraction(let numerator, let denominator): "\(numerator)/\(denominator)"
        case .real(let value): "\(value)"
        }
    }
}

private func greatestCommonDivisor(_ a: UInt, _ b: UInt) -> UInt {
    var (a, b) = (a, b)
    while b != 0 { (a, b) = (b, a % b) }
    return max(a, 1)
}
