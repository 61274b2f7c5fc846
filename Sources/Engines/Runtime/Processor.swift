#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// The processor that this process runs on, as the system describes it.
package struct Processor: Sendable {
    /// The maker as x86 processors name it: "AuthenticAMD", "GenuineIntel"; empty on others.
    package let vendor: String
    /// The maker's name for it, such as "AMD EPYC 9R14".
    package let modelName: String
    /// The instruction set extensions that both the processor and the system support, in Linux's spelling ("avx2", "fma", "asimd").
    package let features: Set<String>

    package static let host = Processor.detect()

    package init(vendor: String = "", modelName: String, features: Set<String>) {
        self.vendor = vendor
        self.modelName = modelName
        self.features = features
    }

    /// All features in one line: part of a kernel's address in the cache, which a cluster's machines may share.
    var featureString: String { features.sorted().joined(separator: " ") }

    /// Whether additions have execution units of their own, as on AMD's Zen (and Hygon's, which is one): a subtraction then costs
    /// nothing beside a multiply-add. On Intel's and ARM's it takes the place of one.
    var addsBesideMultiplying: Bool { vendor == "AuthenticAMD" || vendor == "HygonGenuine" }

    /// The second-level cache, which a core shares with none or few others. A usual size where the system does not tell.
    package static let privateCacheBytes: Int = {
        #if canImport(Glibc)
        let size = sysconf(Int32(_SC_LEVEL2_CACHE_SIZE))
        if size >= 128 << 10 { return size }
        #endif
        return 512 << 10
    }()

    private static func detect() -> Processor {
        #if canImport(Darwin)
        // Intel Macs list features in capitals, in two places; on Apple silicon every machine has what we use.
        let lists = ["machdep.cpu.features", "machdep.cpu.leaf7_features"].compactMap(systemText)
        return Processor(
            vendor: systemText("machdep.cpu.vendor") ?? "", modelName: systemText("machdep.cpu.brand_string") ?? "unknown",
            features: Set(lists.joined(separator: " ").lowercased().split(separator: " ").map(String.init)))
        #else
        return Processor(processorInformation: contents(ofFile: "/proc/cpuinfo") ?? "")
        #endif
    }

    /// Reads the text of Linux's `/proc/cpuinfo`, as written by x86 ("flags") and ARM ("Features") kernels.
    init(processorInformation text: String) {
        func value(_ names: String...) -> String? {
            for line in text.split(separator: "\n") {
                guard let colon = line.firstIndex(of: ":") else { continue }
                let name = line[..<colon].trimmingWhitespace
                if names.contains(name) { return line[line.index(after: colon)...].trimmingWhitespace }
            }
            return nil
        }
        let arm = value("CPU implementer").map { "ARM implementer \($0) part \(value("CPU part") ?? "unknown")" }
        vendor = value("vendor_id") ?? ""
        modelName = value("model name") ?? arm ?? "unknown"
        features = Set((value("flags", "Features") ?? "").split(separator: " ").map(String.init))
    }

    #if canImport(Darwin)
    private static func systemText(_ name: String) -> String? {
        var size = 0
        guard sysctlbyname(name, nil, &size, nil, 0) == 0, size > 0 else { return nil }
        var bytes = [UInt8](repeating: 0, count: size)
        guard sysctlbyname(name, &bytes, &size, nil, 0) == 0 else { return nil }
        return String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
    #endif
}

extension StringProtocol {
    /// The text without white space at its ends.
    var trimmingWhitespace: String {
        guard let first = firstIndex(where: { !$0.isWhitespace }), let last = lastIndex(where: { !$0.isWhitespace })
        else { return "" }
        return String(self[first...last])
    }
}
