/// Where Python keeps its packages, found without running Python: some packages are vendors' libraries.
enum PythonFolders {
    /// The existing folders of packages, those of the environment in use first.
    ///
    /// - Parameters:
    ///   - environment: `KHUFU_SITE_PACKAGES` (which Khufu's Python package sets to `sys.path`'s folders), `PYTHONPATH`, `VIRTUAL_ENV`,
    ///     `CONDA_PREFIX`, `PATH` and `HOME` are looked up.
    ///   - program: the running program, which may be Python.
    static func sitePackages(_ environment: [String: String], program: String = "/proc/self/exe") -> [String] {
        let named = environment.paths("KHUFU_SITE_PACKAGES") + environment.paths("PYTHONPATH")
        let installed = prefixes(environment, program).flatMap(packageFolders)
        var seen: Set<String> = []
        return (named + installed).filter { folder in
            resolved(folder).map { seen.insert($0).inserted } ?? false
        }
    }

    /// Folders that have `lib/python3.x` below them.
    private static func prefixes(_ environment: [String: String], _ program: String) -> [String] {
        let active = environment.paths("VIRTUAL_ENV") + environment.paths("CONDA_PREFIX")
        let running = resolved(program).flatMap { $0.split(separator: "/").last?.hasPrefix("python") == true ? $0 : nil }
        let onPath = ["python3", "python"].compactMap(environment.program)
        // A virtual environment's Python is a link to the one that it was made of, whose packages count as well.
        let pythons = [running].compactMap { $0 } + onPath.flatMap { [$0, resolved($0) ?? $0] }
        let users = environment.paths("HOME").map { $0 + "/.local" }
        return active + pythons.map { containingFolder(containingFolder($0)) } + users + ["/usr/local", "/usr"]
    }

    private static func packageFolders(of prefix: String) -> [String] {
        ["lib", "lib64"].flatMap { library in
            names(inFolder: "\(prefix)/\(library)").filter { $0.hasPrefix("python3") }.reversed().flatMap { python in
                ["site-packages", "dist-packages"].map { "\(prefix)/\(library)/\(python)/\($0)" }
            }
        }
    }
}
