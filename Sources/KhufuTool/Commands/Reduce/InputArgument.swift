import ArgumentParser
import ArrayFiles
import Formulas

/// An input on the command line, `NAME=KIND:REST`: what REST is differs between commands.
struct InputArgument: Equatable, Sendable {
    let name: String
    let category: Category
    let rest: String

    /// - Parameter meaning: what REST is, for messages.
    init(_ text: String, meaning: String) throws(ValidationError) {
        let form = "NAME=KIND:\(meaning)"
        guard let equals = text.firstIndex(of: "=") else {
            throw ValidationError("An input is written \(form), such as x=i:\(Self.example(meaning)); this has no '='.")
        }
        let name = String(text[..<equals])
        guard case .name(name)? = try? Syntax(parsing: name).kind else {
            throw ValidationError("The name of an input is letters, digits and underscores; this is \(quoted(name)).")
        }
        let description = text[text.index(after: equals)...]
        guard let colon = description.firstIndex(of: ":") else {
            throw ValidationError("An input is written \(form), such as x=i:\(Self.example(meaning)); this has no ':'.")
        }
        let kind = description[..<colon]
        guard let category = Self.kinds[String(kind)] else {
            throw ValidationError("The kind of an input is i, j or p; that of \(quoted(name)) is \(quoted(kind)).")
        }
        let rest = String(description[description.index(after: colon)...])
        guard !rest.isEmpty else { throw ValidationError("The \(meaning) of \(quoted(name)) is missing.") }
        self.name = name
        self.category = category
        self.rest = rest
    }

    private static let kinds: [String: Category] = ["i": .i, "j": .j, "p": .parameter]

    private static func example(_ meaning: String) -> String { meaning == "DIM" ? "3" : "points.npy" }

    /// - Throws: where two inputs have one name.
    static func checkNames(_ inputs: [InputArgument]) throws(ValidationError) {
        var seen: Set<String> = []
        for input in inputs where !seen.insert(input.name).inserted {
            throw ValidationError("The name \(quoted(input.name)) is given to two inputs.")
        }
    }

    /// The declaration of this input at a position, its dimension standing behind the kind.
    func declaration(position: Int) throws(Failure) -> Declaration {
        guard let dimension = Int(rest) else {
            throw Failure(
                .usage,
                "The dimension of \(quoted(name)) is a whole number, as in \(name)=i:3; this is \(quoted(rest)).")
        }
        return try declaration(position: position, dimension: dimension)
    }

    /// The declaration of this input at a position, with the dimension that was read or given.
    func declaration(position: Int, dimension: Int) throws(Failure) -> Declaration {
        guard (1...Formula.maximumDimension).contains(dimension) else {
            throw Failure(
                .dataError,
                "The dimension of \(quoted(name)) is \(dimension); it can be 1 to \(counted(Formula.maximumDimension)).")
        }
        return Declaration(name: name, variable: Variable(index: position, dimension: dimension, category: category))
    }
}
