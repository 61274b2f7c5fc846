#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// A file being written: it appears under its name only when it is complete.
///
/// The bytes go to a temporary file beside the target that is renamed at the end, so a run that fails half-way leaves an
/// older result untouched. A target that exists and is no regular file (`/dev/stdout`, a pipe) is written directly.
package struct FileWriter: ~Copyable {
    package let path: String
    private let temporaryPath: String?
    private let descriptor: Int32
    private var isFinished = false

    package init(_ path: String) throws(FileError) {
        var status = stat()
        let exists = stat(path, &status) == 0
        if exists, status.st_mode & S_IFMT == S_IFDIR {
            throw FileError(path, .notWritable(found: "a folder"))
        }
        let isDirect = exists && status.st_mode & S_IFMT != S_IFREG
        // Through a symbolic link the file that it names is replaced, not the link.
        let target = exists ? Self.resolvingLinks(path) : path
        let temporaryPath = isDirect ? nil : "\(target).\(getpid()).\(UInt32.random(in: 0 ... .max)).part"
        let flags = isDirect ? O_WRONLY | O_CLOEXEC : O_WRONLY | O_CLOEXEC | O_CREAT | O_EXCL
        if let temporaryPath { PartialFiles.insert(temporaryPath) }
        let descriptor = open(temporaryPath ?? path, flags, 0o666)
        guard descriptor >= 0 else {
            let code = errno
            if let temporaryPath { PartialFiles.remove(temporaryPath) }
            throw FileError(path, .system("write", code: code))
        }
        self.path = target
        self.temporaryPath = temporaryPath
        self.descriptor = descriptor
    }

    /// Whether a file of this name can be made, as far as that can be told without making it: asked before a long computation.
    package static func check(_ path: String) throws(FileError) {
        var status = stat()
        if stat(path, &status) == 0 {
            if status.st_mode & S_IFMT == S_IFDIR { throw FileError(path, .notWritable(found: "a folder")) }
            return
        }
        let folder = path.contains("/") ? String(path[...path.lastIndex(of: "/")!]) : "."
        if access(folder, W_OK | X_OK) != 0 { throw FileError(path, .system("write", code: errno)) }
    }

    private static func resolvingLinks(_ path: String) -> String {
        guard let resolved = realpath(path, nil) else { return path }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    deinit {
        close(descriptor)
        guard let temporaryPath else { return }
        if !isFinished { unlink(temporaryPath) }
        PartialFiles.remove(temporaryPath)
    }

    package func write(_ bytes: UnsafeRawBufferPointer) throws(FileError) {
        var written = 0
        while written < bytes.count {
            let count = systemWrite(descriptor, bytes.baseAddress! + written, bytes.count - written)
            if count < 0 {
                if errno == EINTR { continue }
                throw FileError(path, .system("write", code: errno))
            }
            written += count
        }
    }

    package func write<Element: BitwiseCopyable>(_ elements: [Element]) throws(FileError) {
        var outcome = Result<Void, FileError>.success(())
        elements.withUnsafeBytes { memory in
            do throws(FileError) { try write(memory) } catch { outcome = .failure(error) }
        }
        try outcome.get()
    }

    package func write(_ text: String) throws(FileError) {
        try write(Array(text.utf8))
    }

    /// Gives the file its name. Without this call nothing of it remains.
    package mutating func finish() throws(FileError) {
        if let temporaryPath, rename(temporaryPath, path) != 0 {
            throw FileError(path, .system("write", code: errno))
        }
        isFinished = true
    }
}

// Named apart from the methods that would hide it.
private let systemWrite = write
