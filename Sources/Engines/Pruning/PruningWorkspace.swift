/// Memory that a task of a pruned run has to itself.
struct PruningWorkspace<Scalar: BinaryFloatingPoint>: ~Copyable {
    /// How many bounds are asked for at a time.
    static var boundCount: Int { 1_024 }

    let bounds: UnsafeMutablePointer<Scalar>
    let middles: UnsafeMutablePointer<Scalar>
    /// Lists of values and their places, one for each row of a tile.
    let values: UnsafeMutablePointer<Scalar>
    let places: UnsafeMutablePointer<Int64>
    let listLength: Int

    init(listLength: Int, rowsPerTile: Int) {
        self.listLength = listLength
        bounds = .allocate(capacity: Self.boundCount)
        middles = .allocate(capacity: Self.boundCount)
        values = .allocate(capacity: listLength * rowsPerTile)
        places = .allocate(capacity: listLength * rowsPerTile)
    }

    deinit {
        bounds.deallocate()
        middles.deallocate()
        values.deallocate()
        places.deallocate()
    }
}
