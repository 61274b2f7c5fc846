// The few calls of the operating system that the runtime needs, given Swift manners. Foundation would bring all of this and 60 MB.

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
@preconcurrency import Musl
#else
@preconcurrency import Glibc  // `environ` is an unannotated global; it is read once, below
#endif

/// The process's environment as it was at first use.
///
/// It is read once, because `getenv` beside a host's `setenv` is a data race in C. Everything that depends on a variable takes an
/// explicit dictionary whose default is this, so that tests can pass their own.
package enum ProcessEnvironment {
    package static let current: [String: String] = {
        #if canImport(Darwin)
        let entries = _NSGetEnviron().pointee
        #else
        let entries: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = environ
        #endif
        var variables: [String: String] = [:]
        guard var entry = entries else { return variables }
        while let text = entry.pointee {
            let parts = String(cString: text).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if parts.count == 2 { variables[String(parts[0])] = String(parts[1]) }
            entry += 1
        }
        return variables
    }()
}

extension [String: String] {
    /// The value of a variable, or nil where it is unset or empty: `KHUFU_CC= khufu …` means what leaving it out means.
    func setting(_ name: String) -> String? {
        self[name].flatMap { $0.isEmpty ? nil : $0 }
    }

    /// The absolute paths in a variable that lists paths. Relative ones are passed over: what runs must not depend on where one is.
    func paths(_ name: String) -> [String] {
        (self[name] ?? "").split(separator: ":").filter { $0.hasPrefix("/") }.map(String.init)
    }

    /// The first executable file of that name in the folders of `PATH`.
    func program(_ name: String) -> String? {
        paths("PATH").lazy.map { "\($0)/\(name)" }.first { FileStamp(executable: $0) != nil }
    }
}

/// An open file, closed when it goes out of scope.
struct Descriptor: ~Copyable {
    let number: Int32

    /// Takes over an open descriptor; nil for the -1 of a failed call.
    init?(_ number: Int32) {
        guard number >= 0 else { return nil }
        self.number = number
    }

    deinit { _ = close(number) }

    /// What is there, asked of the open file, so that nobody can swap it between the question and its use.
    func status() -> stat? {
        var status = stat()
        return fstat(number, &status) == 0 ? status : nil
    }

    /// Everything from the current position to the end; nil after an error.
    func readAll() -> [UInt8]? {
        var bytes: [UInt8] = []
        // One byte more than the file has, so that the usual file is read to its end by two calls.
        let chunk = max(4096, Int(status()?.st_size ?? 0) + 1)
        while true {
            let filled = bytes.count
            var got = 0
            bytes.append(
                contentsOf: [UInt8](unsafeUninitializedCapacity: chunk) { buffer, count in
                    got = retryingInterrupted { read(number, buffer.baseAddress, chunk) }
                    count = max(got, 0)
                })
            if got < 0 { return nil }
            if bytes.count == filled { return bytes }
        }
    }

    func writeAll(_ bytes: [UInt8]) -> Bool {
        bytes.withUnsafeBytes { buffer in
            var rest = buffer[...]
            while !rest.isEmpty {
                let slice = UnsafeRawBufferPointer(rebasing: rest)
                let written = retryingInterrupted { write(number, slice.baseAddress, slice.count) }
                guard written > 0 else { return false }
                rest = rest.dropFirst(written)
            }
            return true
        }
    }
}

/// Repeats a system call for as long as a signal interrupts it.
func retryingInterrupted<Number: SignedInteger>(_ call: () -> Number) -> Number {
    while true {
        let result = call()
        if result != -1 || errno != EINTR { return result }
    }
}

/// The system's words for an error number, such as "Permission denied".
func systemMessage(_ code: Int32) -> String {
    String(cString: strerror(code))
}

/// A small text file of the system (`/proc`, `/sys`); nil where it cannot be read.
func contents(ofFile path: String) -> String? {
    guard let file = Descriptor(open(path, O_RDONLY | O_CLOEXEC)), let bytes = file.readAll() else { return nil }
    return String(decoding: bytes, as: UTF8.self)
}

/// A path with every link followed; nil where there is nothing.
func resolved(_ path: String) -> String? {
    guard let resolved = realpath(path, nil) else { return nil }
    defer { free(resolved) }
    return String(cString: resolved)
}

/// The folder of an absolute path.
func containingFolder(_ path: String) -> String {
    path.split(separator: "/").dropLast().map { "/" + $0 }.joined()
}

/// The names in a folder, sorted; none where it cannot be read.
func names(inFolder path: String) -> [String] {
    guard let listing = opendir(path) else { return [] }
    defer { closedir(listing) }
    var names: [String] = []
    while let entry = readdir(listing) {
        names.append(entry.pointee.name)
    }
    return names.filter { $0 != "." && $0 != ".." }.sorted()
}

extension dirent {
    var name: String {
        withUnsafeBytes(of: d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
}

extension stat {
    var isRegularFile: Bool { st_mode & S_IFMT == S_IFREG }
    var isDirectory: Bool { st_mode & S_IFMT == S_IFDIR }

    /// Ours, and nobody else may write to it: the condition for executing what it holds.
    var isOursAlone: Bool { st_uid == geteuid() && st_mode & 0o022 == 0 }

    var modified: timespec {
        #if canImport(Darwin)
        st_mtimespec
        #else
        st_mtim
        #endif
    }
}
