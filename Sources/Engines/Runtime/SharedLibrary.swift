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

    /// The library of that name, if the process has mapped it already; nothing is looked for on disk.
    package init(loaded name: String) throws(LoadingError) {
        guard let handle = dlopen(name, RTLD_NOW | RTLD_LOCAL | RTLD_NOLOAD) else {
            throw LoadingError(reason: "is not loaded in this process")
        }
        self.handle = handle
    }

    deinit { dlclose(handle) }

    /// The address of a symbol, valid while the library is held; nil if there is none of that name.
    package func symbol(_ name: String) -> UnsafeMutableRawPointer? {
        dlsym(handle, name)
    }

    /// A function of the library, declared by hand: `Function` must be what the library's header says.
    func function<Function>(_ name: String) throws(LoadingError) -> Function {
        guard let symbol = symbol(name) else { throw LoadingError(reason: "has no function \(name)") }
        return unsafeBitCast(symbol, to: Function.self)
    }

    /// Why the system's loader refused a library, in its words.
    package struct LoadingError: Error, CustomStringConvertible {
        package let reason: String
        package var description: String { reason }
    }
}
