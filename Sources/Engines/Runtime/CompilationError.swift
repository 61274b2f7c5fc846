/// Why there is no machine code for a kernel. Each case reads as a sentence that says what to do.
package enum CompilationError: Error, Sendable, Equatable, CustomStringConvertible {
    /// No candidate is usable; all are listed with their reasons.
    case noCompiler([CompilerCandidate])
    /// An environment variable asks for what cannot be.
    case refusedSetting(String)
    /// No folder can hold the compiled kernels, not even a temporary one.
    case noFolder(reason: String)
    /// The compiler ended otherwise than well. `message` is the beginning of what it wrote.
    case failed(compiler: String, ending: String, message: String)
    /// The compiler was content, but the system does not load what it made.
    case unloadable(compiler: String, reason: String)

    package var description: String {
        switch self {
        case .noCompiler(let candidates) where candidates.isEmpty:
            "No C compiler was found: there is no Swift toolchain, clang, gcc or cc on the PATH. "
                + "Install one, or set KHUFU_CC to the path of one."
        case .noCompiler(let candidates):
            "No C compiler is usable. " + candidates.map(\.description).joined(separator: "; ") + "."
        case .refusedSetting(let sentence):
            sentence
        case .noFolder(let reason):
            "There is nowhere to keep compiled kernels: \(reason). Set KHUFU_CACHE_DIR to a folder that only you may write to."
        case .failed(let compiler, let ending, let message):
            "The compiler \(compiler) \(ending)" + (message.isEmpty ? "." : ":\n\(message)")
        case .unloadable(let compiler, let reason):
            "The library made by \(compiler) cannot be loaded: \(reason). "
                + "If its folder forbids execution (mount option noexec), set KHUFU_CACHE_DIR to another."
        }
    }
}
