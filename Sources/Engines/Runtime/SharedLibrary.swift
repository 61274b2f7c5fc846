#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// A library of compiled code, mapped for as long as somebody holds it.
///
/// Whatever calls into the code keeps a reference: when the last one goes, the code is unmapped.
package final class SharedLibrary: @unchecked Sendable {  // the handle is only read, and dlsym is thread-safe
    private let handle: UnsafeMutableRawPointer

    /// Maps the library at a path. Its symbols stay private to it, so kernels may all use the same names.
    package init(path: String) throws(LoadingError) {
        guard let handle = dlopen(path, RTLD_NOW | RTLD_LOCAL) else {
            throw LoadingError(reason: dlerror().map { String(cString: $0) } ?? "dlopen(\(path)) failed")
        }
        self.handle = handle
    }

    deinit { dlclose(handle) }

    /// The address of a symbol, valid while the library is held; nil if there is none of that name.
    package func symbol(_ name: String) -> UnsafeMutableRawPointer? {
        dlsym(handle, name)
    }

    /// Why the system's loader refused a library, in its words.
    package struct LoadingError: Error, CustomStringConvertible {
        package let reason: String
        package var description: String { reason }
    }
}
