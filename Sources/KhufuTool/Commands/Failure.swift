import ArrayFiles
import Engines
import Formulas
import Foundation
import SampleData

/// The exit codes, those of `sysexits.h`: scripts rely on them.
enum ExitStatus: Int32, CaseIterable {
    case usage = 64
    case dataError = 65
    case noInput = 66
    case unavailable = 69
    case cannotCreate = 73
    case outputError = 74

    private var meaning: String {
        switch self {
        case .usage: "the command line is not understood"
        case .dataError: "a formula, a shape or a file's content is wrong"
        case .noInput: "an input file cannot be opened"
        case .unavailable: "the engine that was asked for cannot run, or a self-check failed"
        case .cannotCreate: "an output file cannot be written"
        case .outputError: "standard output cannot be written"
        }
    }

    /// A line per code, for `--help`.
    static let help = (["  0  all is well"] + allCases.map { "  \($0.rawValue) \($0.meaning)" }).joined(separator: "\n")
}

/// The end of a command: a sentence for standard error, and the exit code.
struct Failure: Error, Equatable, CustomStringConvertible {
    let status: ExitStatus
    let message: String

    var description: String { message }

    init(_ status: ExitStatus, _ message: String) {
        self.status = status
        self.message = message
    }

    /// What an error of any layer means to a user; nil for the argument parser's own, which it words itself.
    init?(reporting error: any Error) {
        switch error {
        case let failure as Failure: self = failure
        case let error as FormulaError: self.init(.dataError, error.description)
        case let error as BindingError: self.init(.dataError, error.description)
        case let error as PointArray.LiteralError: self.init(.dataError, error.description)
        case let error as EngineError: self.init(.unavailable, error.description)
        case let error as CompilationError: self.init(.unavailable, error.description)
        case let error as DataFolder.Missing: self.init(.noInput, error.description)
        case let error as FileError: self.init(Self.status(of: error.problem), error.description)
        default: return nil
        }
    }

    private static func status(of problem: FileError.Problem) -> ExitStatus {
        switch problem {
        case .system("write", _), .notWritable: .cannotCreate
        case .system, .notReadable: .noInput
        case .mismatch: .dataError
        }
    }
}
