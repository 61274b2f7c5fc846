import Formulas
import Kernels

/// What sums of Gaussians by way of a lattice have compiled, for one type of number.
final class LatticeKernels: Sendable {
    let reduction: Reduction
    /// The reduction itself.
    let whole: CPUKernel
    let rows: Side
    let columns: Side
    /// Of the Gaussian.
    let dimension: Int
    private let instructionSet: InstructionSet
    private let cache: KernelCache

    /// What is computed of each point: its coordinates, and more, each part at its offset.
    struct Side: Sendable {
        let kernel: CPUKernel
        let width: Int
        let factor: Range<Int>?
        let exponent: Int?
        /// Of rows: G, which is the same for all.
        let weight: Range<Int>?
        /// What the Gaussian is multiplied by beside factors: the sum of a row's and a column's.
        let term: Range<Int>?
    }

    static let largestDimension = 3

    /// Whether a reduction is a sum of Gaussians.
    static func apply(to reduction: Reduction, type: ScalarType) -> Bool { gaussian(reduction, type) != nil }

    private static func gaussian(_ reduction: Reduction, _ type: ScalarType) -> GaussianProduct? {
        guard !type.isHalf, let result = reduction.gaussian, result.rows.dimension <= largestDimension else { return nil }
        return result
    }

    /// - Returns: nil where the reduction is no sum of Gaussians.
    init?(
        _ reduction: Reduction, whole: CPUKernel, type: ScalarType, instructionSet: InstructionSet, cache: KernelCache
    ) throws {
        guard let gaussian = Self.gaussian(reduction, type) else { return nil }
        func side(
            _ category: Category, _ coordinates: Formula, factor: Formula?, exponent: Formula?, weight: Formula?, term: Formula?
        ) throws -> Side {
            var joined = coordinates
            func add(_ part: Formula?) throws(FormulaError) -> Range<Int>? {
                guard let part else { return nil }
                let offset = joined.dimension
                joined = try Catalogue.formula("Concat", [.formula(joined), .formula(part)])
                return offset..<joined.dimension
            }
            let ranges = (try add(factor), try add(exponent), try add(weight), try add(term))
            let computed = try Reduction(
                .sum, of: joined, over: category == .i ? .j : .i, accumulation: Accumulation(scheme: .direct))
            return Side(
                kernel: try CPUKernel(computed, type: type, instructionSet: instructionSet, cache: cache),
                width: joined.dimension,
                factor: ranges.0, exponent: ranges.1?.lowerBound, weight: ranges.2, term: ranges.3)
        }
        (rows, columns) = try ThreadPool.shared.both {
            try side(
                reduction.over.outputCategory, gaussian.rows, factor: gaussian.rowFactor, exponent: gaussian.rowExponent,
                weight: gaussian.weight, term: gaussian.rowTerm)
        } and: {
            try side(
                reduction.over.reducedCategory, gaussian.columns, factor: gaussian.columnFactor,
                exponent: gaussian.columnExponent,
                weight: nil, term: gaussian.columnTerm)
        }
        dimension = gaussian.rows.dimension
        self.reduction = reduction
        self.whole = whole
        self.instructionSet = instructionSet
        self.cache = cache
    }

    /// Float64 in a vector.
    var lanes: Int { instructionSet.vectorBytes / 8 }

    /// The functions for a lattice with a number of channels.
    func functions(_ window: LatticeWindow, channels: Int) throws(CompilationError) -> LatticeFunctions {
        let source = LatticeSource(dimension: dimension, channels: channels, window: window)
        return try LatticeFunctions(try cache.library(for: source.text, instructionSet: instructionSet))
    }
}

extension Reduction {
    /// The Gaussian that this sums, with the factors of its terms.
    fileprivate var gaussian: GaussianProduct? {
        let (output, reduced) = (over.outputCategory, over.reducedCategory)
        switch kind {
        case .sum: return formula.gaussianProduct(rows: output, columns: reduced)
        case .logSumExp, .sumSoftMax:
            guard var result = formula.gaussianExponent(rows: output, columns: reduced) else { return nil }
            guard let weight else { return result }
            let (rest, factor) = weight.separatingFactor { !$0.dependence.contains(reduced.dependence) }
            guard !rest.dependence.contains(output.dependence) else { return nil }
            (result.rowFactor, result.columnFactor) = (factor, rest)
            return result
        default: return nil
        }
    }
}

/// The compiled functions of ``LatticeSource``.
struct LatticeFunctions: @unchecked Sendable {
    private typealias Function = @convention(c) (UnsafeRawPointer) -> Void
    private let library: SharedLibrary
    private let spreadFunction: Function
    private let gatherFunction: Function

    init(_ library: SharedLibrary) throws(CompilationError) {
        guard let spread = library.symbol("khufu_spread"), let gather = library.symbol("khufu_gather") else {
            throw .unloadable(compiler: "the compiler", reason: "it lacks khufu_spread")
        }
        self.library = library
        spreadFunction = unsafeBitCast(spread, to: Function.self)
        gatherFunction = unsafeBitCast(gather, to: Function.self)
    }

    /// Adds what points hold to the lattice.
    func spread(_ call: Call) { withUnsafePointer(to: call) { spreadFunction(UnsafeRawPointer($0)) } }

    /// Reads the lattice at points.
    func gather(_ call: Call) { withUnsafePointer(to: call) { gatherFunction(UnsafeRawPointer($0)) } }

    /// The `call` of the generated source, field by field.
    struct Call {
        var points: UnsafeRawPointer
        var pointStride: Int64
        var first: Int64
        var end: Int64
        var lattice: UnsafeMutablePointer<Double>
        var latticeSize: Int64
        var stride: (Int64, Int64, Int64) = (1, 1, 1)
        var origin: (Int64, Int64, Int64) = (0, 0, 0)
        var zero: (Double, Double, Double) = (0, 0, 0)
        var inverseStep: (Double, Double, Double) = (0, 0, 0)
        var exponent: (Double, Double, Double) = (0, 0, 0)
        var results: UnsafeMutablePointer<Double>?

        /// - Parameters:
        ///   - plan: the lattice.
        ///   - planes: which of its planes there are.
        init(
            _ plan: LatticePlan, planes: Range<Int>, points: UnsafeRawPointer, pointStride: Int, range: Range<Int>,
            lattice: UnsafeMutablePointer<Double>, results: UnsafeMutablePointer<Double>? = nil
        ) {
            self.points = points
            self.pointStride = Int64(pointStride)
            first = Int64(range.lowerBound)
            end = Int64(range.upperBound)
            self.lattice = lattice
            latticeSize = Int64(planes.count * plan.planeSize)
            self.results = results
            func three<Value>(_ pad: Value, _ value: (LatticePlan.Axis) -> Value) -> (Value, Value, Value) {
                let values = plan.axes.map(value)
                return (values[0], values.count > 1 ? values[1] : pad, values.count > 2 ? values[2] : pad)
            }
            zero = three(0) { $0.zero }
            inverseStep = three(0) { 1 / $0.step }
            exponent = three(0) { $0.exponent }
            origin = three(0) { Int64($0.first) }
            origin.0 += Int64(planes.lowerBound)
            let last = plan.axes.last!.count
            stride = plan.axes.count == 3 ? (Int64(plan.planeSize), Int64(last), 1) : (Int64(plan.planeSize), 1, 1)
        }
    }
}
