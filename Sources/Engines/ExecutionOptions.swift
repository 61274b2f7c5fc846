import Kernels

/// How a reduction is run.
public struct ExecutionOptions: Sendable {
    public enum Engine: String, Sendable, CaseIterable {
        /// Compiled where there is a compiler and enough to do, else interpreted.
        case automatic = "auto"
        case cpu
        case interpreter
    }
    public var engine: Engine = .automatic
    /// At most so many threads; as many as the process may use where it is nil.
    public var threads: Int?
    public var sparsity: BlockSparsity?
    /// Whether compiled code may take exponentials to four digits, for speed.
    public var exponentials: Exponentials = .accurate
    /// Whether inner products of long float32 vectors may be of factors rounded to 11 bits, where there are tensor cores, for speed.
    /// Squared distances in many dimensions are inner products, too.
    public var innerProducts: InnerProducts = .accurate
    /// Whether pairs are left out that provably do not matter.
    public var pruning: Pruning = .automatic
    /// What pruned sums may leave out, relative to Σ_j |F_ij|: the error of each number of a sum is at most so many times that, and the
    /// error of a log-sum-exp about so much, that of a soft maximum Σ e^F g / Σ e^F so many times Σ e^F |g| / Σ e^F, beside what rounding
    /// does. Sums of Gaussians may then go by way of a lattice. With 0, only terms that are 0 are left out. Nil: all pairs are summed.
    public var tolerance: Double?
    /// The accelerators that compute in place of this processor; none by default, or where the engine is chosen automatically, those that
    /// the environment variable `KHUFU_DEVICE` names, such as "cuda:0,1". Rows are split over several of them, or columns, where
    /// rows are few.
    public var devices: [Device] = []
    /// Where the arrays are: on the host, whence they are copied, or on the one device that computes.
    public var memory: ArrayMemory = .host
    /// Bytes of each device's memory that a call may take; most of it by default. What is larger passes through in pieces.
    public var deviceMemoryLimit: Int?
    /// Arrays on the host that stay as they are from call to call, so that devices may keep copies of them.
    public var residents: ResidentArrays?
    /// Called from any thread as tasks end, with the pairs done and those to do.
    public var progress: (@Sendable (_ done: Int, _ total: Int) -> Void)?

    public init(
        engine: Engine = .automatic, threads: Int? = nil, sparsity: BlockSparsity? = nil,
        exponentials: Exponentials = .accurate, innerProducts: InnerProducts = .accurate, pruning: Pruning = .automatic,
        tolerance: Double? = nil, devices: [Device] = [],
        progress: (@Sendable (_ done: Int, _ total: Int) -> Void)? = nil
    ) {
        self.engine = engine
        self.threads = threads
        self.sparsity = sparsity
        self.exponentials = exponentials
        self.innerProducts = innerProducts
        self.pruning = pruning
        self.tolerance = tolerance
        self.devices = devices
        self.progress = progress
    }
}

extension ExecutionOptions {
    /// The one accelerator that computes; nil for this processor.
    public var device: Device? {
        get { devices.first }
        set { devices = newValue.map { [$0] } ?? [] }
    }
}

/// Whether pairs are left out that provably do not matter, by bounds of the formula on boxes around points.
///
/// Minima, maxima and k-min lists are the same with it and without; sums of all kinds are within ``ExecutionOptions/tolerance``.
public enum Pruning: String, Hashable, Sendable, CaseIterable {
    /// Where it is found to pay.
    case automatic = "auto"
    /// Wherever the formula has bounds.
    case always
    case never
}
