import Formulas
import Kernels
import Synchronization

/// A sum in which each point meets only its winner, as one over points alone: the winners' vectors are gathered beside the points' own.
///
/// Σ_j F(x_i, y_j) over the one j = w_i is F(x_i, y_{w_i}), a sum over one column of a formula whose variables all follow i. Summed over i
/// instead, it is the total of that over the points that each y_j has won. So neither a list of pairs nor a schedule is made, of which each
/// pair would be a task of its own.
final class WinnerSum: Sendable {
    /// Which of the arguments follow the winners' index.
    let isGathered: [Bool]
    private let reduction: Reduction
    private let declarations: [Declaration]
    /// The selection's values, the last argument: a slot that nothing filled holds an infinity, and nothing flows to it.
    private let selected: Variable
    private let slot: Int
    private let cache: KernelCache
    private let compiled = Mutex<[ScalarType: CompiledReduction]>([:])

    /// - Parameters:
    ///   - reduction: a sum, over either index.
    ///   - variables: those of its arguments, in order.
    ///   - selection: what chooses the winners.
    init(_ reduction: Reduction, _ variables: [Variable], selection: Reduction, slot: Int, cache: KernelCache)
        throws(FormulaError)
    {
        func following(_ variable: Variable) -> Variable {
            Variable(
                index: variable.index, dimension: variable.dimension,
                category: variable.category == .parameter ? .parameter : .i)
        }
        var replacements: [Formula: Formula] = [:]
        for variable in variables { replacements[try Formula(variable)] = try Formula(following(variable)) }
        isGathered = variables.map { $0.category == selection.over.reducedCategory }
        selected = Variable(
            index: 1 + (variables.map(\.index).max() ?? -1), dimension: selection.valueCount, category: .i)
        declarations = (variables.map(following) + [selected]).map { Declaration(variable: $0) }
        self.reduction = try Reduction(
            .sum, of: try reduction.formula.substituting(replacements), over: .j, accumulation: reduction.accumulation)
        (self.slot, self.cache) = (slot, cache)
    }

    /// The sum for a type, whose largest number tells what is finite.
    func reduction(for type: ScalarType) throws -> CompiledReduction {
        if let known = compiled.withLock({ $0[type] }) { return known }
        let largest: Double =
            switch type {
            case .float16: 65_504
            case .bfloat16: 0x1.FEp127
            case .float32: Double(Float.greatestFiniteMagnitude)
            case .float64: Double.greatestFiniteMagnitude
            }
        let filled = try Formula(
            parsing: "IfElse(largest - Abs(Elem(selected, \(slot))), f, Zero(\(reduction.formula.dimension)))",
            formulas: [
                "largest": Formula(Number(largest)!), "selected": try Formula(selected), "f": reduction.formula,
            ])
        let made = try CompiledReduction(
            try Reduction(.sum, of: filled, over: .j, accumulation: reduction.accumulation), declarations: declarations,
            cache: cache)
        return compiled.withLock { compiled in
            if let known = compiled[type] { return known }
            compiled[type] = made
            return made
        }
    }
}

/// One slot of a selection's indices, (items, rows, slots) in the memory of the arrays.
struct WinnerIndices {
    var base: UnsafePointer<Int64>
    var batch: [Int]
    var rows: Int
    var slots: Int
    var slot: Int

    /// The item of an array that stands for each item of the batch, to which its batch axes are broadcast.
    func items(of own: [Int]) -> [Int] {
        (0..<batch.reduce(1, *)).map { item in
            var (rest, stride, place) = (item, 1, 0)
            for axis in 1...max(1, batch.count) where axis <= batch.count {
                let length = axis <= own.count ? own[own.count - axis] : 1
                if length > 1 { place += rest % batch[batch.count - axis] * stride }
                rest /= batch[batch.count - axis]
                stride *= length
            }
            return place
        }
    }
}

/// Which rows each target gets, one list behind the other: `rows[starts[k]..<starts[k + 1]]` for target k.
struct WinnerLists {
    private(set) var rows: [Int64]
    private(set) var starts: [Int64]

    /// The rows of all items by their winners, in order. Rows whose value is not finite are in no list.
    ///
    /// - Parameters:
    ///   - values: of the selection, on the host.
    ///   - indices: the same.
    ///   - columns: how many there are to win, in each item.
    init(values: UnsafeRawPointer, _ type: ScalarType, _ indices: WinnerIndices, columns: Int) {
        let items = indices.batch.reduce(1, *)
        let count = items * indices.rows
        func isFilled(_ row: Int) -> Bool {
            let place = row * indices.slots + indices.slot
            // What a device never wrote is no index either.
            guard (0..<Int64(columns)).contains(indices.base[place]) else { return false }
            switch type {
            case .float32: return values.load(fromByteOffset: 4 * place, as: Float.self).isFinite
            case .float64: return values.load(fromByteOffset: 8 * place, as: Double.self).isFinite
            case .float16, .bfloat16: return type.load(values, place, count: 1)[0].isFinite
            }
        }
        func target(_ row: Int) -> Int { row / indices.rows * columns + Int(indices.base[row * indices.slots + indices.slot]) }
        // By counting.
        var starts = [Int64](repeating: 0, count: items * columns + 1)
        for row in 0..<count where isFilled(row) { starts[target(row) + 1] += 1 }
        for place in starts.indices.dropFirst() { starts[place] += starts[place - 1] }
        var next = starts
        rows = [Int64](unsafeUninitializedCapacity: Int(starts.last!)) { rows, rowCount in
            for row in 0..<count where isFilled(row) {
                let target = target(row)
                rows[Int(next[target])] = Int64(row)
                next[target] += 1
            }
            rowCount = Int(starts.last!)
        }
        self.starts = starts
    }

    /// The lists cut into pieces of a length, and which pieces each target has: sums of few terms that many threads share.
    func pieces(_ length: Int) -> (starts: [Int64], ofTargets: [Int64]) {
        var pieces: [Int64] = [], ofTargets: [Int64] = [0]
        ofTargets.reserveCapacity(starts.count)
        for target in starts.indices.dropLast() {
            for start in stride(from: starts[target], to: starts[target + 1], by: length) { pieces.append(start) }
            ofTargets.append(Int64(pieces.count))
        }
        return (pieces + [starts.last!], ofTargets)
    }
}
