import ArgumentParser
import Engines

/// Three computations on the data that comes with the tool.
struct DemoCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract: "Classifies handwritten digits, draws a density of the world's cities, and checks a gradient.",
        discussion: "Takes seconds in all, compiling included.")

    @OptionGroup var devices: DeviceOptions

    @Option(
        name: [.customShort("o"), .customLong("output")],
        help: "The picture: a .png or .svg file, or a name without ending or a folder for both.")
    var output = "khufu-demo"

    func run() throws {
        let clock = ContinuousClock()
        let start = clock.now
        let pictures = try DemoPictures(output)

        let digits = try DigitsDemo.run(devices)
        print("khufu demo on \(digits.device.description)\n")
        if let reason = digits.device.fallbackReason {
            print("There is no compiled code: \(reason)\nThe interpreter works on a part of the data instead.\n")
        }
        show("1  Handwritten digits, \(DigitsDemo.neighbours) nearest neighbours", digits.report)
        show("2  Where the world's cities are", try DensityDemo.run(devices, pictures))
        show("3  A gradient against finite differences", try GradientDemo.run(devices))
        print("\(readable(clock.now - start)) in all, compiling included.")
    }

    private func show(_ title: String, _ report: DemoReport) {
        print(title)
        print(report.sheet.text(width: 10, indent: "   ") + "\n")
        // Each part is shown when it is done, also in a pipe.
        flushOutput()
    }
}

extension DeviceOptions {
    /// Whether compiled code will run, or the interpreter.
    var isCompiled: Bool {
        !device.accelerators.isEmpty || device.engine == .cpu
            || (device.engine == .automatic && (try? KernelCache.shared.compiler) != nil)
    }
}

/// What a part of the demonstration tells.
struct DemoReport {
    var sheet = Sheet()

    mutating func add(_ title: String, _ text: String) { sheet.add(title, text) }

    /// The reduction, its size and its speed.
    mutating func add(_ evaluation: Evaluation, _ reduction: String, points: String) {
        add("computes", reduction)
        add("for", points)
        let speed = rate(evaluation.pairs, evaluation.time).map { ", \($0)" } ?? ""
        add("time", "\(readable(evaluation.time))\(speed); \(readable(evaluation.preparation)) before for the kernel")
    }
}
