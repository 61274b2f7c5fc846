import Kernels

/// Programs for accelerators that gather rows of an array, and that total rows by lists; a thread per number of the result.
enum WinnerKernels {
    static let threads = 128
    static let gatherEntry = "khufu_gather"
    static let totalEntry = "khufu_lists"

    /// target[item, row] = array[items[item], indices[item, row, slot]]. Items are counted in numbers of the array; where there are none
    /// listed, all have the same.
    static func gather(_ language: AcceleratorLanguage, _ type: ScalarType) -> String {
        let word = [2: "unsigned short", 4: "unsigned int", 8: "i64"][type.byteCount]!
        return words(language, usesFloat64: false) + """
            KERNEL void \(gatherEntry)(
                GLOBAL const \(word) *array, GLOBAL const i64 *items, GLOBAL const i64 *indices, GLOBAL \(word) *target,
                const i64 count, const i64 rows, const i64 width, const i64 points, const i64 slots, const i64 slot)
            {
                const i64 place = PLACE;
                if (place >= count) return;
                const i64 row = place / width;
                i64 point = indices[row * slots + slot];
                // A slot that nothing filled: its number is not used.
                if (point < 0 || point >= points) point = 0;
                target[place] = array[(items ? items[row / rows] : 0) + point * width + place % width];
            }

            """
    }

    /// total[k] = Σ of the rows of an array that are listed from starts[k] to starts[k + 1]; where no rows are listed, those of these numbers.
    static func total(_ language: AcceleratorLanguage, from source: ScalarType, to result: ScalarType, in wide: ScalarType)
        -> String
    {
        func name(_ type: ScalarType) -> String { type == .float64 ? "double" : "float" }
        return words(language, usesFloat64: [source, result, wide].contains(.float64)) + """
            KERNEL void \(totalEntry)(
                GLOBAL const \(name(source)) *array, GLOBAL const i64 *rows, GLOBAL const i64 *starts, GLOBAL \(name(result)) *total,
                const i64 count, const i64 width)
            {
                const i64 place = PLACE;
                if (place >= count) return;
                const i64 list = place / width, end = starts[list + 1];
                \(name(wide)) sum = 0;
                for (i64 k = starts[list]; k < end; k++) sum += array[(rows ? rows[k] : k) * width + place % width];
                total[place] = sum;
            }

            """
    }

    private static func words(_ language: AcceleratorLanguage, usesFloat64: Bool) -> String {
        switch language {
        case .cuda:
            """
            typedef long long i64;
            #define KERNEL extern "C" __global__ __launch_bounds__(\(threads))
            #define GLOBAL
            #define PLACE ((i64)blockIdx.x * \(threads) + threadIdx.x)

            """
        case .openCL:
            (usesFloat64 ? "#ifdef cl_khr_fp64\n#pragma OPENCL EXTENSION cl_khr_fp64 : enable\n#endif\n" : "") + """
                typedef long i64;
                #define KERNEL __kernel
                #define GLOBAL __global
                #define PLACE ((i64)get_global_id(0))

                """
        }
    }
}

extension DeviceArrays {
    func gather(_ array: InputArray, _ indices: WinnerIndices, to target: UnsafeMutableRawPointer) throws {
        let (points, width) = (array.shape[array.shape.count - 2], array.shape.last!)
        let items = indices.items(of: Array(array.shape.dropLast(2)))
        let count = items.count * indices.rows * width
        let bytes = array.type.byteCount
        let itemTable = items.contains { $0 != 0 } ? try table(items.map { Int64($0 * points * width) }) : nil
        try launch(
            WinnerKernels.gather(language, array.type), WinnerKernels.gatherEntry, count,
            [
                .buffer(DeviceBuffer(array.base, array.shape.reduce(bytes, *))), .buffer(itemTable),
                .buffer(DeviceBuffer(indices.base, items.count * indices.rows * indices.slots * 8)),
                .buffer(DeviceBuffer(UnsafeRawPointer(target), count * bytes)),
            ] + [count, indices.rows, width, points, indices.slots, indices.slot].map { .number($0) })
    }

    func store(totalsOf array: InputArray, by lists: WinnerLists, to target: UnsafeMutableRawPointer) throws {
        let width = array.shape.last!
        let targets = lists.starts.count - 1
        guard targets * width > 0 else { return }
        let (pieces, ofTargets) = lists.pieces(Self.pieceLength)
        let sums = try memory.allocate(max(1, (pieces.count - 1) * width * wide.byteCount))
        if pieces.count > 1 {
            let count = (pieces.count - 1) * width
            try launch(
                WinnerKernels.total(language, from: array.type, to: wide, in: wide), WinnerKernels.totalEntry, count,
                [
                    .buffer(DeviceBuffer(array.base, array.shape.reduce(array.type.byteCount, *))),
                    .buffer(try memory.upload(lists.rows)), .buffer(try memory.upload(pieces)), .buffer(sums), .number(count),
                    .number(width),
                ])
        }
        let count = targets * width
        try launch(
            WinnerKernels.total(language, from: wide, to: array.type, in: wide), WinnerKernels.totalEntry, count,
            [
                .buffer(sums), .buffer(nil), .buffer(try memory.upload(ofTargets)),
                .buffer(DeviceBuffer(UnsafeRawPointer(target), count * array.type.byteCount)), .number(count), .number(width),
            ])
    }

    private static let pieceLength = 128

    private var language: AcceleratorLanguage { accelerator.properties.target.language }

    /// A table that is kept where it can be: a graph that is captured can use it, and cannot copy.
    private func table(_ numbers: [Int64]) throws(EngineError) -> DeviceBuffer {
        if let kept = try accelerator.keptTable(numbers) { return kept }
        return try memory.upload(numbers)
    }

    private func launch(_ source: String, _ entry: String, _ count: Int, _ arguments: [KernelArgument]) throws(EngineError) {
        try accelerator.program(source).launch(
            entry, groups: (count + WinnerKernels.threads - 1) / WinnerKernels.threads, threads: WinnerKernels.threads,
            arguments: arguments, on: memory.queue)
    }
}
