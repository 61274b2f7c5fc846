import Formulas

extension Statement {
    /// The array that it reads or writes, and where.
    var access: (array: ArrayReference, index: Index)? {
        switch self {
        case .store(_, let array, let index), .define(_, .load(let array, let index)): (array, index)
        default: nil
        }
    }
}

extension [Statement] {
    /// The arrays that are accessed at such indices.
    func arrays(where isCounted: (Formulas.Index) -> Bool) -> Set<Int> {
        Set(flattened.compactMap(\.access).filter { isCounted($0.index) }.map(\.array.id))
    }
}
