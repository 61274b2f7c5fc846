/// A parameter given as numbers on the command line: `0.5`, or `0.5,2,-1e-3`.
extension PointArray {
    package struct LiteralError: Error, Equatable, CustomStringConvertible {
        let text: String
        /// Which of the numbers is none, counted from 1.
        let position: Int
        let found: String

        package var description: String {
            "\(quoted(text)), number \(position): expected numbers separated by commas, such as 0.5 or 0.5,2, "
                + "or a .npy or .csv file, found \(found.isEmpty ? "nothing" : quoted(found))."
        }
    }

    /// The numbers in `text` as a one-dimensional array of float64.
    package init(literal text: String) throws(LiteralError) {
        var values: [Double] = []
        for (index, part) in text.split(separator: ",", omittingEmptySubsequences: false).enumerated() {
            guard let value = NumberText.parse(Array(part.utf8)) else {
                throw LiteralError(text: text, position: index + 1, found: String(part))
            }
            values.append(value)
        }
        self.init(shape: [values.count], storage: .float64(values))
    }

    /// A parameter's source: a file when its name ends as one, numbers otherwise.
    package init(parameter source: String) throws {
        let isFile = (try? ArrayFormat(path: source)) != nil
        self = isFile ? try PointArray(contentsOf: source) : try PointArray(literal: source)
    }
}
