// What to say of a name that nothing is known by.

extension Scope {
    /// A name on its own.
    func unknown(_ name: String) -> String {
        if let entry = Catalogue.entriesByName[name] {
            return "\(quoted(name)) is an operation, called as \(entry.signature); no variable has this name."
        }
        let names = variables.keys.sorted()
        if let nearest = nearest(to: name, among: names) {
            return "There is no variable \(quoted(name)); \(quoted(nearest)) is near."
        }
        guard !names.isEmpty else { return "There is no variable \(quoted(name)): none is declared." }
        let listed = names.prefix(10).joined(separator: ", ") + (names.count > 10 ? ", …" : "")
        return "There is no variable \(quoted(name)); the variables are: \(listed)."
    }

    /// A name that is called.
    func unknownOperation(_ name: String) -> String {
        if variables[name] != nil { return "\(quoted(name)) is a variable and cannot be called; a product is written `*`." }
        if name.hasSuffix("_Reduction") { return "The reduction \(quoted(name)) cannot stand inside a formula." }
        let names = Catalogue.entries.map(\.name) + ["Vi", "Vj", "Pm"]
        guard let nearest = nearest(to: name, among: names) else { return "There is no operation \(quoted(name))." }
        return "There is no operation \(quoted(name)); \(quoted(nearest)) is near."
    }
}

/// The candidate with the fewest edits from a name, at most 2 and less than half of it; letter case alone counts as none.
func nearest(to name: String, among candidates: [String]) -> String? {
    guard name.utf8.count <= 40 else { return nil }
    let lowercased = name.lowercased()
    if let same = candidates.first(where: { $0.lowercased() == lowercased }) { return same }
    let distances = candidates.map { (name: $0, distance: editDistance(lowercased, $0.lowercased())) }
    guard let best = distances.min(by: { $0.distance < $1.distance }) else { return nil }
    return best.distance <= 2 && 2 * best.distance < name.utf8.count ? best.name : nil
}

/// Levenshtein's distance: insertions, deletions and replacements of one letter.
func editDistance(_ a: String, _ b: String) -> Int {
    let b = Array(b.utf8)
    var row = Array(0...b.count)
    for (i, letter) in a.utf8.enumerated() {
        var diagonal = i
        row[0] = i + 1
        for j in b.indices {
            let replaced = diagonal + (letter == b[j] ? 0 : 1)
            diagonal = row[j + 1]
            row[j + 1] = min(replaced, row[j] + 1, row[j + 1] + 1)
        }
    }
    return row[b.count]
}
