import Synchronization

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

extension CacheFolder {
    /// Deletes every file of ours, and no other. Libraries in use stay mapped.
    package func clear() -> (files: Int, bytes: Int) {
        delete(entries())
    }

    /// How much is there.
    package func contentsSize() -> (files: Int, bytes: Int) {
        let entries = entries()
        return (entries.count, entries.reduce(0) { $0 + $1.bytes })
    }

    /// Deletes what was unused longest until a quarter of the limit is free again, if there is more than the limit; and temporary files an hour old,
    /// whose makers must have died.
    func trim(to limit: Int) {
        let all = entries()
        let anHourAgo = time(nil) - 3600
        let abandoned = all.filter { $0.name.hasPrefix(Name.temporaryBeginning) && $0.modified < anHourAgo }
        _ = delete(abandoned)

        var excess = all.reduce(0) { $0 + $1.bytes } - limit
        guard excess > 0 else { return }
        excess += limit / 4
        let kept = all.filter { !$0.name.hasPrefix(Name.temporaryBeginning) }.sorted { $0.modified < $1.modified }
        let doomed = kept.prefix { entry in
            defer { excess -= entry.bytes }
            return excess > 0
        }
        _ = delete(Array(doomed))
    }

    private struct Entry {
        let name: String
        let bytes: Int
        let modified: time_t
    }

    /// The files that are ours, by name and nature.
    private func entries() -> [Entry] {
        guard let directory = try? Self.openDirectory(path, creating: false),
            let listing = fdopendir(dup(directory.number))
        else { return [] }
        defer { closedir(listing) }
        rewinddir(listing)
        var entries: [Entry] = []
        while let entry = readdir(listing) {
            let name = entry.pointee.name
            var status = stat()
            guard Name.isOurs(name), fstatat(directory.number, name, &status, AT_SYMLINK_NOFOLLOW) == 0,
                status.isRegularFile
            else { continue }
            entries.append(Entry(name: name, bytes: Int(status.st_size), modified: status.modified.tv_sec))
        }
        return entries
    }

    private func delete(_ entries: [Entry]) -> (files: Int, bytes: Int) {
        guard let directory = try? Self.openDirectory(path, creating: false) else { return (0, 0) }
        var freed = (files: 0, bytes: 0)
        for entry in entries where unlinkat(directory.number, entry.name, 0) == 0 {
            freed.files += 1
            freed.bytes += entry.bytes
        }
        return freed
    }
}

/// The private folders of this process, removed when it exits.
enum TemporaryFolders {
    private static let paths = Mutex<[(process: pid_t, path: String)]>([])
    private static let registration: Int32 = atexit { TemporaryFolders.removeAll() }

    static func removeAtExit(_ path: String) {
        _ = registration
        paths.withLock { $0.append((getpid(), path)) }
    }

    /// Only the maker's: a forked child that exits must not take its parent's folder along.
    private static func removeAll() {
        let ours = paths.withLockIfAvailable { $0.filter { $0.process == getpid() } } ?? []
        for (_, path) in ours {
            _ = CacheFolder(path: path, fallbackReason: "temporary").clear()
            rmdir(path)
        }
    }
}
