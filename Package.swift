// swift-tools-version: 6.1
import PackageDescription

let real = Target.Dependency.product(name: "RealModule", package: "swift-numerics")

// The targets in the order of the data's way: each imports only those above it.
let package = Package(
    name: "khufu",
    platforms: [.macOS(.v15)],
    products: [
        .library(name: "Khufu", targets: ["Khufu"]),
        .library(name: "KhufuC", type: .dynamic, targets: ["KhufuC"]),
        .executable(name: "khufu", targets: ["KhufuTool"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-numerics", from: "1.1.1"),
    ],
    targets: [
        .target(name: "Formulas", dependencies: [real], exclude: ["README.md"]),
        .target(name: "Kernels", dependencies: ["Formulas", real], exclude: ["README.md"]),
        .target(name: "Engines", dependencies: ["Formulas", "Kernels", real], exclude: ["README.md"]),
        .target(name: "ArrayFiles", exclude: ["README.md"]),
        .target(
            name: "Khufu", dependencies: ["Formulas", "Kernels", "Engines", "ArrayFiles", real], exclude: ["README.md"]),

        // The library for other languages: what its header says, in Swift.
        .target(name: "KhufuHeader"),
        .target(
            name: "KhufuC", dependencies: ["Formulas", "Kernels", "Engines", "Khufu", "KhufuHeader"], exclude: ["README.md"]),

        // Around the library: pictures and data for the tool and the examples. Foundation is used from here on.
        .target(name: "Pictures", dependencies: ["ArrayFiles"], exclude: ["README.md"]),
        .target(name: "SampleData", dependencies: ["ArrayFiles"], exclude: ["README.md"], resources: [.copy("Data")]),
        .target(
            name: "Examples", dependencies: ["Khufu", "Pictures", "SampleData", real], path: "Examples",
            exclude: ["README.md", "Pictures"]),
        .executableTarget(
            name: "KhufuTool",
            dependencies: [
                "Khufu", "ArrayFiles", "Pictures", "SampleData", "Examples",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            exclude: ["README.md"]),

        .target(name: "RandomNumbers", path: "Tests/RandomNumbers"),
        .target(name: "FormulaGeneration", dependencies: ["Formulas", "RandomNumbers"], path: "Tests/FormulaGeneration"),
        .target(
            name: "OracleSupport", dependencies: ["Formulas", "Kernels", "Engines", "RandomNumbers"],
            path: "Tests/OracleSupport"),
        .target(name: "NVIDIASupport", dependencies: ["Engines"], path: "Tests/NVIDIASupport"),
        .testTarget(name: "FormulasTests", dependencies: ["Formulas", "FormulaGeneration", "RandomNumbers"]),
        .testTarget(name: "KernelsTests", dependencies: ["Kernels"]),
        .testTarget(name: "EnginesTests", dependencies: ["Engines", "NVIDIASupport", "RandomNumbers"], exclude: ["FakeCUDA"]),
        .testTarget(
            name: "OracleTests",
            dependencies: ["Engines", "FormulaGeneration", "NVIDIASupport", "OracleSupport", "RandomNumbers"]),
        .testTarget(name: "KhufuTests", dependencies: ["Khufu", "RandomNumbers", real]),
        .testTarget(name: "KhufuCTests", dependencies: ["KhufuC", "KhufuHeader"]),
        .testTarget(name: "ExamplesTests", dependencies: ["Examples", "Khufu", "SampleData", real]),
        .testTarget(name: "KhufuToolTests", dependencies: ["Khufu", "KhufuTool", "ArrayFiles", "Pictures", "SampleData"]),
    ]
)
