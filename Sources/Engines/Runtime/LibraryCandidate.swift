/// A place where a vendor's library may be, and what became of trying it.
package struct LibraryCandidate: Sendable, Equatable, CustomStringConvertible {
    package enum Verdict: Sendable, Equatable {
        /// It works; what it is, such as "CUDA 13.0".
        case works(String)
        /// There is something, which is of no use.
        case refused(String)
        /// There is nothing.
        case absent(String)
    }

    package let path: String
    /// Why it was considered, such as "named by KHUFU_NVRTC".
    package let origin: String
    package let verdict: Verdict

    package var description: String {
        switch verdict {
        case .works(let nature): "\(path) (\(origin)): \(nature)"
        case .refused(let reason), .absent(let reason): "\(path) (\(origin)) \(reason)"
        }
    }
}

/// A place where a vendor's library may be.
struct LibraryPlace: Hashable, Sendable {
    /// A path, or a name for the system's loader to look up.
    var path: String
    var origin: String
    /// Only a library that the process has loaded already counts.
    var isOnlyIfLoaded = false
    /// Why there is nothing to try, where the search has seen that; follows the path in a sentence.
    var absence: String?

    /// Why a library is not used.
    struct Refusal: Error {
        var verdict: LibraryCandidate.Verdict
    }

    /// Opens the library and makes of it what declares its functions.
    func open<Library>(
        _ make: (SharedLibrary) throws(SharedLibrary.LoadingError) -> Library
    ) throws(Refusal) -> Library {
        let library = try open()
        do throws(SharedLibrary.LoadingError) {
            return try make(library)
        } catch {
            throw Refusal(verdict: .refused(error.reason))
        }
    }

    private func open() throws(Refusal) -> SharedLibrary {
        if let absence { throw Refusal(verdict: .absent(absence)) }
        do throws(SharedLibrary.LoadingError) {
            return isOnlyIfLoaded ? try SharedLibrary(loaded: path) : try SharedLibrary(path: path)
        } catch {
            if isOnlyIfLoaded { throw Refusal(verdict: .absent(error.reason)) }
            // The loader's sentence begins with the path, which the report has said; that of a library which this one lacks is another's.
            guard error.reason.hasPrefix("\(path): ") else {
                throw Refusal(verdict: .refused("cannot be loaded (\(error.reason))"))
            }
            let reason = error.reason.dropFirst("\(path): ".count)
            let isThere = !reason.contains("No such file or directory")
            throw Refusal(verdict: isThere ? .refused("cannot be loaded (\(reason))") : .absent("is not there"))
        }
    }

    func candidate(_ verdict: LibraryCandidate.Verdict) -> LibraryCandidate {
        LibraryCandidate(path: path, origin: origin, verdict: verdict)
    }
}

extension [LibraryCandidate] {
    /// Those worth telling in a short sentence: where something was, or what the user named.
    var notable: [LibraryCandidate] {
        count == 1 ? self : filter { if case .absent = $0.verdict { false } else { true } }
    }
}
