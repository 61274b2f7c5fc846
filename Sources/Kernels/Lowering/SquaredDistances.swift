/// How Σ (u - v)² is computed for a long vector u of the row and a long vector v of the column.
public enum SquaredDistances: String, Hashable, Sendable, CaseIterable {
    /// As it is written: a subtraction and a multiply-add per component.
    case direct
    /// As |u|² + |v|² - 2 (u|v), a multiply-add per component, where that is as accurate.
    case inner
}
