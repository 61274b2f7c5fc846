import Formulas

// Totals that wait while columns are taken in several calls.
extension CSourceFrame {
    /// The arrays that hold totals.
    private var states: [ArrayInfo] { kernel.arrays.filter { $0.section == .begin && $0.reference.count > 0 } }

    /// Bytes of the totals of a vector of rows.
    var stateBytes: Int {
        states.reduce(0) { bytes, info in
            let type = dialect.type(info.type)
            return bytes + info.reference.count * lanes * (type == "f64" || type == "i64" ? 8 : 4)
        }
    }

    /// Totals from where they waited, or to there.
    func copyStates(into isResumed: Bool, _ body: inout StatementPrinter) {
        guard !states.isEmpty else { return }
        body.braced("if (call->\(isResumed ? "is_resumed" : "is_suspended"))") { body in
            body.line("char *state = call->states + (block_row - call->first) / LANES * \(stateBytes);")
            for info in states {
                let size = "sizeof(\(dialect.type(info.type))) * \(info.reference.count) * R"
                body.line("__builtin_memcpy(\(isResumed ? "\(info.name), state" : "state, \(info.name)"), \(size));")
                body.line("state += \(size);")
            }
            if !isResumed { body.line("return;") }
        }
    }
}
