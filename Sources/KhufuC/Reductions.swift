import Engines
import Formulas
import Kernels
import KhufuHeader

/// What a `khufu_reduction` points to: a reduction, or a derivative of one.
final class ReductionObject: Sendable {
    /// Nil for derivatives.
    let reduction: CompiledReduction?
    /// What derivatives are taken of.
    let expression: CompiledExpression

    init(_ reduction: Reduction, _ declarations: [Declaration]) throws(BindingError) {
        let compiled = try CompiledReduction(reduction, declarations: declarations)
        self.reduction = compiled
        expression = try CompiledExpression(of: compiled)
    }

    init(derivative: CompiledExpression) {
        reduction = nil
        expression = derivative
    }
}

func reduction(_ pointer: OpaquePointer?) throws(BindingError) -> ReductionObject {
    try borrow(pointer, ReductionObject.self, "The reduction")
}

// MARK: - Making

@c @implementation
public func khufu_reduction_create(
    _ kind: UnsafePointer<CChar>!, _ source: OpaquePointer!, _ weight: OpaquePointer!, _ k: Int64, _ over: khufu_category,
    _ accumulation: UnsafePointer<khufu_accumulation>!, _ declarations: UnsafePointer<UnsafePointer<CChar>?>!, _ count: Int32,
    _ result: UnsafeMutablePointer<OpaquePointer?>!
) -> khufu_status {
    reporting {
        let reduction = try Reduction(
            try Reduction.Kind(named: try text(kind, "The kind")), of: try formula(source, "The formula"),
            weight: try weight.map { try formula($0, "The weight") }, k: Int(k), over: try index(over),
            accumulation: try accumulated(accumulation))
        try give(
            ReductionObject(reduction, try Declaration.list(parsing: try texts(declarations, count, "declarations"))), to: result)
    }
}

@c @implementation
public func khufu_reduction_create_from_text(
    _ kind: UnsafePointer<CChar>!, _ source: UnsafePointer<CChar>!, _ weight: UnsafePointer<CChar>!, _ k: Int64,
    _ over: khufu_category, _ accumulation: UnsafePointer<khufu_accumulation>!,
    _ declarations: UnsafePointer<UnsafePointer<CChar>?>!, _ count: Int32, _ result: UnsafeMutablePointer<OpaquePointer?>!
) -> khufu_status {
    reporting {
        let declarations = try Declaration.list(parsing: try texts(declarations, count, "declarations"))
        let reduction = try Reduction(
            try Reduction.Kind(named: try text(kind, "The kind")), of: try text(source, "The formula"),
            weight: try weight.map { try text($0, "The weight") }, k: Int(k), over: try index(over),
            accumulation: try accumulated(accumulation), declarations: declarations)
        try give(ReductionObject(reduction, declarations.including(reduction.variables)), to: result)
    }
}

@c @implementation
public func khufu_reduction_parse(
    _ source: UnsafePointer<CChar>!, _ declarations: UnsafePointer<UnsafePointer<CChar>?>!, _ count: Int32,
    _ result: UnsafeMutablePointer<OpaquePointer?>!
) -> khufu_status {
    reporting {
        let declarations = try Declaration.list(parsing: try texts(declarations, count, "declarations"))
        let reduction = try Reduction(parsing: try text(source, "The reduction"), declarations: declarations)
        try give(ReductionObject(reduction, declarations.including(reduction.variables)), to: result)
    }
}

extension [Declaration] {
    /// These and, behind them in order of their positions, inputs that a formula only writes as `Var(…)`.
    fileprivate func including(_ variables: [Variable]) -> [Declaration] {
        let declared = Set(map(\.variable))
        return self + variables.filter { !declared.contains($0) }.map { Declaration(variable: $0) }
    }
}

private func index(_ category: khufu_category) throws(BindingError) -> ReducedIndex {
    switch category {
    case KHUFU_I: .i
    case KHUFU_J: .j
    default: throw BindingError("A reduction is over KHUFU_I or KHUFU_J; \(category.rawValue) came.")
    }
}

private func accumulated(_ accumulation: UnsafePointer<khufu_accumulation>?) throws(BindingError) -> Accumulation {
    guard let accumulation = accumulation?.pointee else { return Accumulation() }
    var result = Accumulation(usesDoubleAccumulator: accumulation.uses_double_accumulator != 0)
    if let name = accumulation.scheme.map({ String(cString: $0) }) {
        guard let scheme = Accumulation.Scheme(rawValue: name) else {
            let names = Accumulation.Scheme.allCases.map(\.rawValue).joined(separator: ", ")
            throw BindingError("A summation scheme is one of \(names); \(name) came.")
        }
        result.scheme = scheme
    }
    return result
}

// MARK: - Derivatives

@c @implementation
public func khufu_reduction_gradient(
    _ pointer: OpaquePointer!, _ position: Int32, _ result: UnsafeMutablePointer<OpaquePointer?>!
) -> khufu_status {
    derivative(of: pointer, to: result) { try $0.gradient(withRespectTo: Int(position)) }
}

@c @implementation
public func khufu_reduction_tangent(
    _ pointer: OpaquePointer!, _ position: Int32, _ result: UnsafeMutablePointer<OpaquePointer?>!
) -> khufu_status {
    derivative(of: pointer, to: result) { try $0.tangent(withRespectTo: Int(position)) }
}

private func derivative(
    of pointer: OpaquePointer?, to result: UnsafeMutablePointer<OpaquePointer?>?,
    _ taken: (CompiledExpression) throws -> CompiledExpression
) -> khufu_status {
    reporting { try give(ReductionObject(derivative: try taken(try reduction(pointer).expression)), to: result) }
}

// MARK: - Questions

@c @implementation
public func khufu_reduction_input_count(_ pointer: OpaquePointer!) -> Int32 {
    (try? reduction(pointer)).map { Int32($0.expression.declarations.count) } ?? 0
}

@c @implementation
public func khufu_reduction_input(
    _ pointer: OpaquePointer!, _ position: Int32, _ category: UnsafeMutablePointer<khufu_category>!,
    _ dimension: UnsafeMutablePointer<Int64>!
) -> khufu_status {
    reporting {
        let declarations = try reduction(pointer).expression.declarations
        guard declarations.indices.contains(Int(position)) else {
            throw BindingError("There are \(declarations.count) inputs; number \(position) is none of them.")
        }
        let variable = declarations[Int(position)].variable
        category?.pointee = header(variable.category)
        dimension?.pointee = Int64(variable.dimension)
    }
}

@c @implementation
public func khufu_reduction_result(
    _ pointer: OpaquePointer!, _ category: UnsafeMutablePointer<khufu_category>!, _ values: UnsafeMutablePointer<Int64>!,
    _ indices: UnsafeMutablePointer<Int64>!
) {
    guard let object = try? reduction(pointer) else { return }
    category?.pointee = header(object.expression.expression.category)
    values?.pointee = Int64(object.expression.expression.dimension)
    indices?.pointee = Int64(object.reduction?.reduction.indexCount ?? 0)
}

private func header(_ category: Category) -> khufu_category {
    switch category {
    case .i: KHUFU_I
    case .j: KHUFU_J
    case .parameter: KHUFU_PARAMETER
    }
}

@c @implementation
public func khufu_reduction_release(_ pointer: OpaquePointer!) { release(pointer, ReductionObject.self) }
