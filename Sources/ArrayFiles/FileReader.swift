#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// A regular file opened for reading, front to back, into memory that the caller owns.
///
/// Plain `read` calls: a file that shrinks while it is mapped kills the process, so mapping is for those who ask for it. The length is
/// known from the start, so formats can check what a header promises before anything is allocated.
package struct FileReader: ~Copyable {
    package let path: String
    /// The file's length in bytes when it was opened.
    package let size: Int
    private let descriptor: Int32

    package init(_ path: String) throws(FileError) {
        // Without O_NONBLOCK, opening a named pipe would wait for a writer before we can see that it is no file.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw FileError(path, .system("open", code: errno)) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            let code = errno
            close(descriptor)
            throw FileError(path, .system("inspect", code: code))
        }
        let kind = status.st_mode & S_IFMT
        guard kind == S_IFREG else {
            close(descriptor)
            throw FileError(path, .notReadable(found: kind == S_IFDIR ? "a folder" : "a device or pipe"))
        }
        self.path = path
        self.size = Int(status.st_size)
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }

    /// Fills `buffer` and returns how many bytes were read: fewer than fit only at the end of the file.
    package func read(into buffer: UnsafeMutableRawBufferPointer) throws(FileError) -> Int {
        var filled = 0
        while filled < buffer.count {
            let count = systemRead(descriptor, buffer.baseAddress! + filled, buffer.count - filled)
            if count == 0 { break }
            if count < 0 {
                if errno == EINTR { continue }
                throw FileError(path, .system("read", code: errno))
            }
            filled += count
        }
        return filled
    }

    /// The whole file in memory, to be given to ``unmap(_:)``. Pages are read when they are touched, and dropped again where memory
    /// is short, so the file may be larger than memory.
    package func map() throws(FileError) -> UnsafeRawBufferPointer {
        // Private and read-only: nothing is written, here or in the file.
        guard let base = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0), base != MAP_FAILED else {
            throw FileError(path, .system("map", code: errno))
        }
        return UnsafeRawBufferPointer(start: base, count: size)
    }

    package static func unmap(_ memory: UnsafeRawBufferPointer) {
        munmap(UnsafeMutableRawPointer(mutating: memory.baseAddress!), memory.count)
    }

    /// The next `count` bytes, or fewer at the end of the file.
    package func bytes(_ count: Int) throws(FileError) -> [UInt8] {
        var result = [UInt8](repeating: 0, count: count)
        let filled = try fill(&result)
        result.removeLast(count - filled)
        return result
    }

    /// Fills the memory of `elements` and returns the number of bytes read.
    package func fill<Element: BitwiseCopyable>(_ elements: inout [Element]) throws(FileError) -> Int {
        var outcome = Result<Int, FileError>.success(0)
        elements.withUnsafeMutableBytes { memory in
            do throws(FileError) { outcome = .success(try read(into: memory)) } catch { outcome = .failure(error) }
        }
        return try outcome.get()
    }
}

// Named apart from the method that would hide it.
private let systemRead = read

/// The system's words for an error number, without the number.
package func systemMessage(_ code: Int32) -> String {
    String(cString: strerror(code))
}
