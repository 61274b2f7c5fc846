/// Lists of the smallest values of some rows, and the sorted columns where they are: what is left is to settle ties.
struct TileLists<Scalar: BinaryFloatingPoint & Sendable> {
    let values: UnsafeMutablePointer<Scalar>
    let places: UnsafeMutablePointer<Int64>
    /// Entries for each row.
    let length: Int

    /// Whether, for one of so many rows, columns beyond the list may have the value of the last of k that are wanted.
    func hasOpenTie(rows: Int, wanted k: Int) -> Bool {
        for row in 0..<rows {
            let last = values[row * length + length - 1]
            if last < .infinity, last == values[row * length + k - 1] { return true }
        }
        return false
    }

    /// Brings a row's columns of one value in the order in which they stood, and writes the numbers that they had there.
    func settle(_ row: Int, _ columns: SortedPoints<Scalar>) {
        let (values, places) = (values + row * length, places + row * length)
        var found = 0
        while found < length, values[found] < .infinity {
            places[found] = Int64(columns.origin(Int(places[found])))
            found += 1
        }
        for k in 0..<found {
            var slot = k
            while slot > 0, values[slot] == values[slot - 1], places[slot] < places[slot - 1] {
                let moved = places[slot]
                places[slot] = places[slot - 1]
                places[slot - 1] = moved
                slot -= 1
            }
        }
        for k in 0..<found { places[k] = Int64(columns.point(atOrigin: Int(places[k]))) }
        // Nothing was found for the slots that hold infinity.
        for k in found..<length { places[k] = 0 }
    }
}
