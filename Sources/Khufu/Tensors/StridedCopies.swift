// Numbers that lie in memory at an offset plus multiples of strides: slices, transposes and broadcasts, and the way back.

extension Tensor {
    /// The numbers of a shape that lie so, in memory of their own unless they lie side by side already.
    func strided(_ target: [Int], _ strides: [Int], from offset: Int = 0) -> Tensor {
        let walk = Walk(target, [strides])
        if walk.isContiguous {
            let part = TensorStorage(sharing: storage, from: offset * MemoryLayout<Element>.stride)
            return Tensor(shape: target, storage: part)
        }
        return withUnsafeBufferPointer { source in
            Tensor(shape: target) { copy(source, from: offset, walk, into: $0) }
        }
    }

    /// Zeros of a shape with these numbers among them: the adjoint of ``strided(_:_:from:)`` for strides that repeat nothing.
    func spread(in target: [Int], _ strides: [Int], from offset: Int) -> Tensor {
        let walk = Walk(shape, [strides])
        return withUnsafeBufferPointer { source in
            Tensor(shape: target) { result in
                UnsafeMutableRawBufferPointer(result).initializeMemory(as: UInt8.self, repeating: 0)
                place(source, walk, into: result, from: offset)
            }
        }
    }
}

@specialized(where Element == Float)
@specialized(where Element == Double)
@specialized(where Element == Int)
private func copy<Element: TensorElement>(
    _ source: UnsafeBufferPointer<Element>, from offset: Int, _ walk: Walk, into result: UnsafeMutableBufferPointer<Element>
) {
    let (width, step) = (walk.width, walk.steps[0])
    walk.forEachRun { place, offsets in
        let start = offset + offsets[0]
        for k in 0..<width { result[place + k] = source[start + k * step] }
    }
}

@specialized(where Element == Float)
@specialized(where Element == Double)
@specialized(where Element == Int)
private func place<Element: TensorElement>(
    _ source: UnsafeBufferPointer<Element>, _ walk: Walk, into result: UnsafeMutableBufferPointer<Element>, from offset: Int
) {
    let (width, step) = (walk.width, walk.steps[0])
    walk.forEachRun { first, offsets in
        let start = offset + offsets[0]
        for k in 0..<width { result[start + k * step] = source[first + k] }
    }
}
