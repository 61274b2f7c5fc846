import Kernels
import RealModule

/// The numbers that columns bring to a lattice, and how the sums that are wanted are made of what it holds.
struct LatticeTerms<Scalar: BinaryFloatingPoint & Sendable>: Sendable {
    /// The sums that are wanted of each row: of the factor's components, or those of what it is multiplied by; and of 1 for a soft maximum.
    let results: [Result]
    /// Sums beside that of 1.
    let width: Int
    let channels: [Channel]
    /// The largest exponent, which is taken from all.
    let shift: Double
    /// How many times their typical size terms r + c may have; 1 where there are none.
    let reach: Double
    private let factor: Range<Int>?
    private let exponent: Int?

    /// What a column adds to a number of each node: a component of the factor, or its magnitude, times a power of c.
    struct Channel: Hashable {
        /// Nil for 1.
        var factor: Int?
        var isMagnitude = false
        /// Which of the column's numbers c is, and where it counts from.
        var term: Int?
        var centre = 0.0
        var power = 0
    }

    struct Result {
        /// The channels of the sum and of its magnitudes, up to the sign.
        var sum: Int
        var magnitude: Int
        /// The sum of the columns' magnitudes.
        var total: Double
        var linear: Linear?
    }

    /// What a sum over r + c takes beside that over 1.
    struct Linear {
        /// Which of the row's numbers r is, and what is added to it: c is taken from the middle of all.
        var term: Int
        var centre: Double
        /// The channels of c, and of the magnitudes of c and c².
        var first: Int
        var firstMagnitude: Int
        var secondMagnitude: Int
        /// The largest |r + c|.
        var largest: Double
    }

    /// - Returns: nil where a number is not finite.
    init?(_ kernels: LatticeKernels, rows: LatticePoints<Scalar>, columns: LatticePoints<Scalar>) {
        (factor, exponent) = (kernels.columns.factor, kernels.columns.exponent)
        let factorCount = factor?.count ?? 1
        width = max(factorCount, kernels.columns.term?.count ?? 1)
        var largestExponent = 0.0
        if let exponent {
            guard let range = columns.range(exponent) else { return nil }
            largestExponent = range.upperBound
        }
        shift = largestExponent
        var channels: [Channel] = []
        func channel(_ new: Channel) -> Int {
            if let known = channels.firstIndex(of: new) { return known }
            channels.append(new)
            return channels.count - 1
        }
        var (results, reach) = ([Result](), 1.0)
        for k in 0..<width + (kernels.reduction.kind == .sumSoftMax ? 1 : 0) {
            let component = k < width && factor != nil ? (factorCount == 1 ? 0 : k) : nil
            guard let (total, hasBothSigns) = Self.total(component, columns, factor, exponent, shift) else { return nil }
            let own = Channel(factor: component), magnitude = Channel(factor: component, isMagnitude: hasBothSigns)
            var result = Result(sum: channel(own), magnitude: channel(magnitude), total: total)
            if let row = kernels.rows.term, let column = kernels.columns.term {
                let (row, column) = (row.lowerBound + k % row.count, column.lowerBound + k % column.count)
                guard let range = columns.range(column), let rowRange = rows.range(row) else { return nil }
                let centre = (range.lowerBound + range.upperBound) / 2
                func power(_ power: Int, of base: Channel) -> Int {
                    var new = base
                    (new.term, new.centre, new.power) = (column, centre, power)
                    return channel(new)
                }
                let ends = (rowRange.lowerBound + range.lowerBound, rowRange.upperBound + range.upperBound)
                let largest = max(abs(ends.0), abs(ends.1))
                guard (largest * largest).isFinite else { return nil }
                result.linear = Linear(
                    term: row, centre: centre, first: power(1, of: own), firstMagnitude: power(1, of: magnitude),
                    secondMagnitude: power(2, of: magnitude), largest: largest)
                let weight = rows.numbers[kernels.rows.weight!.lowerBound + k % kernels.rows.weight!.count]
                // Where r and c are coordinates, r + c is about as large as the Gaussian is wide.
                reach = max(reach, 2 * Double(weight) * largest * largest)
            }
            results.append(result)
        }
        (self.channels, self.results, self.reach) = (channels, results, reach)
    }

    /// The sum of a factor's magnitudes; nil where it is not finite.
    private static func total(
        _ component: Int?, _ columns: LatticePoints<Scalar>, _ factor: Range<Int>?, _ exponent: Int?, _ shift: Double
    ) -> (Double, hasBothSigns: Bool)? {
        var total = 0.0
        var (hasPositive, hasNegative) = (false, false)
        for point in 0..<columns.count {
            let numbers = columns.numbers + point * columns.width
            let number = (component.map { Double(numbers[factor!.lowerBound + $0]) } ?? 1) * mass(numbers, exponent, shift)
            hasPositive = hasPositive || number > 0
            hasNegative = hasNegative || number < 0
            total += abs(number)
        }
        return total.isFinite ? (total, hasPositive && hasNegative) : nil
    }

    /// The exponential of a column's exponent.
    private static func mass(_ numbers: UnsafePointer<Scalar>, _ exponent: Int?, _ shift: Double) -> Double {
        exponent.map { .exp(Double(numbers[$0]) - shift) } ?? 1
    }

    private func number(_ channel: Channel, _ numbers: UnsafePointer<Scalar>) -> Double {
        var number = channel.factor.map { Double(numbers[factor!.lowerBound + $0]) } ?? 1
        if channel.isMagnitude { number = abs(number) }
        guard let term = channel.term else { return number }
        let c = Double(numbers[term]) - channel.centre
        return channel.power == 1 ? number * c : number * c * c
    }

    /// The lattice with all columns.
    func lattice(
        _ plan: LatticePlan, _ columns: LatticePoints<Scalar>, _ functions: LatticeFunctions, threads: Int
    ) -> Lattice {
        let order = columns.order(plan, threads: threads)
        let (dimension, stride) = (plan.axes.count, plan.axes.count + channels.count)
        let points = UnsafeMutablePointer<Double>.allocate(capacity: columns.count * stride)
        defer { points.deallocate() }
        forChunks(columns.count, threads: threads) { chunk in
            for place in chunk {
                let source = columns.numbers + order[place] * columns.width
                let target = points + place * stride
                for axis in 0..<dimension { target[axis] = Double(source[axis]) }
                let mass = Self.mass(source, exponent, shift)
                for (k, channel) in channels.enumerated() { target[dimension + k] = mass * number(channel, source) }
            }
        }
        return Lattice(plan, channels: channels.count, functions, points, count: columns.count, threads: threads)
    }

    // MARK: Rows

    /// A sum of a row, and at least the sum of its magnitudes, both as the lattice has them, and the columns' total in terms of which errors are.
    ///
    /// - Parameters:
    ///   - numbers: the row's.
    ///   - sums: those of the channels at the row.
    func sum(
        _ result: Result, _ numbers: UnsafePointer<Scalar>, _ sums: UnsafePointer<Double>
    ) -> (sum: Double, magnitude: Double, total: Double) {
        let magnitude = abs(sums[result.magnitude])
        guard let linear = result.linear else { return (sums[result.sum], magnitude, result.total) }
        let r = Double(numbers[linear.term]) + linear.centre
        let sum = r * sums[result.sum] + sums[linear.first]
        // Those of magnitudes are of one sign, which may be negative.
        let sign: Double = sums[result.magnitude] < 0 ? -1 : 1
        let first = 2 * r * sign * sums[linear.firstMagnitude], second = sign * sums[linear.secondMagnitude]
        let square = second + first + r * r * magnitude
        // Less what rounding may have added.
        let least = square - Self.roundingShare * (abs(second) + abs(first) + r * r * magnitude)
        return (sum, linear.largest > 0 ? max(0, least) / linear.largest : 0, result.total * linear.largest)
    }

    private static var roundingShare: Double { 1e-11 }
}
