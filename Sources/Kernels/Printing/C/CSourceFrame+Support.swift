import Formulas

extension CSourceFrame {
    /// Loads and stores of lanes, and the call's arguments.
    var memory: String {
        let vector = dialect.type(.number)
        let mask = dialect.type(.position)
        return """
            // Called once per vector of points, not per pair: kept out of line, they compile once instead of at every use.
            #define OUTLINE static __attribute__((noinline, unused))

            // One number of each of LANES consecutive points; points past the end repeat the last.
            OUTLINE \(vector) gather(const \(stored) *from, long long stride, long long first, long long end)
            {
                \(isHalf ? "h16" : vector) x;
                for (int l = 0; l < LANES; l++) {
                    const long long i = first + l;
                    x[l] = from[(i < end ? i : end - 1) * stride];
                }
                return \(isHalf ? "f32_from_\(halfName)(x)" : "x");
            }
            OUTLINE void scatter_values(\(stored) *to, long long stride, long long first, long long end, \(vector) x)
            {
                const \(isHalf ? "h16" : vector) stored = \(isHalf ? "\(halfName)_from_f32(x)" : "x");
                for (int l = 0; l < LANES; l++)
                    if (first + l < end) to[(first + l) * stride] = stored[l];
            }
            OUTLINE void scatter_table(\(number) *to, long long width, long long k, long long first, long long end, \(vector) x)
            {
                for (int l = 0; l < LANES; l++)
                    if (first + l < end) to[(first + l) * width + k] = x[l];
            }
            OUTLINE void scatter_indices(
                long long *to, long long stride, long long first, long long end, long long base, \(mask) x)
            {
                for (int l = 0; l < LANES; l++)
                    if (first + l < end) to[(first + l) * stride] = base + x[l];
            }
            OUTLINE void export_values(double *to, long long stride, long long first, long long end, f64 x)
            {
                for (int l = 0; l < LANES; l++)
                    if (first + l < end) to[(first + l) * stride] = x[l];
            }

            // What a call is given. A batch item's arrays begin at its own first point.
            typedef struct {
                const void *const *inputs;
                void *centre;                    // points amid the columns
                void *table;                     // values that depend on the column only, a row of numbers per column
                void *values;                    // results
                long long *indices;
                double *exported_values;         // or states, to be merged with those of other columns
                long long *exported_positions;
                const long long *ranges;         // columns to reduce over: pairs of a first and an end
                long long range_count;
                long long first;                 // points of the result to compute, or columns to tabulate
                long long end;
                long long position_base;         // the column that positions in lanes count from
                char *states;                    // where totals wait while columns are taken in several calls, which are
                long long is_resumed;            // not the first of them,
                long long is_suspended;          // or not the last
                void *workspace;
            } call;


            """
    }
}
