import Formulas
import Kernels

extension PairSearch {
    /// How many pairs were evaluated so far.
    var evaluatedPairs: Int { evaluated.load(ordering: .relaxed) }

    /// Those of the points that are put aside: they meet all of the other side.
    var asidePairs: Int {
        saturatingSum(
            saturatingProduct(rows.aside.count, columns.count), saturatingProduct(rows.tree.count, columns.aside.count))
    }

    /// The columns that all rows meet, behind some of the tree.
    func withAside(_ ranges: [Range<Int>]) -> [Range<Int>] { columns.aside.isEmpty ? ranges : ranges + [columns.aside] }

    /// Reduces the rows of a tile over some columns, in the order of the tree.
    ///
    /// - Parameters:
    ///   - values: where those of the tile's first row go.
    ///   - indices: where those of its first row go.
    func reduce(
        _ tile: Int, over ranges: [Range<Int>], by kernel: CPUKernel, values: UnsafeMutablePointer<Scalar>,
        indices: UnsafeMutablePointer<Int64>? = nil
    ) {
        reduce(
            rows.tree.points(ofTile: tile), over: ranges, by: kernel, inputs.sorted, columns.count, values: values,
            indices: indices)
    }

    private func reduce(
        _ points: Range<Int>, over ranges: [Range<Int>], by kernel: CPUKernel, _ inputs: [UnsafeRawPointer], _ columnCount: Int,
        values: UnsafeMutablePointer<Scalar>, indices: UnsafeMutablePointer<Int64>?
    ) {
        kernel.reduce(
            points, over: ranges[...], positionBase: 0, inputs: inputs,
            table: columnTables.table(kernel, columns: columnCount, inputs: inputs),
            into: kernel.results(of: points, values: UnsafeMutableRawPointer(values), indices: indices))
        evaluated.add(points.count * ranges.reduce(0) { $0 + $1.count }, ordering: .relaxed)
    }

    /// Reduces the rows of a tile over some columns, in the order of the tree, and stores the results where the rows stood.
    func reduce(_ tile: Int, over ranges: [Range<Int>], by kernel: CPUKernel, into output: Output) {
        store(rows.tree.points(ofTile: tile), by: kernel, into: output) {
            reduce(tile, over: ranges, by: kernel, values: $0, indices: $1)
        }
    }

    /// Reduces sorted rows over all columns as they stood, and stores the results where the rows stood.
    func reduceWhole(_ points: Range<Int>, by kernel: CPUKernel, into output: Output) {
        store(points, by: kernel, into: output) {
            reduce(points, over: block.columns.ranges, by: kernel, inputs.rowsSorted, columnCount, values: $0, indices: $1)
        }
    }

    /// Reduces the rows that are put aside.
    func reduceAside(by kernel: CPUKernel, into output: Output, threads: Int) {
        let aside = rows.aside
        ThreadPool.shared.run(count: (aside.count + kernel.rowsPerBlock - 1) / kernel.rowsPerBlock, threads: threads) { k in
            let first = aside.lowerBound + k * kernel.rowsPerBlock
            self.reduceWhole(first..<min(first + kernel.rowsPerBlock, aside.upperBound), by: kernel, into: output)
        }
    }

    private func store(
        _ points: Range<Int>, by kernel: CPUKernel, into output: Output,
        _ reduce: (UnsafeMutablePointer<Scalar>, UnsafeMutablePointer<Int64>) -> Void
    ) {
        let (valueCount, indexCount) = (kernel.kernel.reduction.valueCount, kernel.kernel.reduction.indexCount)
        let values = UnsafeMutablePointer<Scalar>.allocate(capacity: max(1, points.count * valueCount))
        let indices = UnsafeMutablePointer<Int64>.allocate(capacity: max(1, points.count * indexCount))
        defer {
            values.deallocate()
            indices.deallocate()
        }
        reduce(values, indices)
        store(points, valueCount, values, indexCount, indices, into: output)
    }

    /// Stores results of sorted rows where the rows stood.
    func store(
        _ points: Range<Int>, _ valueCount: Int, _ values: UnsafePointer<Scalar>, _ indexCount: Int,
        _ indices: UnsafePointer<Int64>, into output: Output
    ) {
        for (row, place) in points.enumerated() {
            let target = self.row(place)
            if let base = output.values?.assumingMemoryBound(to: Scalar.self) {
                for k in 0..<valueCount { base[target * valueCount + k] = values[row * valueCount + k] }
            }
            if let base = output.indices {
                for k in 0..<indexCount { base[target * indexCount + k] = indices[row * indexCount + k] }
            }
        }
    }

    /// Which row of the batch item's a sorted one is.
    func row(_ place: Int) -> Int { block.rows.lowerBound + rows.origin(place) }
}
