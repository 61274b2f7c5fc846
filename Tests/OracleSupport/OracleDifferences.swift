/// Derivatives by central differences of order six, taken with two steps: how far the two are apart bounds the error. Where
/// they are far apart, a step or a kink is near, or the end of the domain, and the error is infinite.
package enum OracleDifferences {
    package struct Estimate: Sendable {
        package var value: Double
        package var error: Double

        package init(value: Double, error: Double) { (self.value, self.error) = (value, error) }

        fileprivate init(_ fine: Double, against coarse: Double, limit: Double, rounding: Double) {
            let distance = abs(coarse - fine)
            let isSmooth = distance <= limit * (1 + abs(fine))
            self.init(value: isSmooth ? fine : 0, error: isSmooth ? 2 * distance + rounding : .infinity)
        }
    }

    /// d/dt f(t) at 0, component by component.
    package static func derivative(step: Double = 0.016, _ f: (Double) -> [Double]) -> [Estimate] {
        func stencil(_ h: Double) -> (derivative: [Double], size: Double) {
            let (a3, a2, a1) = (f(-3 * h), f(-2 * h), f(-h))
            let (b1, b2, b3) = (f(h), f(2 * h), f(3 * h))
            var size = 0.0
            var result: [Double] = []
            for k in a1.indices {
                result.append((45 * (b1[k] - a1[k]) - 9 * (b2[k] - a2[k]) + (b3[k] - a3[k])) / (60 * h))
                size = max(size, abs(a1[k]), abs(b1[k]))
            }
            return (result, size)
        }
        // No simple fraction: evenly spaced steps of a function must not look smooth to both.
        let (coarse, fine) = (stencil(step), stencil(step * 0.437))
        let roughness = fine.size / step
        return zip(coarse.derivative, fine.derivative).map { coarse, fine in
            // The rounding of f over the step, and what the halving of the step changed.
            Estimate(fine, against: coarse, limit: 1e-5, rounding: 1e-12 * (1 + roughness))
        }
    }

    /// ∂²/∂s∂t f(s, t) at (0, 0).
    package static func mixed(step: Double = 0.03, _ f: (Double, Double) -> Double) -> Estimate {
        func nested(_ h: Double) -> Double {
            let weights: [(Double, Double)] = [(-3, -1), (-2, 9), (-1, -45), (1, 45), (2, -9), (3, 1)]
            var total = 0.0
            for (s, a) in weights { for (t, b) in weights { total += a * b * f(s * h, t * h) } }
            return total / (3600 * h * h)
        }
        let (coarse, fine) = (nested(step), nested(step / 2))
        return Estimate(fine, against: coarse, limit: 1e-4, rounding: 1e-9 * (1 + abs(f(0, 0)) + abs(fine)))
    }
}

extension OracleExpression {
    /// The value with one input moved along a direction.
    package func value(_ inputs: [[Double]], moving index: Int, by t: Double, along direction: [Double]) -> [Double] {
        var inputs = inputs
        for k in direction.indices { inputs[index][k] += t * direction[k] }
        return value(inputs)
    }

    /// (∂self/∂input)ᵀ cotangent.
    package func gradient(_ inputs: [[Double]], in index: Int, cotangent: [Double]) -> [OracleDifferences.Estimate] {
        inputs[index].indices.map { k in
            var direction = inputs[index].map { _ in 0.0 }
            direction[k] = 1
            return OracleDifferences.derivative { t in
                let value = self.value(inputs, moving: index, by: t, along: direction)
                return [zip(value, cotangent).map { $0 * $1 }.reduce(0, +)]
            }[0]
        }
    }

    /// (∂self/∂input) tangent.
    package func differential(_ inputs: [[Double]], in index: Int, tangent: [Double]) -> [OracleDifferences.Estimate] {
        OracleDifferences.derivative { self.value(inputs, moving: index, by: $0, along: tangent) }
    }
}
