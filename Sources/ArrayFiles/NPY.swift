/// NumPy's `.npy` files as arrays that keep the file's type of number, as far as there is one here: integers and truth values
/// become 64-bit integers, half precision becomes single.
enum NPY {
    static func read(_ path: String) throws(FileError) -> PointArray {
        let file = try NPYFile(path)
        let shape = file.shape
        let storage: PointArray.Storage =
            if file.type.isInteger {
                .int64(try file.numbers())
            } else if file.type.size == 8 {
                .float64(try file.numbers())
            } else {
                .float32(try file.numbers())
            }
        return PointArray(shape: shape, storage: storage)
    }

    static func write(_ array: PointArray, to path: String) throws(FileError) {
        switch array.storage {
        case .float32(let values): try write(values, array.shape, to: path)
        case .float64(let values): try write(values, array.shape, to: path)
        case .int64(let values): try write(values, array.shape, to: path)
        }
    }

    private static func write<Element: NPYElement>(_ values: [Element], _ shape: [Int], to path: String) throws(FileError) {
        try values.withUnsafeBufferPointer { values throws(FileError) in
            try NPYFile.write(values, shape: shape, to: path)
        }
    }
}
