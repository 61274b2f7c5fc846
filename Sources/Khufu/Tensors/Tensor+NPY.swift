import ArrayFiles

// Tensors in files: NumPy's `.npy`, which most languages read and write.

extension Tensor where Element: NPYElement {
    /// Reads a `.npy` file: format 1.0, 2.0 or 3.0, either byte order, either index order; real numbers, integers and truth values of any
    /// size, converted where the file's type is another.
    ///
    /// - Throws: ``FileError`` for a file that cannot be read or is damaged, and for fractions where whole numbers are wanted.
    public init(contentsOfNPY path: String) throws(FileError) {
        let file = try NPYFile(path)
        guard file.type.isInteger || !Element.isInteger else {
            throw FileError(path, at: .header, expected: "whole numbers", found: quoted(file.type.name))
        }
        try self.init(shape: file.shape) { numbers throws(FileError) in try file.read(into: numbers) }
    }

    /// The numbers of a `.npy` file where they lie, mapped into memory: nothing is read before it is used, and the file may be larger
    /// than memory.
    ///
    ///     let points = try Tensor<Float>(mappingNPY: "points.npy")
    ///     let block = points[0..<1_000_000, ...]       // still nothing was read
    ///
    /// The mapping ends with the last tensor that shares it. A file that shrinks while it is mapped ends the process; one that is
    /// overwritten in place changes the tensor.
    ///
    /// - Throws: ``FileError`` for a file that cannot be read or is damaged, or whose numbers lie otherwise than in memory: of another
    ///   type or byte order, or in Fortran order. ``init(contentsOfNPY:)`` reads those.
    public init(mappingNPY path: String) throws(FileError) {
        let file = try NPYFile(path)
        let (memory, start) = try file.map(as: Element.self)
        let storage = TensorStorage(UnsafeRawPointer(memory.baseAddress!) + start) { FileReader.unmap(memory) }
        self.init(shape: file.shape, storage: storage)
    }

    /// Writes a `.npy` file. It appears under its name when it is complete, or not at all.
    ///
    /// - Throws: ``FileError`` where the file cannot be written.
    public func write(npy path: String) throws(FileError) {
        try withUnsafeBufferPointer { numbers throws(FileError) in
            try NPYFile.write(numbers, shape: shape, to: path)
        }
    }
}
