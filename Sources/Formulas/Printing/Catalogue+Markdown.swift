extension Catalogue {
    /// The operations as a table in Markdown, for the documentation: made from the definitions, so that it cannot differ.
    public static var markdown: String {
        var lines = ["| Name | Call | What it is |", "|---|---|---|"]
        for entry in entries {
            lines.append("| `\(entry.name)` | `\(entry.signature)` | \(cell(entry.summary)) |")
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// A bar would end the cell, also inside a code span.
    private static func cell(_ text: String) -> String {
        String(text.flatMap { $0 == "|" ? "\\|" : $0 == "\n" ? " " : String($0) })
    }
}
