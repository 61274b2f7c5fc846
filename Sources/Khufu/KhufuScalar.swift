import Engines
import Kernels

/// A type of number that reductions read and write.
public protocol KhufuScalar: BitwiseCopyable, Sendable {
    static var scalarType: ScalarType { get }
}

extension Float: KhufuScalar {
    public static var scalarType: ScalarType { .float32 }
}

extension Double: KhufuScalar {
    public static var scalarType: ScalarType { .float64 }
}

#if !(os(macOS) && arch(x86_64))
/// Stored in 16 bits, computed in float32.
@available(macOS 11.0, *)
extension Float16: KhufuScalar {
    public static var scalarType: ScalarType { .float16 }
}
#endif
