import Testing

@testable import Engines

/// Panels hold the same columns in the same order, cut where blocks end.
struct ColumnPanelTests {
    @Test(arguments: [1, 7, 256], [1 << 12, 1 << 16]) func panelsCoverTheRanges(blockLength: Int, cacheBytes: Int) {
        let panel = ColumnPanel(columnBytes: 40, blockLength: blockLength, cacheBytes: cacheBytes)
        for ranges in [[0..<100_000], [5..<5_000, 6_000..<6_001, 7_000..<7_000, 10_000..<30_000], [0..<1], []] {
            let panels = panel.panels(of: ranges[...])
            #expect(panels.flatMap { $0 }.flatMap { Array($0) } == ranges.flatMap { Array($0) })
            for piece in panels.joined() where panels.count > 1 {
                let range = ranges.first { $0.contains(piece.lowerBound) && $0.upperBound >= piece.upperBound }!
                #expect((piece.lowerBound - range.lowerBound).isMultiple(of: blockLength))
            }
            let largest = panels.map { $0.reduce(0) { $0 + $1.count } }.max() ?? 0
            #expect(largest * 40 <= max(cacheBytes, 2 * (256 + blockLength) * 40))
        }
    }

    @Test func fewColumnsAreOnePanel() {
        let panel = ColumnPanel(columnBytes: 4, blockLength: 256, cacheBytes: 1 << 20)
        #expect(panel.panels(of: [0..<200_000, 7..<9]).count == 1)
        #expect(panel.panels(of: [0..<300_000]).count == 3)
    }
}
