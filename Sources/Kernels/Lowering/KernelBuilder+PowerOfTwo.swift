import Formulas
import RealModule

extension KernelBuilder {
    /// e^(c u) as 2^(c' u), where c' = c / ln 2 is computed at an earlier stage; nil where there is no such c.
    ///
    /// The product is rounded as it would have been; c' is rounded once more than c. A sign alone counts as a factor where u
    /// is a sum or product, hence rounded itself.
    func powerOfTwo(_ exponent: Register) -> Value? {
        guard exponent.type == .number else { return nil }
        let (u, sign) = withoutSign(exponent)
        func power(_ rest: Register, scaledBy function: (_ scale: Value) -> Value?) -> Value? {
            let (rest, restSign) = withoutSign(rest)
            return function(constant(sign * restSign * Self.log2e)).map { ($0 * value(rest)).apply(.exp2) }
        }
        switch definitions[u.id] {
        case .apply(.multiply, let factors):
            for (c, rest) in [(factors[0], factors[1]), (factors[1], factors[0])] {
                if case .constant(let c) = definitions[c.id] {
                    return (constant(sign * c * Self.log2e) * value(rest)).apply(.exp2)
                }
                if let power = power(rest, scaledBy: { scale in atEarlierStage(c) { $0 * scale } }) { return power }
            }
        case .apply(.divide, let operands):
            return power(operands[0]) { scale in atEarlierStage(operands[1]) { scale / $0 } }
        case .apply(.add, _), nil: break
        default: return nil
        }
        return sign < 0 ? power(u) { $0 } : nil
    }

    /// What is left when negations are taken off, and the sign of their product.
    private func withoutSign(_ register: Register) -> (Register, sign: Double) {
        var (register, sign) = (register, 1.0)
        while case .apply(.negate, let operands) = definitions[register.id] { (register, sign) = (operands[0], -sign) }
        return (register, sign)
    }

    /// A function of a register, computed where the register is if that is earlier than here; nil if it is not.
    private func atEarlierStage(_ register: Register, _ function: (Value) -> Value) -> Value? {
        switch definitions[register.id] {
        case .constant: return function(value(register))
        case .input(let place, let component) where kernel.inputs[place].role == .parameter && component.terms.isEmpty:
            return inSection(.call) { function(input(place, component)) }
        default:
            guard register.section != section, register.section == .call || register.section == .row else { return nil }
            return inSection(register.section) { function(value(register)) }
        }
    }

    static let log2e = 1 / Double.log(2)
}
