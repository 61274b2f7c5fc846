import RealModule

extension Double {
    /// The nearest number with three digits, for sentences.
    var short: Double {
        guard isFinite, self != 0 else { return self }
        let unit = Double.exp10(Double.log10(magnitude).rounded(.down) - 2)
        // Division by whole powers of ten leaves no digits behind.
        return unit < 1 ? (self / unit).rounded() / (1 / unit).rounded() : (self / unit).rounded() * unit
    }
}
