import Kernels
import RealModule

/// The numbers that columns bring to a lattice: their factors, and the factors' magnitudes where they have both signs.
struct LatticeTerms<Scalar: BinaryFloatingPoint & Sendable>: Sendable {
    /// Sums that are wanted of each row: of the factor's components, and of 1 for a soft maximum.
    let count: Int
    /// Of the factor.
    let width: Int
    let channels: Int
    /// The sums of the terms' magnitudes over all columns.
    let totals: [Double]
    /// The largest exponent, which is taken from all.
    let shift: Double
    private let magnitudes: [Int]
    private let factor: Range<Int>?
    private let exponent: Int?

    /// - Returns: nil where a number is not finite.
    init?(_ kernels: LatticeKernels, _ columns: LatticePoints<Scalar>) {
        factor = kernels.columns.factor
        exponent = kernels.columns.exponent
        width = factor?.count ?? 1
        count = width + (kernels.reduction.kind == .sumSoftMax ? 1 : 0)
        if let exponent {
            guard let range = columns.range(exponent) else { return nil }
            shift = range.upperBound
        } else {
            shift = 0
        }
        var (totals, channels, magnitudes) = ([Double](), count, [Int]())
        for term in 0..<count {
            var total = 0.0
            var (hasPositive, hasNegative) = (false, false)
            for point in 0..<columns.count {
                let number = Self.number(term, columns.numbers + point * columns.width, factor, width, exponent, shift)
                hasPositive = hasPositive || number > 0
                hasNegative = hasNegative || number < 0
                total += Double(abs(number))
            }
            guard total.isFinite else { return nil }
            totals.append(total)
            magnitudes.append(hasPositive && hasNegative ? channels : term)
            if hasPositive, hasNegative { channels += 1 }
        }
        (self.totals, self.channels, self.magnitudes) = (totals, channels, magnitudes)
    }

    /// Where a term's sum of magnitudes is, up to the sign.
    func magnitudeChannel(_ term: Int) -> Int { magnitudes[term] }

    private static func number(
        _ term: Int, _ numbers: UnsafePointer<Scalar>, _ factor: Range<Int>?, _ width: Int, _ exponent: Int?, _ shift: Double
    ) -> Scalar {
        var number: Scalar = 1
        if let factor, term < width { number = numbers[factor.lowerBound + term] }
        if let exponent { number *= Scalar(Double.exp(Double(numbers[exponent]) - shift)) }
        return number
    }

    /// The lattice with all columns.
    func lattice(
        _ plan: LatticePlan, _ columns: LatticePoints<Scalar>, _ functions: LatticeFunctions, threads: Int
    ) -> Lattice {
        let order = columns.order(plan, threads: threads)
        let (dimension, stride) = (plan.axes.count, plan.axes.count + channels)
        let points = UnsafeMutablePointer<Scalar>.allocate(capacity: columns.count * stride)
        defer { points.deallocate() }
        forChunks(columns.count, threads: threads) { chunk in
            for place in chunk {
                let source = columns.numbers + order[place] * columns.width
                let target = points + place * stride
                for axis in 0..<dimension { target[axis] = source[axis] }
                for term in 0..<count {
                    let number = Self.number(term, source, factor, width, exponent, shift)
                    target[dimension + term] = number
                    if magnitudes[term] != term { target[dimension + magnitudes[term]] = abs(number) }
                }
            }
        }
        return Lattice(plan, channels: channels, functions, points, count: columns.count, threads: threads)
    }
}
