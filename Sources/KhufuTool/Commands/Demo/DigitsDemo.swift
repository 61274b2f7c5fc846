import ArrayFiles
import Engines
import Formulas
import Kernels
import Khufu
import SampleData

/// Classifies handwritten digits by the majority of their nearest neighbours in 64 dimensions.
enum DigitsDemo {
    static let neighbours = 5
    private static let text = "SqDist(new, known)"
    private static let testShare = 5

    static func run(_ options: DeviceOptions) throws -> (report: DemoReport, device: ChosenDevice) {
        let digits = try Digits()
        // The interpreter takes its time, and gets fewer.
        let testCount = digits.count / (options.isCompiled ? testShare : 10 * testShare)
        // A fixed shuffle: every run splits alike, whatever the order of the file.
        var random = SeededGenerator(seed: 1797)
        let order = Array(0..<digits.count).shuffled(using: &random)
        let (test, training) = (Array(order.prefix(testCount)), Array(order.dropFirst(testCount)))

        let declarations = try Declaration.list(parsing: ["new = Vi(\(Digits.pixelCount))", "known = Vj(\(Digits.pixelCount))"])
        let formula = try Formula(parsing: text, aliases: declarations.map(\.description))
        let reduction = try Reduction(.argKMin, of: formula, k: neighbours)
        let compiled = try CompiledReduction(reduction, declarations: declarations)
        let evaluation = try Evaluation(compiled, [try digits.array(test), try digits.array(training)], options)

        let nearest = evaluation.indices?.storage.integers ?? []
        var wrong = 0
        for (row, sample) in test.enumerated() {
            let votes = nearest[row * neighbours..<(row + 1) * neighbours].map { digits.labels[training[Int($0)]] }
            if majority(votes) != digits.labels[sample] { wrong += 1 }
        }
        var report = DemoReport()
        report.add(
            evaluation, "ArgKMin with k = \(neighbours) over j of \(text)",
            points: "\(counted(test.count)) new digits and \(counted(training.count)) known ones of \(Digits.pixelCount) pixels")
        let accuracy = 100 * Double(test.count - wrong) / Double(test.count)
        report.add("accuracy", "\(short(accuracy, digits: 3)) %: \(wrong) of \(test.count) wrong")
        return (report, evaluation.device)
    }

    /// The most frequent; among equals the one that is nearest.
    private static func majority(_ votes: [Int]) -> Int? {
        let counts = votes.reduce(into: [Int: Int]()) { $0[$1, default: 0] += 1 }
        let most = counts.values.max()
        return votes.first { counts[$0] == most }
    }
}

extension Digits {
    /// The pixels of some digits, as the engine reads them.
    fileprivate func array(_ samples: [Int]) throws -> NumberArray {
        try NumberArray(pixels(of: samples), type: .float32, shape: [samples.count, Self.pixelCount])
    }
}

extension PointArray.Storage {
    fileprivate var integers: [Int64] {
        if case .int64(let values) = self { values } else { [] }
    }
}
