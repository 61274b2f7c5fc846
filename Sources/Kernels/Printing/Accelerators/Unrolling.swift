import Formulas

/// Which loops over components are unrolled, and how far.
///
/// Arrays are registers where every index is known when compiling, so loops that index them are unrolled altogether. Others are unrolled as
/// far as it takes to read four numbers at once and to have several on their way: code must not grow with the dimension.
struct Unrolling: Sendable {
    let kernel: Kernel
    /// Arrays of rows in the table: their loops may stay loops.
    var tabled: Set<Int>
    /// Arrays of threads in memory: their loops have to stay loops.
    var localArrays: Set<Int>
    /// How many rows and columns each statement is repeated for.
    var copies: Int

    private static let mostInRegisters = 16_384
    private static let most = 1_024

    /// How many repetitions of a loop are written one after another.
    func repetitions(_ counter: Int, _ count: Int, _ body: [Statement]) -> Int {
        // Threads wait for each other: nothing is to be gained.
        if body.contains(where: { if case .centreStore = $0 { true } else { false } }) { return 1 }
        let statements = max(1, size(of: body) * copies)
        let accessed = body.arrays { $0.counts(counter) }
        let indexed = accessed.subtracting(tabled)
        // Nor must what is in memory be taken for registers.
        let isInMemory = !indexed.isDisjoint(with: localArrays) || indexed.isEmpty && !accessed.isEmpty
        if !isInMemory, count * statements <= (indexed.isEmpty ? Self.most : Self.mostInRegisters) { return count }
        return [4, 2].first { $0 < count && $0 * statements <= 2 * Self.most } ?? 1
    }

    /// How many statements are written.
    func size(of statements: [Statement]) -> Int {
        statements.reduce(0) { size, statement in
            switch statement {
            case .loop(let counter, let count, let body): size + repetitions(counter, count, body) * self.size(of: body)
            case .whenAny(_, let body): size + self.size(of: body)
            default: size + 1
            }
        }
    }

    /// The arrays that are indexed by what is not known when compiling, so that each thread has them in memory.
    func arraysInMemory(_ statements: [Statement]) -> Set<Int> {
        var arrays: Set<Int> = []
        for statement in statements {
            switch statement {
            case .loop(let counter, let count, let body):
                arrays.formUnion(arraysInMemory(body))
                if repetitions(counter, count, body) < count { arrays.formUnion(body.arrays { $0.counts(counter) }) }
            case .whenAny(_, let body): arrays.formUnion(arraysInMemory(body))
            default: break
            }
        }
        if let chunk = kernel.chunk { arrays.formUnion(statements.arrays { $0.counts(chunk.counter) }) }
        return arrays
    }
}
