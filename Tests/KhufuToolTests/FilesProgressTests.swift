import Foundation
import Synchronization
import Testing

@testable import KhufuTool

@Suite struct FilesProgressTests {
    /// What a progress line wrote.
    private final class Sink: Sendable {
        let text = Mutex("")
        func write(_ more: String) { text.withLock { $0 += more } }
        var value: String { text.withLock { $0 } }
    }

    @Test func silentWithoutATerminal() {
        let sink = Sink()
        let line = ProgressLine("sum", total: 10, isEnabled: false, patience: .zero, write: sink.write)
        line.update(5)
        line.finish()
        #expect(sink.value == "")
    }

    @Test func silentOnShortRuns() {
        let sink = Sink()
        let line = ProgressLine("sum", total: 10, isEnabled: true, write: sink.write)
        for step in 0..<10 { line.update(step) }
        line.finish()
        #expect(sink.value == "")
    }

    @Test func drawnRarelyAndCleared() {
        let sink = Sink()
        do {
            let line = ProgressLine("sum", total: 1000, isEnabled: true, patience: .zero, write: sink.write)
            for step in 500..<1000 { line.update(step) }
        }
        #expect(sink.value.contains("sum ████████████░░░░░░░░░░░░ 50%"))
        #expect(sink.value.components(separatedBy: "sum").count == 2 && sink.value.hasSuffix("\r\u{1b}[K"))
    }

    @Test func oddNumbersDoNotTrap() {
        let line = ProgressLine("sum", total: 0, isEnabled: true, patience: .zero) { _ in }
        line.update(-5)
        line.update(.max)
    }
}
