import Foundation

/// Numbers along one side of a picture: where each lies, and which of them are written.
struct Axis {
    enum Kind { case linear, logarithmic, longitude, latitude }

    struct Tick: Equatable {
        let value: Double
        let label: String
    }

    let kind: Kind
    let range: ClosedRange<Double>
    /// The pixels of the range's ends; the first may be the greater, as on vertical axes.
    let start: Double
    let end: Double

    /// An axis over `range`, moved or widened where this kind cannot show it: a single number, one that is infinite, or
    /// for logarithms one that is not positive.
    init(_ kind: Kind, _ range: ClosedRange<Double>, from start: Double, to end: Double) {
        self.kind = kind
        self.start = start
        self.end = end
        // Far from the ends of Double, so that no width or ratio overflows.
        func limited(_ value: Double) -> Double { value.isNaN ? 0 : min(max(value, -1e300), 1e300) }
        var low = limited(range.lowerBound)
        var high = limited(range.upperBound)
        if kind == .logarithmic {
            low = low > 0 ? max(low, 1e-300) : 1
            if high < low * 1.000001 { high = low * 10 }
        } else if high - low <= max(1e-12 * max(abs(low), abs(high)), 1e-300) {
            high = low + max(abs(low), 1)
        }
        self.range = low...high
    }

    func position(_ value: Double) -> Double {
        let share =
            kind == .logarithmic
            ? log(value / range.lowerBound) / log(range.upperBound / range.lowerBound)
            : (value - range.lowerBound) / (range.upperBound - range.lowerBound)
        return start + share * (end - start)
    }

    /// About `count` round numbers inside the range.
    func ticks(_ count: Int) -> [Tick] {
        if kind == .logarithmic {
            let decades = decadeTicks(count)
            if decades.count > 1 { return decades }
        }
        let step = step(count)
        let first = (range.lowerBound / step).rounded(.up)
        let last = (range.upperBound / step).rounded(.down)
        guard first <= last, last - first < 1000 else { return [] }
        return (0...Int(last - first)).map { index in
            // Adding 0 turns −0 into 0.
            let value = (first + Double(index)) * step + 0
            return Tick(value: value, label: label(value, step: step))
        }
    }

    private func decadeTicks(_ count: Int) -> [Tick] {
        let first = Int(log10(range.lowerBound).rounded(.up) - 1e-9)
        let last = Int((log10(range.upperBound) + 1e-9).rounded(.down))
        guard first <= last else { return [] }
        let stride = max(1, (last - first + count) / max(count, 1))
        return Swift.stride(from: first, through: last, by: stride).map { power in
            let value = pow(10, Double(power))
            return Tick(value: value, label: label(value, step: value))
        }
    }

    /// The round number nearest above the range's `count`-th part: 1, 2 or 5 times a power of ten, or for degrees also
    /// parts of a circle that people use.
    private func step(_ count: Int) -> Double {
        let raw = (range.upperBound - range.lowerBound) / Double(max(count, 1))
        if kind == .longitude || kind == .latitude, raw > 1 {
            return [2, 5, 10, 15, 30, 45, 60, 90].first { $0 >= raw * 0.999 } ?? 90
        }
        let power = pow(10, log10(raw).rounded(.down))
        return ([1, 2, 5].first { $0 * power >= raw * 0.999 } ?? 10) * power
    }

    private func label(_ value: Double, step: Double) -> String {
        switch kind {
        case .linear, .logarithmic: Self.text(value, step: step)
        case .longitude: Self.degrees(value, step: step, positive: "E", negative: "W")
        case .latitude: Self.degrees(value, step: step, positive: "N", negative: "S")
        }
    }

    private static func degrees(_ value: Double, step: Double, positive: String, negative: String) -> String {
        let isEnd = value == 0 || abs(value) == 180
        return text(abs(value), step: step) + "°" + (isEnd ? "" : value > 0 ? positive : negative)
    }

    /// A number with as many decimals as its neighbours at distance `step` need.
    static func text(_ value: Double, step: Double) -> String {
        if value == 0 { return "0" }
        let step = max(step, 1e-307)
        let magnitude = abs(value)
        if magnitude >= 1e6 || step < 1e-4 {
            // Two decimals at most, fewer when they are zeros: 2e-05, 1.5e+07.
            let digits = max(0, min(2, Int((log10(magnitude).rounded(.down) - log10(step).rounded(.down)))))
            return String(format: "%.\(digits)e", value).replacingOccurrences(of: "-", with: "−")
        }
        let decimals = max(0, Int((-log10(step) - 1e-9).rounded(.up)))
        return String(format: "%.\(decimals)f", value).replacingOccurrences(of: "-", with: "−")
    }
}
