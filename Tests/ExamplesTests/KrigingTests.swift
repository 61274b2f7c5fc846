import RealModule
import Testing

@testable import Examples

@Suite struct KrigingTests {
    /// The same mean and deviation from dense matrices, and parameters that no other ones beat by much.
    @Test func posterior() throws {
        let result = try Kriging.run()
        let parameters = ["variance", "length", "noise"].map { result.numbers[$0]! }
        let (places, values) = try Kriging.samples()
        let dense = DenseProcess(places.elements, values.elements, parameters)

        let (mean, deviation) = dense.posterior(at: 6.5)
        #expect(abs(result.numbers["mean"]! - mean) < 1e-5)
        #expect(abs(result.numbers["deviation"]! - deviation) < 1e-5)
        for k in parameters.indices {
            for factor in [0.7, 1.4] {
                var others = parameters
                others[k] *= factor
                #expect(DenseProcess(places.elements, values.elements, others).logLikelihood < dense.logLikelihood + 0.1)
            }
        }
        #expect(abs(parameters[2] / (Kriging.noiseDeviation * Kriging.noiseDeviation) - 1) < 0.3)
        #expect(result.numbers["inside"]! > 0.85)
    }
}

/// Gaussian-process regression by a Cholesky decomposition (Rasmussen and Williams, 2006, algorithm 2.1).
private struct DenseProcess {
    let places: [Double]
    let values: [Double]
    let parameters: [Double]
    private var factor: [[Double]]

    init(_ places: [Double], _ values: [Double], _ parameters: [Double]) {
        (self.places, self.values, self.parameters, factor) = (places, values, parameters, [])
        for row in places.indices {
            factor.append([])
            for column in 0...row {
                let entry = kernel(places[row], places[column]) + (row == column ? parameters[2] : 0)
                let rest = entry - (0..<column).reduce(0) { $0 + factor[row][$1] * factor[column][$1] }
                factor[row].append(row == column ? rest.squareRoot() : rest / factor[column][column])
            }
        }
    }

    private func kernel(_ x: Double, _ y: Double) -> Double {
        parameters[0] * Double.exp(-(x - y) * (x - y) / (2 * parameters[1] * parameters[1]))
    }

    /// L⁻¹ b.
    private func solve(_ b: [Double]) -> [Double] {
        var x: [Double] = []
        for row in b.indices { x.append((b[row] - (0..<row).reduce(0) { $0 + factor[row][$1] * x[$1] }) / factor[row][row]) }
        return x
    }

    func posterior(at place: Double) -> (mean: Double, deviation: Double) {
        let (c, y) = (solve(places.map { kernel($0, place) }), solve(values))
        return (zip(c, y).reduce(0) { $0 + $1.0 * $1.1 }, (parameters[0] - c.reduce(0) { $0 + $1 * $1 }).squareRoot())
    }

    var logLikelihood: Double {
        let logs = factor.indices.reduce(0) { $0 + Double.log(factor[$1][$1]) }
        return -0.5 * solve(values).reduce(0) { $0 + $1 * $1 } - logs
    }
}
