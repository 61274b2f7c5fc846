import Engines

extension BlockSparsity {
    /// The pattern in which some pairs of clusters meet, for points that are sorted: see ``Clusters/sorted(_:)``.
    ///
    ///     var options = ExecutionOptions()
    ///     options.sparsity = try BlockSparsity(keeping: mask, rows: xClusters, columns: yClusters)
    ///
    /// Rows are the points that the result follows, `Vi` where a reduction goes over j. ``transposed`` exchanges the two.
    ///
    /// - Parameters:
    ///   - mask: of shape (row clusters, column clusters); true where two of them meet.
    /// - Throws: ``TensorError`` where the mask has another shape.
    public init(keeping mask: Tensor<Bool>, rows: Clusters, columns: Clusters) throws(TensorError) {
        try self.init(keeping: mask, rows: rows.ranges, columns: columns.ranges)
    }

    /// The same for ranges of points of any origin.
    ///
    /// - Parameter rows: do not overlap.
    public init(keeping mask: Tensor<Bool>, rows: [Range<Int>], columns: [Range<Int>]) throws(TensorError) {
        guard mask.shape == [rows.count, columns.count] else {
            throw TensorError(
                "A mask has a row per row cluster and a column per column cluster, shape \([rows.count, columns.count]); "
                    + "this one has shape \(mask.shape).")
        }
        var (rowRanges, ends, columnRanges): ([Range<Int>], [Int], [Range<Int>]) = ([], [], [])
        mask.withUnsafeBufferPointer { mask in
            for (row, range) in rows.enumerated() where !range.isEmpty {
                let first = columnRanges.count
                for (column, met) in columns.enumerated() where !met.isEmpty && mask[row * columns.count + column] {
                    // Neighbours become one range: longer runs are faster.
                    if columnRanges.count > first, columnRanges.last!.upperBound == met.lowerBound {
                        columnRanges[columnRanges.count - 1] = columnRanges.last!.lowerBound..<met.upperBound
                    } else {
                        columnRanges.append(met)
                    }
                }
                guard columnRanges.count > first else { continue }
                rowRanges.append(range)
                ends.append(columnRanges.count)
            }
        }
        self.init(rowRanges: rowRanges, ends: ends, columnRanges: columnRanges)
    }
}
