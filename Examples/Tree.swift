import Khufu

/// A tree in which every vertex above the lowest level has as many children.
struct Tree {
    /// The parent of each vertex; -1 for the root, which is number 0.
    private(set) var parents = [-1]
    private(set) var depths = [0]

    init(branches: Int, depth: Int) {
        var vertex = 0
        while depths[vertex] < depth {
            parents += [Int](repeating: vertex, count: branches)
            depths += [Int](repeating: depths[vertex] + 1, count: branches)
            vertex += 1
        }
    }

    var count: Int { parents.count }

    /// The parent of each vertex, its parent, and so on up to the root.
    var ancestors: [[Int]] {
        // Parents come before their children.
        parents.reduce(into: []) { lists, parent in lists.append(parent < 0 ? [] : [parent] + lists[parent]) }
    }

    /// As many for each, with -1 for none.
    var paddedAncestors: [[Int]] { ancestors.map { $0 + [Int](repeating: -1, count: depths.max()! - $0.count) } }

    /// How well ancestors are found among all vertices by distances (vertices, vertices, 1): their mean rank once those that are nearer
    /// are left out, and the mean average precision; both 1 at best.
    func ancestorRanks(_ distances: Tensor<Double>) -> (meanRank: Double, precision: Double) {
        var (ranks, precisions): ([Double], [Double]) = ([], [])
        for (vertex, ancestors) in ancestors.enumerated() where !ancestors.isEmpty {
            let others = parents.indices.filter { $0 != vertex }.sorted { distances[vertex, $0, 0] < distances[vertex, $1, 0] }
            let found = ancestors.map { others.firstIndex(of: $0)! + 1 }.sorted().enumerated()
            ranks += found.map { Double($0.element - $0.offset) }
            precisions.append(found.map { Double($0.offset + 1) / Double($0.element) }.reduce(0, +) / Double(ancestors.count))
        }
        return (ranks.reduce(0, +) / Double(ranks.count), precisions.reduce(0, +) / Double(precisions.count))
    }
}
