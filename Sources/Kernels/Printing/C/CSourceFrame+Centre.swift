import Formulas

// Points amid the columns, which long distances are taken from.
extension CSourceFrame {
    mutating func centreFunction() -> String {
        let pointers =
            pointers([.column, .parameter]) + [
                Pointer(type: number, name: "centre", source: "call->centre"),
                Pointer(type: "char", name: "workspace", source: "call->workspace"),
            ]
        var body = printer()
        body.lanes = .sampledColumns
        body.line("const long long samples = call->end < LANES ? call->end : LANES;")
        body.line("const long long step = call->end / samples;")
        arrays(of: [.call, .centre], &body)
        section(.call, "What depends on parameters only.", &body)
        section(.centre, "Medians over a few columns from all of them.", &body)
        return """
            // The middle one of the first numbers, of those that are finite; 0 where none is. Unlike a mean, it is a number of the
            // data: differences of integers from it are integers.
            OUTLINE \(number) median(\(dialect.type(.number)) x, long long count)
            {
                \(number) sorted[LANES];
                int n = 0;
                for (int l = 0; l < count; l++) {
                    const \(number) new = x[l];
                    if (new - new != 0) continue;
                    int place = n++;
                    for (; place > 0 && sorted[place - 1] > new; place--) sorted[place] = sorted[place - 1];
                    sorted[place] = new;
                }
                return n > 0 ? sorted[n / 2] : 0;
            }

            // A point amid the columns, of which there is at least one.
            INLINE void find_centre(const call *call\(parameters(pointers)))
            {
            \(body.lines.joined(separator: "\n"))
            }

            void khufu_centre(const call *call)
            {
                find_centre(call\(arguments(pointers)));
            }

            """
    }
}
