import Formulas

/// A program for accelerators that adds an array to others in the shape of the total: along some axes it is summed, along others
/// repeated.
///
///     khufu_total     total[e] = before[e] + Σ_s array[…], a thread per number of the total and part of its sum
///
/// Lengths and strides are arguments, so that one program does for all shapes with as many axes.
public struct TotalSource: Hashable, Sendable {
    public var language: AcceleratorLanguage
    /// The type of the caller's arrays.
    public var storage: ScalarType
    /// Whether totals are in float64 on the way, or else in float32.
    public var usesFloat64: Bool
    /// Whether the array is one of totals on the way, not of the caller's type.
    public var readsTotals: Bool
    /// Axes of the total, and of what is summed into each of its numbers.
    public var keptAxes: Int
    public var summedAxes: Int

    public static let threads = 128
    public static let entry = "khufu_total"

    public init(
        language: AcceleratorLanguage, storage: ScalarType, usesFloat64: Bool, readsTotals: Bool, keptAxes: Int, summedAxes: Int
    ) {
        (self.language, self.storage, self.usesFloat64, self.readsTotals) = (language, storage, usesFloat64, readsTotals)
        (self.keptAxes, self.summedAxes) = (keptAxes, summedAxes)
    }

    /// The parameters are arrays, numbers of the total, of the sum and of its parts, then length and stride of each axis, innermost first.
    public var text: String {
        let (stored, wide) = (AcceleratorDialect.scalar(storage), usesFloat64 ? "f64" : "f32")
        let isHalf = storage.isHalf
        let number = isHalf && !readsTotals ? "f32_from_\(storage.halfName)(array[offset])" : "array[offset]"
        let result = isHalf ? "\(storage.halfName)_from_f32((f32)sum)" : "(\(stored))sum"
        return """
            // Adds an array to a total.

            #define THREADS \(Self.threads)
            \(AcceleratorPrelude.types(language, storage: storage, usesFloat64: usesFloat64 || storage == .float64))
            KERNEL void \(Self.entry)(
                GLOBAL const \(readsTotals ? wide : stored) *array, GLOBAL const \(wide) *before, GLOBAL \(wide) *after, GLOBAL \(stored) *total,
                const i64 count, const i64 length, const i64 parts\(parameters("kept", keptAxes))\(parameters("summed", summedAxes)))
            {
                const i64 place = (i64)GROUP * THREADS + THREAD;
                if (place >= count * parts) return;
                i64 rest = place % count, first = 0;
            \(offset("first", "kept", keptAxes, indent: "    "))
                \(wide) sum = before ? before[place] : 0;
                for (i64 s = place / count; s < length; s += parts) {
                    i64 offset = first;
                    rest = s;
            \(offset("offset", "summed", summedAxes, indent: "        "))
                    sum += \(number);
                }
                if (after) after[place] = sum;
                if (total) total[place] = \(result);
            }

            """
    }

    private func parameters(_ name: String, _ count: Int) -> String {
        (0..<count).map { ", const i64 \(name)_length\($0), const i64 \(name)_stride\($0)" }.joined()
    }

    /// Statements that take `rest` apart, axis by axis.
    private func offset(_ target: String, _ name: String, _ count: Int, indent: String) -> String {
        (0..<count).map { axis in
            guard axis < count - 1 else { return "\(indent)\(target) += rest * \(name)_stride\(axis);" }
            return "\(indent)\(target) += rest % \(name)_length\(axis) * \(name)_stride\(axis); rest /= \(name)_length\(axis);"
        }.joined(separator: "\n")
    }
}
