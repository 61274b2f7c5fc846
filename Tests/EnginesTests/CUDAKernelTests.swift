import Formulas
import Kernels
import RandomNumbers
import Testing

@testable import Engines

/// Kernels in CUDA C, computed on this processor by `FakeCUDA/HostCUDA.h`: barriers, shared memory and what the lanes of tensor cores hold are
/// as on a GPU. Against the compiled engine, which the oracle has tested.
@Suite struct CUDAKernelTests {
    struct Case: CustomTestStringConvertible {
        var name = "Sum"
        var formula: String
        var weight: String?
        var k = 1
        var type = ScalarType.float32
        /// Whether inner products, and weighted sums of vectors, go by tensor cores.
        var contracts = false
        var weighs = false
        var accuracy = InnerProducts.accurate

        var testDescription: String { "\(name) of \(formula), \(type)" }
    }

    static let cases = [
        Case(formula: "Exp(-SqDist(Vi(0,3),Vj(1,3)))*Vj(2,2)"),
        Case(formula: "Exp(-SqDist(Vi(0,3),Vj(1,3)))*Vj(2,2)", type: .float16),
        Case(name: "LogSumExp", formula: "-SqDist(Vi(0,3),Vj(1,3))", type: .float64),
        Case(name: "KMin_ArgKMin", formula: "Sum(Abs(Vi(0,5)-Vj(1,5)))", k: 4),
        // Rows in a table, several columns in flight; chunks of a wide result.
        Case(formula: "Sum(Abs(Vi(0,70)-Vj(1,70)))"),
        Case(formula: "Exp(-SqDist(Vi(0,3),Vj(1,3)))*Vj(2,100)", weighs: true),
        Case(formula: "Exp(-SqDist(Vi(0,3),Vj(1,3)))*Vi(2,100)*Vj(3,100)", weighs: true),
        Case(name: "Min_ArgMin", formula: "SqDist(Vi(0,50),Vj(1,50))", contracts: true),
        Case(name: "SumSoftMaxWeight", formula: "(Vi(0,64)|Vj(1,64))/8", weight: "Vj(2,5)", contracts: true),
        Case(name: "Max_ArgMax", formula: "(Vi(0,100)|Vj(1,100))", contracts: true),
        Case(name: "Max_ArgMax", formula: "(Vi(0,100)|Vj(1,100))", type: .bfloat16, contracts: true),
        Case(name: "KMin_ArgKMin", formula: "SqDist(Vi(0,150),Vj(1,150))", k: 3, contracts: true),
        Case(name: "Max", formula: "(Vi(0,64)|Vj(1,64))", contracts: true, accuracy: .fast),
        // The largest score grows column by column, so that what has been added up is scaled again and again.
        Case(
            name: "SumSoftMaxWeight", formula: "(Vi(0,64)|Vj(1,64))*5+3*Vj(3,1)", weight: "Vj(2,50)", contracts: true,
            weighs: true),
        Case(name: "Max_SumShiftExpWeight", formula: "(Vi(0,40)|Vj(1,40))*5", weight: "Vj(2,70)", contracts: true, weighs: true),
        Case(name: "LogSumExpWeight", formula: "(Vi(0,64)|Vj(1,64))", weight: "1.5+Vj(2,20)", contracts: true, weighs: true),
        Case(formula: "Exp(-SqDist(Vi(0,64),Vj(1,64))/16)*Vj(2,40)*Vi(3,1)", type: .float16, weighs: true),
        Case(formula: "Vi(0,1)*Abs(Vi(1,1)-Vj(2,1))*Vj(3,30)", weighs: true, accuracy: .fast),
    ]

    @Test(arguments: cases) func results(_ item: Case) throws { try check(item) }

    /// Infinities, NaN and what is next to the largest number, among weights (1) or the vectors that they weight (2).
    @Test(arguments: [1, 2], [Float.infinity, .nan, 3e38]) func strangeNumbers(_ array: Int, _ number: Float) throws {
        try check(Case(formula: "Exp(Vi(0,1)+Vj(1,1))*Vj(2,40)", weighs: true)) { arrays in
            let numbers = arrays[array].memory.bindMemory(to: Float.self)
            numbers[numbers.count / 2] = number
        }
    }

    private func check(_ item: Case, _ change: ([Points]) -> Void = { _ in }) throws {
        let reduction = try Reduction(
            Reduction.Kind(named: item.name), of: Formula(parsing: item.formula),
            weight: item.weight.map { try Formula(parsing: $0) },
            k: item.k)
        let target = AcceleratorTarget(.cuda, sharedByteCount: 48 << 10, largestSharedByteCount: 227 << 10, hasTensorCores: true)
        let precision = Precision(storage: item.type, innerProducts: item.accuracy)
        let source = try AcceleratorSource(reduction, precision: precision, squaredDistances: .inner, for: target)
        #expect((source.kernel.contraction != nil) == item.contracts && (source.kernel.weighting != nil) == item.weighs)

        let fake = try FakeCUDA()
        try fake.compute()
        let kernel = try AcceleratorKernel(
            reduction, precision: precision, squaredDistances: .inner, for: target, on: fake.device())
        let compiled = try CompiledReduction(reduction)
        // Rows of two groups; columns of several tiles, or of several parts with states that are merged.
        for (rows, columns) in [(150, 77), (3, 1_100)] {
            let arrays = Self.arrays(of: compiled, item.type, rows, columns)
            change(arrays)
            let bound = try compiled.bound(
                to: arrays.map { InputArray($0.memory.baseAddress!, type: item.type, shape: $0.shape) })
            let (own, expected) = (Results(bound.shape, item.type), Results(bound.shape, item.type))
            try AcceleratorRun(
                kernel: kernel, binding: bound.binding, sparsity: nil, memory: .host, rows: 0..<rows, columns: 0..<columns,
                memoryLimit: nil,
                output: .results(
                    Output(values: own.values.baseAddress, indices: own.indices.baseAddress)), progress: nil
            ).carryOut()
            try bound.run(options: ExecutionOptions(engine: .cpu), values: expected.values, indices: expected.indices)
            let room =
                item.accuracy == .fast ? 2e-3 : [.float32: 4e-6, .float64: 1e-13, .float16: 2e-3, .bfloat16: 1e-2][item.type]!
            #expect(own.numbers.count == expected.numbers.count)
            let size = expected.numbers.filter(\.isFinite).map(abs).max() ?? 0
            for (place, (a, b)) in zip(own.numbers, expected.numbers).enumerated() {
                if a == b || a.isNaN && b.isNaN || abs(a - b) <= room * size { continue }
                Issue.record("number \(place) of \(rows) × \(columns): \(a), not \(b)")
                break
            }
            // Distances are real numbers: none ties.
            if item.accuracy == .accurate { #expect(Array(own.indices) == Array(expected.indices)) }
            withExtendedLifetime(arrays) {}
        }
        #expect(fake.count("faults") == 0)
    }

    /// Room for a result.
    private final class Results {
        let values: UnsafeMutableRawBufferPointer
        let indices: UnsafeMutableBufferPointer<Int64>
        let type: ScalarType

        init(_ shape: CompiledReduction.ResultShape, _ type: ScalarType) {
            values = .allocate(byteCount: shape.valueTotal * type.byteCount, alignment: 64)
            indices = .allocate(capacity: shape.indexTotal)
            indices.initialize(repeating: -1)
            self.type = type
        }

        deinit {
            values.deallocate()
            indices.deallocate()
        }

        var numbers: [Double] { number(values, type) }
    }

    private final class Points {
        let memory: UnsafeMutableRawBufferPointer
        let shape: [Int]

        init(_ memory: UnsafeMutableRawBufferPointer, _ shape: [Int]) { (self.memory, self.shape) = (memory, shape) }
        deinit { memory.deallocate() }
    }

    private static func arrays(of compiled: CompiledReduction, _ type: ScalarType, _ rows: Int, _ columns: Int) -> [Points] {
        var random = RandomSource(seed: rows)
        return compiled.declarations.map { declaration in
            let dimension = declaration.variable.dimension
            let count = declaration.variable.category == .i ? rows : columns
            let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: count * dimension * type.byteCount, alignment: 64)
            for k in 0..<count * dimension {
                let x = random.uniform(-1, 1)
                switch type {
                case .float16: memory.storeBytes(of: Float16(x), toByteOffset: 2 * k, as: Float16.self)
                case .bfloat16: memory.storeBytes(of: UInt16(Float(x).bitPattern >> 16), toByteOffset: 2 * k, as: UInt16.self)
                case .float32: memory.storeBytes(of: Float(x), toByteOffset: 4 * k, as: Float.self)
                case .float64: memory.storeBytes(of: x, toByteOffset: 8 * k, as: Double.self)
                }
            }
            return Points(memory, [count, dimension])
        }
    }
}

private func number(_ memory: UnsafeMutableRawBufferPointer, _ type: ScalarType) -> [Double] {
    (0..<memory.count / type.byteCount).map { k in
        switch type {
        case .float16: Double(memory.load(fromByteOffset: 2 * k, as: Float16.self))
        case .bfloat16: Double(Float(bitPattern: UInt32(memory.load(fromByteOffset: 2 * k, as: UInt16.self)) << 16))
        case .float32: Double(memory.load(fromByteOffset: 4 * k, as: Float.self))
        case .float64: memory.load(fromByteOffset: 8 * k, as: Double.self)
        }
    }
}
