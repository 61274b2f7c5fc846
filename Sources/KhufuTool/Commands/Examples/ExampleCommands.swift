import ArgumentParser
import ArrayFiles
import Examples
import Pictures

/// Lists the worked examples.
struct ExamplesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "examples", abstract: "Lists the worked examples.")

    func run() throws {
        var sheet = Sheet()
        for example in Examples.all { sheet.add(example.name, example.summary) }
        print(sheet.text(width: Examples.all.map { $0.name.count }.max() ?? 0, indent: ""))
    }
}

/// Runs a worked example.
struct ExampleCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "example",
        abstract: "Runs a worked example, tells its results and draws its picture.",
        discussion: "`khufu examples` lists them; their sources are in the folder Examples.")

    @Argument(help: "The example.")
    var name: String

    @Option(name: [.customShort("o"), .customLong("output")], help: "The picture: a .png or .svg file. Left out, none is drawn.")
    var output: String?

    func run() throws {
        guard let example = Examples.named(name) else {
            throw ValidationError(
                "There is no example \(printable(name, limit: 60)); there are \(Examples.all.map { $0.name }.joined(separator: ", "))."
            )
        }
        if let output {
            _ = try PictureFormat(path: output)
            try FileWriter.check(output)
        }
        let clock = ContinuousClock()
        let start = clock.now
        let result = try example.run()
        for line in result.lines { print(line) }
        print("\(readable(clock.now - start)), compiling included.")
        if let output {
            try result.picture.write(to: output)
            print("Drawn to \(printable(output, limit: 200)).")
        }
    }
}
