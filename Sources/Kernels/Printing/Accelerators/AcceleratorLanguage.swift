/// The C-like languages that kernels for accelerators are printed in.
public enum AcceleratorLanguage: String, Hashable, Sendable, CaseIterable {
    case cuda, openCL
}
