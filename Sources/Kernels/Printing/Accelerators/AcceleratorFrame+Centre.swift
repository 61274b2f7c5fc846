import Formulas

// Points amid the columns, which long distances are taken from.
extension AcceleratorFrame {
    /// How many columns a median is taken over.
    private static let sampleCount = 32

    /// Finds the points amid the columns of a batch item: a group per item, a thread per sampled column.
    func centreFunction() -> String {
        let parameters =
            inputs([.column, .parameter]) + centre(isWritten: true) + [pointer("const i64", "offsets"), "const i64 columns"]
        var body = printer()
        body.lanes = .sampledColumns
        body.line("const i64 item = GROUP;")
        body.line("const int samples = columns < \(Self.sampleCount) ? (int)columns : \(Self.sampleCount);")
        body.line("const i64 point = (THREAD < samples ? THREAD : samples - 1) * (columns / samples);")
        moveInputs([.column, .parameter], &body)
        moveCentre(&body)
        body.line("SHARED \(number) sample[THREADS];")
        arrays(of: [.call, .centre], &body)
        section(.call, "What depends on parameters only.", &body)
        section(.centre, "Medians over a few columns from all of them.", &body)
        return """
            // The middle one of the first numbers, of those that are finite; 0 where none is. Unlike a mean, it is a number of the
            // data: differences of integers from it are integers.
            OUTLINE void store_median(SHARED_POINTER const \(number) *sample, int count, GLOBAL \(number) *target)
            {
                const \(number) own = sample[THREAD];
                int finite = 0, before = 0;
                UNROLL_1
                for (int l = 0; l < count; l++) {
                    const \(number) x = sample[l];
                    if (x - x != 0) continue;
                    finite++;
                    before += x < own || (x == own && l < THREAD);
                }
                if (finite == 0 && THREAD == 0) *target = 0;
                if (THREAD < count && own - own == 0 && before == finite / 2) *target = own;
            }

            \(function("khufu_centre", parameters, body))
            """
    }
}
