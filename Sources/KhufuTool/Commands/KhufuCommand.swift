import ArgumentParser
import ArrayFiles
import Foundation

/// The command line: names the commands and turns every error into one sentence and an exit code.
@main
struct KhufuCommand: ParsableCommand {
    static let version = "0.1.0"

    static let configuration = CommandConfiguration(
        commandName: "khufu",
        abstract: "Reductions over huge symbolic matrices: a_i = Reduction_j F(p, x_i, y_j), in linear memory.",
        discussion: """
            First steps:
              khufu demo
              khufu reduce "Exp(-g*SqDist(x,y))*b" x=i:points.npy y=j:points.npy b=j:weights.csv g=p:0.5
              khufu explain "Exp(-g*SqDist(x,y))*b" x=i:3 y=j:3 b=j:1 g=p:1 --gradient x

            Exit codes:
            \(ExitStatus.help)
            """,
        version: "khufu \(version)",
        subcommands: [
            ReduceCommand.self, ExplainCommand.self, BenchCommand.self, DemoCommand.self, ExamplesCommand.self,
            ExampleCommand.self,
            DoctorCommand.self, CacheCommand.self, OperationsCommand.self, ReductionsCommand.self,
        ])

    static func main() {
        Interruption.install()
        Foundation.exit(run(Array(CommandLine.arguments.dropFirst())))
    }

    /// Parses, runs and reports; returns the exit code.
    private static func run(_ arguments: [String]) -> Int32 {
        do {
            var command = try parseAsRoot(NegativeFormula.protect(arguments))
            try command.run()
            // Text that cannot be delivered, to a full disk say, must not pass for success.
            guard fflush(nil) == 0 else {
                throw Failure(.outputError, "Standard output cannot be written: \(systemMessage(errno)).")
            }
            return 0
        } catch {
            return report(error)
        }
    }

    private static func report(_ error: any Error) -> Int32 {
        fflush(nil)
        if let failure = Failure(reporting: error) {
            standardError("Error: \(withoutControls(failure.message))")
            return failure.status.rawValue
        }
        let code = exitCode(for: error).rawValue
        guard code != 0 else {
            print(fullMessage(for: error))
            fflush(nil)
            return code
        }
        // The sentence and where to read on; the usage between them, many lines, is what --help is for.
        let pointer = fullMessage(for: error).split(separator: "\n").last.map(String.init) ?? ""
        standardError("Error: \(withoutControls(message(for: error)))" + (pointer.contains("--help") ? "\n\(pointer)" : ""))
        return code
    }
}

/// Writes a line to standard error.
func standardError(_ line: String, terminator: String = "\n") {
    // Errors of writing have nowhere to be told. `FileHandle.write` would trap on some of them.
    var bytes = Array((line + terminator).utf8)[...]
    while !bytes.isEmpty {
        let count = bytes.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
        if count < 0, errno == EINTR { continue }
        guard count > 0 else { return }
        bytes = bytes.dropFirst(count)
    }
}

/// A message that quotes the command line or a file, with control characters shown as signs (␛) that a terminal does not obey.
func withoutControls(_ text: String) -> String {
    var result = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
        let isHidden = [.control, .format].contains(scalar.properties.generalCategory) && scalar != "\n"
        result.append(!isHidden ? scalar : scalar.value < 0x20 ? Unicode.Scalar(0x2400 + scalar.value)! : "\u{fffd}")
    }
    return String(result)
}

/// Formulas that begin with a minus sign, such as `-SqDist(x,y)`, which would be taken for options.
enum NegativeFormula {
    /// Puts a blank before each, which formulas ignore and no option begins with.
    static func protect(_ arguments: [String]) -> [String] {
        let end = arguments.firstIndex(of: "--") ?? arguments.endIndex
        let protected = arguments[..<end].enumerated().map { position, argument in
            isOne(argument, isInPlace: position == 1 && ["reduce", "explain", "bench"].contains(arguments[0]))
                ? " " + argument : argument
        }
        return protected + arguments[end...]
    }

    /// Options are `--word`, `-o` and `-h`; a minus before a capital, a digit, a bracket or a name with more behind it is a
    /// formula, as is any other right behind the command, where the formula stands.
    private static func isOne(_ argument: String, isInPlace: Bool) -> Bool {
        guard argument.hasPrefix("-"), !argument.hasPrefix("--"), let first = argument.dropFirst().first else { return false }
        if isInPlace, argument != "-h", first != "o" { return true }
        if first.isUppercase || first.isNumber || "(.[".contains(first) { return true }
        guard first.isLetter, first != "o" else { return false }
        return argument.dropFirst().contains { "(*/+-|<> [".contains($0) }
    }
}

/// Hands on what `print` has kept back.
func flushOutput() { fflush(nil) }
