#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// The folder where compiled kernels outlive the process.
///
/// What lies here is executed, so the folder and each file must belong to this user and be writable by nobody else; both are asked of the opened
/// file, at every use. Files appear by `rename` from a temporary name and are never changed after, so processes need no locks among themselves.
/// Each file ends in a seal, a digest of what comes before: a file cut short by a full disk or a crash is known as such (mapping it would be a
/// bus error).
package struct CacheFolder: Sendable {
    package let path: String
    /// Why this is a private temporary folder, removed at exit, and not the usual one; nil if it is the usual one.
    package let fallbackReason: String?

    /// The name of a file of ours: what it is, and a digest as 64 hexadecimal digits.
    enum Name {
        case library(String)
        /// For a device with a compiler of its own.
        case deviceCode(String)
        case note(String)

        var text: String {
            switch self {
            case .library(let digest): digest + Self.libraryEnding
            case .deviceCode(let digest): digest + Self.deviceCodeEnding
            case .note(let digest): digest + Self.noteEnding
            }
        }

        static let libraryEnding = ".so", deviceCodeEnding = ".device", noteEnding = ".note", temporaryBeginning = "khufu-tmp-"

        /// Whether a file in the folder is ours to delete.
        static func isOurs(_ text: String) -> Bool {
            if text.hasPrefix(temporaryBeginning) { return true }
            guard let ending = [libraryEnding, deviceCodeEnding, noteEnding].first(where: text.hasSuffix) else { return false }
            let digest = text.utf8.dropLast(ending.utf8.count)
            return digest.count == 64 && digest.allSatisfy { "0123456789abcdef".utf8.contains($0) }
        }
    }

    /// The user's folder, made if need be; where it cannot be had or is not safe, a private one for this process.
    package static func prepare(
        environment: [String: String] = ProcessEnvironment.current
    ) throws(CompilationError) -> CacheFolder {
        let reason: String
        if let usual = usualPath(environment) {
            do throws(Problem) {
                try requireRoomToExecute(try openDirectory(usual, creating: true))
                return CacheFolder(path: absolute(usual), fallbackReason: nil)
            } catch {
                reason = "\(usual) \(error.description)"
            }
        } else {
            reason = "HOME is not set"
        }
        guard let temporary = makeTemporaryFolder(environment) else {
            throw .noFolder(reason: "\(reason), and no temporary folder can be made (\(systemMessage(errno)))")
        }
        return CacheFolder(path: temporary, fallbackReason: reason)
    }

    private static func usualPath(_ environment: [String: String]) -> String? {
        if let chosen = environment.setting("KHUFU_CACHE_DIR") { return chosen }
        // The XDG specification has relative paths ignored.
        if let caches = environment.setting("XDG_CACHE_HOME"), caches.hasPrefix("/") { return caches + "/khufu" }
        #if canImport(Darwin)
        return environment.setting("HOME").map { $0 + "/Library/Caches/khufu" }
        #else
        return environment.setting("HOME").map { $0 + "/.cache/khufu" }
        #endif
    }

    // MARK: Files

    /// The path of a file; what is there may change at any time.
    func path(of name: Name) -> String { "\(path)/\(name.text)" }

    /// A path in the folder that nobody else uses.
    func temporaryPath() -> String {
        let unique = String(UInt64.random(in: 0 ... .max), radix: 36)
        return "\(path)/\(Name.temporaryBeginning)\(getpid())-\(unique)"
    }

    /// What a file holds, without its seal, if it is there, safe and whole. A file that is not is deleted.
    func contents(of name: Name) -> [UInt8]? {
        guard let directory = try? Self.openDirectory(path, creating: false) else { return nil }
        let opened = Descriptor(openat(directory.number, name.text, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC))
        guard let file = opened else { return nil }
        guard let status = file.status(), status.isRegularFile, status.isOursAlone,
            let payload = file.readAll().flatMap(Seal.opened)
        else {
            unlinkat(directory.number, name.text, 0)
            return nil
        }
        // The time of last use decides what is deleted first. Set once a day, not at every use.
        if time(nil) - status.modified.tv_sec > 24 * 3600 { futimens(file.number, nil) }
        return payload
    }

    /// The library of that name, if it is there, safe, whole and loadable.
    func library(_ digest: String) -> SharedLibrary? {
        let name = Name.library(digest)
        guard contents(of: name) != nil else { return nil }
        if let library = try? SharedLibrary(path: path(of: name)) { return library }
        unlink(path(of: name))
        return nil
    }

    /// Writes a file, if that can be done: what is not kept is made again.
    func keep(_ contents: [UInt8], as name: Name) {
        let temporary = temporaryPath()
        guard let file = Descriptor(open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)) else { return }
        if !(file.writeAll(contents) && publish(temporary, as: name)) { unlink(temporary) }
    }

    /// Seals a file written under a temporary path and gives it its name. False if it cannot be kept; the caller then deletes it.
    func publish(_ temporary: String, as name: Name) -> Bool {
        guard let file = Descriptor(open(temporary, O_RDWR | O_NOFOLLOW | O_CLOEXEC)),
            let payload = file.readAll(), file.writeAll(Seal.of(payload)),
            // A compiler makes its output as the umask says, which may let the group write.
            fchmod(file.number, 0o700) == 0
        else { return false }
        return rename(temporary, path(of: name)) == 0
    }
}

// MARK: - Seals

/// The end of every file in the folder: a mark and the digest of all before it. The system's loader does not mind bytes after a library's end.
private enum Seal {
    private static let mark = Array("khufu-01".utf8)
    private static let size = mark.count + 32

    static func of(_ payload: [UInt8]) -> [UInt8] { mark + SHA256.digest(of: payload) }

    /// The payload of a whole file; nil for any other.
    static func opened(_ bytes: [UInt8]) -> [UInt8]? {
        guard bytes.count >= size else { return nil }
        let payload = Array(bytes.dropLast(size))
        return bytes.suffix(size).elementsEqual(of(payload)) ? payload : nil
    }
}

// MARK: - The folder itself

extension CacheFolder {
    /// Why a folder is not used, to follow its name in a sentence.
    struct Problem: Error {
        let description: String
    }

    /// Opens a folder that is ours alone to write, making it and what is above it if asked.
    static func openDirectory(_ path: String, creating: Bool) throws(Problem) -> Descriptor {
        if creating { makeFolders(path) }
        guard let directory = Descriptor(open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)) else {
            throw Problem(description: "cannot be opened as a folder (\(systemMessage(errno)))")
        }
        guard let status = directory.status(), status.isDirectory else { throw Problem(description: "is not a folder") }
        guard status.st_uid == geteuid() else { throw Problem(description: "belongs to another user") }
        guard status.isOursAlone else { throw Problem(description: "may be written to by others (chmod go-w mends that)") }
        guard faccessat(directory.number, ".", W_OK | X_OK, 0) == 0 else {
            throw Problem(description: "is not writable (\(systemMessage(errno)))")
        }
        return directory
    }

    /// Refuses a file system that is full or forbids execution: better to compile elsewhere than to fail at every kernel.
    private static func requireRoomToExecute(_ directory: borrowing Descriptor) throws(Problem) {
        var system = statvfs()
        guard fstatvfs(directory.number, &system) == 0 else { return }
        #if os(Linux)
        let forbidden: UInt = 8  // ST_NOEXEC, which Swift's C library modules leave out
        guard system.f_flag & forbidden == 0 else { throw Problem(description: "lies where execution is forbidden (noexec)") }
        #endif
        guard UInt64(system.f_bavail) * UInt64(system.f_frsize) >= 1 << 20 else {
            throw Problem(description: "lies on a full disk")
        }
    }

    /// `mkdir -p`, with nothing for others. Failures show when the folder is opened.
    private static func makeFolders(_ path: String) {
        var partial = path.hasPrefix("/") ? "" : "."
        for component in path.split(separator: "/") {
            partial += "/" + component
            mkdir(partial, 0o700)
        }
    }

    private static func absolute(_ path: String) -> String {
        resolved(path) ?? path
    }

    private static func makeTemporaryFolder(_ environment: [String: String]) -> String? {
        for parent in [environment.setting("TMPDIR"), "/tmp"].compactMap({ $0 }) {
            var template = Array("\(parent)/khufu-XXXXXX".utf8CString)
            guard mkdtemp(&template) != nil else { continue }
            let path = absolute(String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self))
            TemporaryFolders.removeAtExit(path)
            return path
        }
        return nil
    }
}
