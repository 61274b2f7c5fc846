/// The C-like languages that kernels for accelerators are printed in.
public enum AcceleratorLanguage: String, Hashable, Sendable, CaseIterable {
    case cuda, openCL
}

/// What a kernel for accelerators is printed for.
public struct AcceleratorTarget: Hashable, Sendable {
    public var language: AcceleratorLanguage
    /// Bytes that a group of threads may share.
    public var sharedByteCount: Int
    /// Bytes that it may share where a launch asks for them; no fewer.
    public var largestSharedByteCount: Int
    /// Whether inner products of long vectors are computed for a tile of rows and columns at a time, as tensor cores do: NVIDIA's from
    /// compute capability 8.0 on. In OpenCL C, ordinary instructions do the same, slowly.
    public var hasTensorCores: Bool

    public init(
        _ language: AcceleratorLanguage, sharedByteCount: Int, largestSharedByteCount: Int? = nil, hasTensorCores: Bool = false
    ) {
        self.language = language
        self.sharedByteCount = sharedByteCount
        self.largestSharedByteCount = max(sharedByteCount, largestSharedByteCount ?? sharedByteCount)
        self.hasTensorCores = hasTensorCores
    }
}
