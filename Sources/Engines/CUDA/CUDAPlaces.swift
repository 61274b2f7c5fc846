/// Where the libraries of CUDA may be, in order of preference.
enum CUDAPlaces {
    /// The driver's, which comes with the driver and nothing else.
    static func driver(_ environment: [String: String]) -> [LibraryPlace] {
        if let named = environment.setting("KHUFU_LIBCUDA") {
            return [LibraryPlace(path: named, origin: "named by KHUFU_LIBCUDA")]
        }
        // Beside the usual place: Windows' Linux, containers, NixOS.
        let folders = ["/usr/lib/wsl/lib", "/usr/local/nvidia/lib64", "/run/opengl-driver/lib"]
        return [LibraryPlace(path: "libcuda.so.1", origin: "of the system")]
            + folders.map { LibraryPlace(path: "\($0)/libcuda.so.1", origin: "in a usual folder") }
    }

    /// NVRTC's, the compiler as a library: of Python packages, loaded by others such as torch, or of an installed toolkit.
    ///
    /// - Parameters: beside the environment, places that tests replace.
    static func compiler(
        _ environment: [String: String], sitePackages: [String]? = nil, toolkits: [String]? = nil
    ) -> [LibraryPlace] {
        if let named = environment.setting("KHUFU_NVRTC") {
            return [LibraryPlace(path: named, origin: "named by KHUFU_NVRTC")]
        }
        let packaged = (sitePackages ?? PythonFolders.sitePackages(environment)).flatMap(packaged)
        let names = ["libnvrtc.so.13", "libnvrtc.so.12", "libnvrtc.so.11.2"]
        let loaded = names.map { LibraryPlace(path: $0, origin: "loaded by another library", isOnlyIfLoaded: true) }
        let system = (names + ["libnvrtc.so"]).map { LibraryPlace(path: $0, origin: "of the system") }
        let installed = (toolkits ?? toolkitFolders(environment)).flatMap { folder in
            libraries(in: [folder]).map { LibraryPlace(path: $0, origin: "of a CUDA toolkit") }
        }
        return packaged + loaded + system + installed
    }

    /// NVRTC in a folder of Python packages: `nvidia/cu13/lib/libnvrtc.so.13`, `nvidia/cuda_nvrtc/lib/libnvrtc.so.12`.
    private static func packaged(in folder: String) -> [LibraryPlace] {
        let packages = names(inFolder: folder + "/nvidia").filter { $0.hasPrefix("cu") }
        let found = libraries(in: packages.map { "\(folder)/nvidia/\($0)/lib" })
        guard !found.isEmpty else {
            return [LibraryPlace(path: folder, origin: "Python packages", absence: "has no nvidia/*/lib/libnvrtc.so.*")]
        }
        return found.map { LibraryPlace(path: $0, origin: "a Python package") }
    }

    private static func toolkitFolders(_ environment: [String: String]) -> [String] {
        let named = ["CUDA_HOME", "CUDA_PATH", "CONDA_PREFIX"].flatMap(environment.paths).flatMap {
            ["\($0)/lib64", "\($0)/lib"]
        }
        let usual = names(inFolder: "/usr/local").filter { $0.hasPrefix("cuda") }.map { "/usr/local/\($0)/lib64" }
        return named + usual + ["/opt/cuda/lib64"]
    }

    /// The libraries of NVRTC in some folders, newest first, each once though links name it too.
    private static func libraries(in folders: [String]) -> [String] {
        let beginning = "libnvrtc.so"
        func version(_ path: String) -> [Int] {
            path.split(separator: "/").last!.dropFirst(beginning.count).split(separator: ".").map { Int($0) ?? 0 }
        }
        let found = folders.flatMap { folder in
            names(inFolder: folder).filter { $0.hasPrefix(beginning) }.map { "\(folder)/\($0)" }
        }
        var seen: Set<String> = []
        return found.sorted { version($1).lexicographicallyPrecedes(version($0)) }
            .filter { path in resolved(path).map { seen.insert($0).inserted } ?? false }
    }
}
