#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

extension ThreadPool {
    /// How many threads a call uses unless told otherwise: what this process may really use, found once.
    package static let defaultThreadCount = threadCount(environment: ProcessEnvironment.current)

    /// `KHUFU_NUM_THREADS` if it is a whole number from 1 up; otherwise the processors that this process may run on, or fewer where its control
    /// group has a quota: more threads than that only take turns being stopped.
    package static func threadCount(environment: [String: String]) -> Int {
        if let asked = environment.setting("KHUFU_NUM_THREADS").flatMap({ Int($0) }), asked >= 1 { return asked }
        return max(1, min(usableProcessors, controlGroupQuota() ?? .max))
    }

    /// The processors in this process's affinity mask (`taskset`, job schedulers), or those online where there is no such mask.
    ///
    /// Read as text because Swift's C library modules leave `sched_getaffinity` out: "Cpus_allowed:" and a bit mask in hexadecimal.
    private static var usableProcessors: Int {
        let lines = contents(ofFile: "/proc/self/status")?.split(separator: "\n") ?? []
        let mask = lines.first { $0.hasPrefix("Cpus_allowed:") }?.dropFirst("Cpus_allowed:".count) ?? ""
        let allowed = mask.reduce(0) { $0 + ($1.hexDigitValue?.nonzeroBitCount ?? 0) }
        return allowed > 0 ? allowed : Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))
    }

    /// The smallest processor quota of this process's control groups (version 2), rounded up to whole processors; nil without one.
    ///
    /// - Parameters: the two places of the kernel's interface, replaceable by tests.
    static func controlGroupQuota(
        membership: String = "/proc/self/cgroup", root: String = "/sys/fs/cgroup"
    ) -> Int? {
        guard let line = contents(ofFile: membership)?.split(separator: "\n").first(where: { $0.hasPrefix("0::/") })
        else { return nil }
        // A quota on any ancestor binds: ask each, from the root of the hierarchy down.
        var folder = root
        var quotas = [quota(in: folder)]
        for component in line.dropFirst("0::/".count).split(separator: "/") {
            folder += "/" + component
            quotas.append(quota(in: folder))
        }
        return quotas.compactMap { $0 }.min()
    }

    /// Reads `cpu.max`: "200000 100000" grants 200 of every 100 ms, thus two processors; "max 100000" has no limit.
    private static func quota(in folder: String) -> Int? {
        let numbers = contents(ofFile: folder + "/cpu.max")?.split(whereSeparator: \.isWhitespace).map { Int($0) }
        guard let numbers, numbers.count == 2, let granted = numbers[0], let period = numbers[1], period > 0
        else { return nil }
        return max(1, (granted + period - 1) / period)
    }
}
