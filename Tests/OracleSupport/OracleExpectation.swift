#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// What one point of a result may be: computed with plain loops over all terms, with room for the rounding of each term.
package struct OracleExpectation {
    /// Bounds for each number.
    package var values: [ClosedRange<Double>] = []
    /// For each index, those that are as good as the best within rounding.
    package var indices: [Set<Int64>] = []

    /// One reduced point.
    package struct Term {
        package var position: Int
        package var value: [Double]
        package var deviation: [Double]
        package var weight: [Double]
        package var weightDeviation: [Double]
    }

    /// - Parameters:
    ///   - roundoff: of the arithmetic; sums may lose some of it however they are added.
    ///   - isExact: nothing rounds, so that only the very best index will do.
    package init(
        _ reduction: String, k: Int, dimension: Int, weightDimension: Int?, terms: [Term], roundoff: Double, isExact: Bool
    ) {
        let sumRoundoff = roundoff * (16 + 2 * Double(terms.count).squareRoot())
        switch reduction {
        case "Zero": values = Array(repeating: 0...0, count: dimension)
        case "Sum":
            for c in 0..<dimension {
                var (sum, room) = (0.0, 0.0)
                for term in terms {
                    sum += term.value[c]
                    room += term.deviation[c] + sumRoundoff * abs(term.value[c])
                }
                values.append(Self.around(sum, room))
            }
        case "LogSumExp", "LogSumExpWeight", "SumSoftMaxWeight", "SoftMax", "Max_SumShiftExp", "Max_SumShiftExpWeight":
            exponentials(reduction, weightDimension, terms, roundoff, sumRoundoff)
        default:
            selections(reduction, k, dimension, terms, roundoff, isExact)
        }
    }

    /// Bounds that hold a NaN or an infinity only to itself.
    static func around(_ value: Double, _ room: Double) -> ClosedRange<Double> {
        value.isFinite && room.isFinite ? value - room...value + room : value.isNaN ? -.infinity ... .infinity : value...value
    }

    // MARK: Log-sum-exp and its relatives, in two passes

    private mutating func exponentials(
        _ reduction: String, _ weightDimension: Int?, _ terms: [Term], _ roundoff: Double, _ sumRoundoff: Double
    ) {
        let shift = terms.map { $0.value[0] }.max() ?? -.infinity
        let shiftRoom = terms.map { $0.deviation[0] }.max() ?? 0
        let dimension = weightDimension ?? 1
        var (mass, massRoom) = (0.0, 0.0)
        var sums = Array(repeating: 0.0, count: dimension)
        var rooms = sums
        for term in terms where term.value[0] != -.infinity {
            let share = exp(term.value[0] - shift)
            let relative = term.deviation[0] + shiftRoom + 4 * roundoff * (abs(term.value[0]) + abs(shift)) + sumRoundoff
            mass += share
            massRoom += share * relative
            for c in 0..<dimension {
                let weight = weightDimension == nil ? 1 : term.weight[c]
                sums[c] += share * weight
                rooms[c] += share * (abs(weight) * relative + (weightDimension == nil ? 0 : term.weightDeviation[c]))
            }
        }
        switch reduction {
        case "LogSumExp", "LogSumExpWeight":
            for c in 0..<dimension {
                if sums[c] == 0, rooms[c] == 0 {
                    values.append(-.infinity ... -.infinity)
                } else if rooms[c] > 0.3 * abs(sums[c]) {
                    values.append(-.infinity ... .infinity)
                } else {
                    let value = shift + log(sums[c])
                    values.append(Self.around(value, rooms[c] / sums[c] * 1.5 + 8 * roundoff * (abs(shift) + abs(value) + 1)))
                }
            }
        case "SumSoftMaxWeight", "SoftMax":
            for c in 0..<dimension {
                let value = sums[c] / mass
                values.append(Self.around(value, (rooms[c] + abs(value) * massRoom) / mass * 1.5))
            }
        default:
            values.append(Self.around(shift, shiftRoom))
            for c in 0..<dimension { values.append(Self.around(sums[c], rooms[c] + shiftRoom * abs(sums[c]))) }
        }
    }

    // MARK: Extrema and k smallest, by sorting

    private mutating func selections(
        _ reduction: String, _ k: Int, _ dimension: Int, _ terms: [Term], _ roundoff: Double, _ isExact: Bool
    ) {
        let isLargest = reduction.contains("Max")
        let isList = reduction.contains("KM")
        let slots = isList ? k : 1
        let (empty, sign) = (isLargest ? -Double.infinity : .infinity, isLargest ? -1.0 : 1.0)
        var slotValues: [ClosedRange<Double>] = []
        var slotIndices: [Set<Int64>] = []
        // [component][slot]
        for c in 0..<dimension {
            // Terms equal to the initial value never enter, and stand for no column.
            let entering = terms.filter { $0.value[c] != empty && !(isList && $0.value[c].isNaN) }
            let best = entering.enumerated().sorted {
                (sign * $0.element.value[c], $0.offset) < (sign * $1.element.value[c], $1.offset)
            }
            func room(_ term: Term) -> Double { isExact ? 0 : term.deviation[c] + roundoff * abs(term.value[c]) }
            let lows = entering.map { sign * $0.value[c] - room($0) }.sorted()
            let highs = entering.map { sign * $0.value[c] + room($0) }.sorted()
            for slot in 0..<slots {
                guard slot < entering.count else {
                    slotValues.append(empty...empty)
                    slotIndices.append([0])
                    continue
                }
                if isExact {
                    let value = best[slot].element.value[c]
                    slotValues.append(value...value)
                    slotIndices.append([Int64(best[slot].element.position)])
                } else {
                    let (a, b) = (sign * lows[slot], sign * highs[slot])
                    slotValues.append(min(a, b)...max(a, b))
                    slotIndices.append(
                        Set(
                            entering.filter {
                                sign * $0.value[c] - room($0) <= highs[slot] && sign * $0.value[c] + room($0) >= lows[slot]
                            }
                            .map { Int64($0.position) }))
                }
            }
        }
        // To [slot][component].
        let order = (0..<slots).flatMap { slot in (0..<dimension).map { $0 * slots + slot } }
        if !reduction.hasPrefix("Arg") { values = order.map { slotValues[$0] } }
        if reduction.contains("Arg") { indices = order.map { slotIndices[$0] } }
    }
}
