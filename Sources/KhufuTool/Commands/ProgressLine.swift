import Foundation
import Synchronization

/// One line on standard error that tells how far a long run is, and disappears when it ends.
///
/// It stays silent when standard error is no terminal, so that logs and scripts see messages only, and during the first
/// half second, so that short runs do not flicker. Any thread may report.
final class ProgressLine: Sendable {
    private struct State {
        var lastDrawn: ContinuousClock.Instant
        var isVisible = false
    }

    private let label: String
    private let total: Int
    private let start = ContinuousClock.now
    private let isEnabled: Bool
    private let patience: Duration
    private let write: @Sendable (String) -> Void
    private let state: Mutex<State>

    /// Progress of `total` steps; `isEnabled`, `patience` and `write` are for tests.
    init(
        _ label: String, total: Int, isEnabled: Bool = isatty(STDERR_FILENO) != 0, patience: Duration = .seconds(0.5),
        write: @escaping @Sendable (String) -> Void = { standardError($0, terminator: "") }
    ) {
        self.label = label
        self.total = max(total, 1)
        self.isEnabled = isEnabled
        self.patience = patience
        self.write = write
        state = Mutex(State(lastDrawn: start))
    }

    deinit { finish() }

    /// Says that `done` of the steps are finished; cheap enough to call at every one.
    func update(_ done: Int) { update(done, of: total) }

    /// The same where each part of a run counts anew.
    func update(_ done: Int, of total: Int) {
        guard isEnabled else { return }
        let now = ContinuousClock.now
        state.withLock { state in
            let interval = state.isVisible ? Duration.milliseconds(100) : patience
            guard now - state.lastDrawn >= interval else { return }
            state.lastDrawn = now
            state.isVisible = true
            write("\r\u{1b}[K" + text(done, of: max(total, 1), elapsed: (now - start) / .seconds(1)))
        }
    }

    /// Clears the line. Later updates may draw it again.
    func finish() {
        state.withLock { state in
            if state.isVisible { write("\r\u{1b}[K") }
            state.isVisible = false
        }
    }

    private func text(_ done: Int, of total: Int, elapsed: Double) -> String {
        let fraction = min(max(Double(done) / Double(total), 0), 1)
        let width = 24
        let filled = Int(fraction * Double(width))
        let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: width - filled)
        let remaining = fraction > 0.01 ? ", \(Self.time(elapsed / fraction - elapsed)) left" : ""
        return "\(label) \(bar) \(Int(fraction * 100))%\(remaining)"
    }

    private static func time(_ seconds: Double) -> String {
        let whole = Int(min(seconds.rounded(), 1e6))
        return whole < 60 ? "\(whole) s" : "\(whole / 60) min \(whole % 60) s"
    }
}
