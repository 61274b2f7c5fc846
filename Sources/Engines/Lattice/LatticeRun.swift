import Formulas
import Kernels
import RealModule
import Synchronization

/// One call of a sum of Gaussians, log-sum-exp or soft-max, that goes from the columns to a lattice and from there to the rows: its cost
/// grows with the number of points, not of pairs.
///
/// The error that `LatticePlan` promises is relative but for a small part. So the sums of magnitudes are computed along, which says for each
/// row whether that part is small beside them; where it is not, for rows far from all columns, the row meets all columns as ever.
final class LatticeRun<Scalar: BinaryFloatingPoint & Sendable>: @unchecked Sendable {  // tasks write rows of their own
    private let kernels: LatticeKernels
    private let binding: Binding
    private let inputs: [UnsafeRawPointer]
    private let output: Output
    private let tolerance: Double
    private let threads: Int
    private let plan: LatticePlan
    private let rows: LatticePoints<Scalar>
    private let columns: LatticePoints<Scalar>
    private let terms: LatticeTerms<Scalar>

    /// - Returns: nil where a lattice is no help, or would take longer than tiles do.
    init?(
        _ kernels: LatticeKernels, _ binding: Binding, batchItem: Int, tolerance: Double, output: Output, threads: Int
    ) {
        let reduction = kernels.reduction
        self.kernels = kernels
        self.binding = binding
        self.threads = threads
        self.output = output.item(batchItem, rows: binding.rowCount, of: reduction, binding.type)
        // The error of a quotient is that of both of its terms.
        self.tolerance = reduction.kind == .sumSoftMax ? tolerance / (2 + tolerance) : tolerance
        inputs = binding.pointers(batchItem)
        rows = LatticePoints(kernels.rows, reduction.variables, inputs, count: binding.rowCount, threads: threads)
        columns = LatticePoints(kernels.columns, reduction.variables, inputs, count: binding.columnCount, threads: threads)
        let (rows, columns) = (rows, columns)
        let axes = 0..<kernels.dimension
        let (rowRanges, columnRanges) = (axes.compactMap { rows.range($0) }, axes.compactMap { columns.range($0) })
        guard rowRanges.count == axes.count, columnRanges.count == axes.count else { return nil }
        let given = kernels.rows.weight!
        let weights = axes.map { Double(rows.numbers[given.count == 1 ? given.lowerBound : given.lowerBound + $0]) }
        guard weights.allSatisfy({ $0.isNormal && $0 > 0 }) else { return nil }
        let limit = min(1 << 24, saturatingSum(1 << 16, 16 * (rows.count + columns.count)))
        guard let terms = LatticeTerms(kernels, rows: rows, columns: columns),
            let plan = LatticePlan(
                weights: weights, rows: rowRanges, columns: columnRanges, tolerance: self.tolerance, reach: terms.reach,
                limit: limit, lanes: kernels.lanes)
        else { return nil }
        self.plan = plan
        self.terms = terms
        guard plan.nodeCount * terms.channels.count <= 2 * limit,
            Self.work(plan, terms.channels.count, rows.count, columns.count)
                < Self.directWork(weights, columnRanges, self.tolerance, rows.count, columns.count, terms.width)
        else { return nil }
    }

    // MARK: Costs, in pairs

    private static func work(_ plan: LatticePlan, _ channels: Int, _ rows: Int, _ columns: Int) -> Double {
        let perPoint = nodeCost * Double(plan.nodesPerPoint * channels) + pointCost
        return perPoint * Double(rows + columns) + gridCost * Double(plan.nodeCount * channels)
    }

    /// What tiles that bounds leave over would take, if points were uniform.
    private static func directWork(
        _ weights: [Double], _ columns: [ClosedRange<Double>], _ tolerance: Double, _ rowCount: Int, _ columnCount: Int,
        _ width: Int
    ) -> Double {
        let share = zip(weights, columns).reduce(1.0) { share, axis in
            let reach = 1.6 * ((3 - Double.log(tolerance)) / axis.0).squareRoot()
            return share * min(1, 1.6 * reach / max(axis.1.length, 1e-300))
        }
        return Double(rowCount) * (share * Double(columnCount) * (1 + 0.2 * Double(width - 1)) + searchCost)
    }

    private static var nodeCost: Double { 0.3 }
    private static var pointCost: Double { 500 }
    private static var gridCost: Double { 40 }
    private static var searchCost: Double { 3_000 }

    // MARK: Running

    /// - Returns: how many pairs were evaluated, nodes being points; nil where too many rows are far from all columns.
    func run() -> Int? {
        guard let functions = try? kernels.functions(plan.window, channels: terms.channels.count) else { return nil }
        let lattice = terms.lattice(plan, columns, functions, threads: threads)
        defer { lattice.deallocate() }
        let order = rows.order(plan, threads: threads)
        let (dimension, channels) = (plan.axes.count, terms.channels.count)
        let poor = Mutex<[Int]>([])
        forChunks(rows.count, threads: threads) { chunk in
            let points = UnsafeMutablePointer<Double>.allocate(capacity: chunk.count * dimension)
            let sums = UnsafeMutablePointer<Double>.allocate(capacity: chunk.count * channels)
            defer {
                points.deallocate()
                sums.deallocate()
            }
            for (k, place) in chunk.enumerated() {
                for axis in 0..<dimension {
                    points[k * dimension + axis] = Double(rows.numbers[order[place] * rows.width + axis])
                }
            }
            lattice.gather(points, 0..<chunk.count, into: sums)
            var left: [Int] = []
            for (k, place) in chunk.enumerated() where !store(order[place], sums + k * channels) { left.append(order[place]) }
            if !left.isEmpty { poor.withLock { $0 += left } }
        }
        let left = poor.withLock { $0.sorted() }
        guard left.count <= max(64, rows.count / 20) else { return nil }
        reduceWhole(left)
        let touched = saturatingProduct(plan.nodesPerPoint, rows.count + columns.count)
        return saturatingSum(touched, saturatingProduct(left.count, columns.count))
    }

    /// Stores the result of a row.
    ///
    /// - Returns: whether it is accurate.
    private func store(_ row: Int, _ sums: UnsafePointer<Double>) -> Bool {
        let numbers = rows.numbers + row * rows.width
        for result in terms.results {
            let (_, magnitude, total) = terms.sum(result, numbers, sums)
            guard plan.isAccurate(magnitude: plan.scale * magnitude, total: total, tolerance: tolerance) else { return false }
        }
        func sum(_ k: Int) -> Double { plan.scale * terms.sum(terms.results[k], numbers, sums).sum }
        let base = output.values!.assumingMemoryBound(to: Scalar.self) + row * kernels.reduction.valueCount
        let exponent = terms.shift + (kernels.rows.exponent.map { Double(numbers[$0]) } ?? 0)
        for k in 0..<kernels.reduction.valueCount {
            let own = sum(terms.width == 1 ? 0 : k)
            let factor = kernels.rows.factor.map { Double(numbers[$0.count == 1 ? $0.lowerBound : $0.lowerBound + k]) } ?? 1
            let value: Double =
                switch kernels.reduction.kind {
                case .logSumExp: exponent + .log(factor * own)
                case .sumSoftMax: factor * (own / sum(terms.width))
                default: exponent == 0 ? factor * own : factor * (own * .exp(exponent))
                }
            base[k] = Scalar(value)
            // What overflows here may not overflow there.
            guard base[k].isFinite || kernels.reduction.kind == .logSumExp else { return false }
        }
        return true
    }

    /// All columns, for some rows.
    private func reduceWhole(_ list: [Int]) {
        let tables = ColumnTables()
        var ranges: [Range<Int>] = []
        for row in list { ranges.append(orExtendBy: row) }
        ThreadPool.shared.run(count: ranges.count, threads: threads) { k in
            kernels.whole.reduce(
                ranges[k], over: [0..<columns.count], positionBase: 0, inputs: inputs,
                table: tables.table(kernels.whole, columns: columns.count, inputs: inputs),
                into: .results(values: output.values, indices: output.indices))
        }
    }
}
