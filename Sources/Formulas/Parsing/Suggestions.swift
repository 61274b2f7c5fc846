// What to say of a name that nothing is known by.

extension Scope {
    /// A name on its own.
    func unknown(_ name: String) -> String {
        if let entry = Catalogue.entriesByName[name] {
            return "\(quoted(name)) is an operation, called as \(entry.signature); no variable has this name."
        }
        let names = formulas.keys.sorted()
        if let nearest = nearest(to: name, among: names) {
            return "There is no variable \(quoted(name)); \(quoted(nearest)) is near."
        }
        guard !names.isEmpty else { return "There is no variable \(quoted(name)): none is declared." }
        let listed = names.prefix(10).joined(separator: ", ") + (names.count > 10 ? ", …" : "")
        return "There is no variable \(quoted(name)); the variables are: \(listed)."
    }

    /// A name that is called.
    func unknownOperation(_ name: String) -> String {
        if formulas[name] != nil { return "\(quoted(name)) is a variable and cannot be called; a product is written `*`." }
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

/// How many letters have to be inserted, deleted, replaced or swapped with their neighbour (optimal string alignment).
func editDistance(_ a: String, _ b: String) -> Int {
    let (a, b) = (Array(a.utf8), Array(b.utf8))
    var (beforeLast, last) = ([Int](), Array(0...b.count))
    for i in a.indices {
        var row = [i + 1]
        for j in b.indices {
            var distance = min(last[j] + (a[i] == b[j] ? 0 : 1), last[j + 1] + 1, row[j] + 1)
            if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { distance = min(distance, beforeLast[j - 1] + 1) }
            row.append(distance)
        }
        (beforeLast, last) = (last, row)
    }
    return last[b.count]
}
