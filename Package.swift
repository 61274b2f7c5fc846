// swift-tools-version: 6.1
import PackageDescription

let package = Package(
    name: "khufu",
    platforms: [.macOS(.v15)],
    products: [
        .library(name: "Khufu", targets: ["Khufu"]),
        .executable(name: "khufu", targets: ["KhufuTool"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-numerics", from: "1.1.1"),
        .package(url: "https://github.com/swiftcsv/SwiftCSV", from: "0.10.0"),
    ],
    targets: [
        .target(name: "Formulas", dependencies: [.product(name: "RealModule", package: "swift-numerics")]),
        .target(name: "Kernels", dependencies: ["Formulas", .product(name: "RealModule", package: "swift-numerics")]),
        .target(name: "Engines", dependencies: ["Formulas", "Kernels"]),
        .target(name: "Khufu", dependencies: ["Formulas", "Kernels", "Engines"]),
        .executableTarget(
            name: "KhufuTool",
            dependencies: [
                "Khufu",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "SwiftCSV", package: "SwiftCSV"),
            ]),
    ]
)
