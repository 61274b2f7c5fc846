/// Which indices of an axis a slice takes: an `Int` takes one and drops the axis; ranges, ``every(_:of:)`` and ``all`` keep it.
///
/// Bounds below 0 count from the end: `(-3)...` is the last three. (Swift refuses `0..<(-1)`; `..<(-1)` says the same.) Bounds
/// outside of the axis are mistakes, as they are for arrays.
public protocol AxisSelection: Sendable {
    /// The indices among so many; nil where they are not all there.
    func indices(ofLength length: Int) -> AxisIndices?
}

/// Some indices of an axis: a first one, and others at equal distances.
public struct AxisIndices: Hashable, Sendable {
    public var first: Int
    public var count: Int
    /// May be negative.
    public var step: Int
    /// Whether the axis stays.
    public var keepsAxis: Bool

    public init(first: Int, count: Int, step: Int = 1, keepsAxis: Bool = true) {
        self.first = first
        self.count = count
        self.step = step
        self.keepsAxis = keepsAxis
    }

    /// From one bound up to another, either counted from the end where negative.
    fileprivate init?(_ lower: Int, _ upper: Int, ofLength length: Int) {
        let (lower, upper) = (lower < 0 ? lower + length : lower, upper < 0 ? upper + length : upper)
        guard 0 <= lower, lower <= upper, upper <= length else { return nil }
        self.init(first: lower, count: upper - lower)
    }

    /// Up to and including a bound: one more, but -1 is followed by the end.
    fileprivate init?(_ lower: Int, through upper: Int, ofLength length: Int) {
        guard upper < length else { return nil }
        self.init(lower, upper == -1 ? length : upper + 1, ofLength: length)
    }
}

extension Int: AxisSelection {
    public func indices(ofLength length: Int) -> AxisIndices? {
        let index = self < 0 ? self + length : self
        return (0..<length).contains(index) ? AxisIndices(first: index, count: 1, keepsAxis: false) : nil
    }
}

extension Range<Int>: AxisSelection {
    public func indices(ofLength length: Int) -> AxisIndices? {
        // -2..<0 is meant to reach the end.
        AxisIndices(lowerBound, lowerBound < 0 && upperBound == 0 ? length : upperBound, ofLength: length)
    }
}

extension ClosedRange<Int>: AxisSelection {
    public func indices(ofLength length: Int) -> AxisIndices? { AxisIndices(lowerBound, through: upperBound, ofLength: length) }
}

extension PartialRangeFrom<Int>: AxisSelection {
    public func indices(ofLength length: Int) -> AxisIndices? { AxisIndices(lowerBound, length, ofLength: length) }
}

extension PartialRangeUpTo<Int>: AxisSelection {
    public func indices(ofLength length: Int) -> AxisIndices? { AxisIndices(0, upperBound, ofLength: length) }
}

extension PartialRangeThrough<Int>: AxisSelection {
    public func indices(ofLength length: Int) -> AxisIndices? { AxisIndices(0, through: upperBound, ofLength: length) }
}

/// Every so manyth index of others; see ``AxisSelection/every(_:of:)``.
public struct AxisStride: AxisSelection {
    private let step: Int
    private let selection: any AxisSelection

    fileprivate init(_ step: Int, _ selection: any AxisSelection) {
        precondition(step != 0, "The step of a slice is not 0.")
        self.step = step
        self.selection = selection
    }

    public func indices(ofLength length: Int) -> AxisIndices? {
        guard var indices = selection.indices(ofLength: length) else { return nil }
        if step < 0 { indices.first += max(0, indices.count - 1) * indices.step }
        indices.count = indices.count == 0 ? 0 : (indices.count - 1) / Int(clamping: step.magnitude) + 1
        indices.step *= indices.count > 1 ? step : 1
        return indices
    }
}

extension AxisSelection where Self == AxisStride {
    /// Every second, third, … index of the axis or of a range of it; with a negative step from the back.
    public static func every(_ step: Int, of selection: any AxisSelection = 0...) -> AxisStride { AxisStride(step, selection) }
}

extension AxisSelection where Self == PartialRangeFrom<Int> {
    /// The whole axis.
    public static var all: PartialRangeFrom<Int> { 0... }
}
