/// The file formats of arrays. A name's extension decides, in any letter case.
package enum ArrayFormat: CaseIterable {
    case npy, csv

    /// The format that `path` names; asked before a computation starts, so that a wrong `-o` fails at once.
    package init(path: String) throws(FileError) {
        switch fileExtension(path) {
        case "npy": self = .npy
        case "csv", "tsv": self = .csv
        case "": throw FileError(path, expected: "a file name ending in .npy or .csv", found: "no extension")
        case let other: throw FileError(path, expected: "a file name ending in .npy or .csv", found: quoted("." + other))
        }
    }
}

extension PointArray {
    /// Reads a `.npy` or `.csv` file.
    package init(contentsOf path: String) throws(FileError) {
        switch try ArrayFormat(path: path) {
        case .npy: self = try NPY.read(path)
        case .csv: self = try CSV.read(path)
        }
    }

    /// Writes a `.npy` or `.csv` file. CSV has two dimensions: leading axes are folded into rows.
    package func write(to path: String) throws(FileError) {
        switch try ArrayFormat(path: path) {
        case .npy: try NPY.write(self, to: path)
        case .csv: try CSV.write(self, to: path)
        }
    }
}

/// The extension of a file's name in lower case, without the dot; empty when there is none.
package func fileExtension(_ path: String) -> String {
    let name = path.split(separator: "/").last ?? ""
    guard let dot = name.lastIndex(of: "."), dot != name.startIndex else { return "" }
    return name[name.index(after: dot)...].lowercased()
}
