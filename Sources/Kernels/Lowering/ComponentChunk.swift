import Formulas

/// Some components of a wide result at a time: a state of all of them would not fit a thread's registers.
///
/// All columns are passed for every chunk, and what depends on a pair as a whole is computed anew.
public struct ComponentChunk: Hashable, Sendable {
    /// How many at a time.
    public var length: Int
    /// How many there are.
    public var dimension: Int
    /// Stands for the first of them in indices: 0, length, …, and dimension - length for the last chunk, which thereby is like the others.
    var counter: Int

    public var count: Int { (dimension + length - 1) / length }
    var first: Index { Index(counter: counter) }
}

/// A part of a state: numbers of their own, or one for each component of the result.
struct StateRun {
    var count: Int
    var isPerComponent: Bool

    static func fixed(_ count: Int) -> StateRun { StateRun(count: count, isPerComponent: false) }
    static func components(_ count: Int) -> StateRun { StateRun(count: count, isPerComponent: true) }
}

extension KernelBuilder {
    /// Goes through a state: where each of its numbers is in the chunk's and where in the whole one, and which component it is of, if any.
    func loop(over runs: [StateRun], _ body: (_ own: Index, _ whole: Index, _ component: Index?) -> Void) {
        var (own, whole) = (0, 0)
        for run in runs {
            let chunk = run.isPerComponent ? kernel.chunk : nil
            let (ownStart, wholeStart) = (own, whole)
            loop(run.count) { k in body(k + ownStart, k + wholeStart + (chunk?.first ?? 0), run.isPerComponent ? k : nil) }
            own += run.count
            whole += chunk?.dimension ?? run.count
        }
    }

    /// The chunk's part of a value that the result's components are made of.
    func chunk(of value: Operand) -> Operand {
        guard let chunk = kernel.chunk, value.dimension == chunk.dimension else { return value }
        return Operand(dimension: chunk.length) { k in value[k + chunk.first] }
    }

    /// Where a component of the chunk's result belongs.
    func place(_ k: Index, after fixed: Int) -> Index {
        guard let chunk = kernel.chunk, !(k.terms.isEmpty && k.constant < fixed) else { return k }
        return k + chunk.first
    }
}

extension Index {
    /// The same within a chunk that begins at 0.
    func within(_ chunk: ComponentChunk) -> Index {
        var index = self
        index.terms.removeAll { $0.counter == chunk.counter }
        return index
    }

    func counts(_ counter: Int) -> Bool { terms.contains { $0.counter == counter } }
}
