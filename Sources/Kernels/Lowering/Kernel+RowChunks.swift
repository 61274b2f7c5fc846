import Formulas

extension Kernel {
    /// Copies the chunk's part of each row vector that pairs read some components of at a time, once per chunk: where the chunk begins is not
    /// known when compiling, so that only a copy can be registers.
    ///
    ///     pair    load x[k + first]     becomes     begin   store x[k + first] in own[k], for each k
    ///                                               pair    load own[k]
    mutating func copyRowChunks() {
        guard let chunk else { return }
        var copies: [Int: ArrayReference] = [:]
        var counters = (sections.values.flatMap(\.flattened).compactMap(\.counter).max() ?? 0) + 1
        let pair = sections[.pair, default: []]
        for id in pair.arrays(where: { $0.counts(chunk.counter) }).sorted() where arrays[id].section == .row {
            guard pair.reads(arrays[id].reference, within: chunk) else { continue }
            let own = ArrayReference(id: arrays.count, count: chunk.length)
            arrays.append(ArrayInfo(reference: own, type: arrays[id].type, section: .begin, name: arrays[id].name + "_chunk"))
            copies[id] = own
            let register = newRegister(arrays[id].type, .begin)
            let k = Index(counter: counters)
            sections[.begin, default: []].append(
                .loop(
                    counter: counters, count: chunk.length,
                    body: [
                        .define(register, .load(arrays[id].reference, k + chunk.first)), .store(register, own, k),
                    ]))
            counters += 1
        }
        sections[.pair] = pair.loading(from: copies, chunk)
    }

    private func newRegister(_ type: ElementType, _ section: Section) -> Register {
        let last = sections.values.flatMap(\.flattened).compactMap(\.defined?.id).max() ?? -1
        return Register(id: last + 1, type: type, section: section)
    }
}

extension Statement {
    fileprivate var counter: Int? { if case .loop(let counter, _, _) = self { counter } else { nil } }

    fileprivate var defined: Register? {
        switch self {
        case .define(let register, _), .declare(let register, _): register
        default: nil
        }
    }
}

extension [Statement] {
    /// Whether all accesses to an array that count by chunks read components of the chunk, and there are no others.
    fileprivate func reads(_ array: ArrayReference, within chunk: ComponentChunk, _ counts: [Int: Int] = [:]) -> Bool {
        allSatisfy { statement in
            switch statement {
            case .loop(let counter, let count, let body):
                return body.reads(array, within: chunk, counts.merging([counter: count]) { $1 })
            case .whenAny(_, let body): return body.reads(array, within: chunk, counts)
            default:
                guard let (accessed, index) = statement.access, accessed == array, index.counts(chunk.counter) else {
                    return true
                }
                guard case .define = statement, index.terms.contains(where: { $0.counter == chunk.counter && $0.stride == 1 })
                else { return false }
                let own = index.within(chunk)
                guard let term = own.terms.first else { return (0..<chunk.length).contains(own.constant) }
                return own.terms.count == 1 && term.stride == 1 && own.constant >= 0
                    && counts[term.counter].map { $0 + own.constant <= chunk.length } ?? false
            }
        }
    }

    fileprivate func loading(from copies: [Int: ArrayReference], _ chunk: ComponentChunk) -> [Statement] {
        map { statement in
            switch statement {
            case .define(let register, .load(let array, let index)) where index.counts(chunk.counter):
                copies[array.id].map { .define(register, .load($0, index.within(chunk))) } ?? statement
            case .loop(let counter, let count, let body):
                .loop(counter: counter, count: count, body: body.loading(from: copies, chunk))
            case .whenAny(let mask, let body): .whenAny(mask, body.loading(from: copies, chunk))
            default: statement
            }
        }
    }
}
