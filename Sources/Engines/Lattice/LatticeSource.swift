/// The C functions that add points to a lattice and read a lattice at points.
///
/// A point at t steps from a node has there the weight exp(-α t²), along each axis. Along one, with t = f - k for the f-th part of a step
/// and whole k, it is exp(-α f²) exp(2α f)^k exp(-α k²): two exponentials in all (L. Greengard and J. Lee, "Accelerating the nonuniform
/// fast Fourier transform", 2004). The loops over nodes have lengths known to the compiler, which makes vectors of them.
struct LatticeSource {
    let dimension: Int
    /// Numbers that each node holds.
    let channels: Int
    let window: LatticeWindow

    var text: String {
        let (last, leading) = (dimension - 1, 0..<dimension - 1)
        // Lines of nodes along the last axis are taken two at a time: additions to one sum would wait for each other.
        let lines = dimension > 1 ? 2 : 1
        let loops = leading.map {
            "for (long k\($0) = 0; k\($0) < \(window.count); k\($0) \($0 == last - 1 ? "+= 2" : "++")) "
        }.joined()
        func weight(_ line: Int) -> String {
            let factors = leading.map { "w[\($0)][k\($0)\($0 == last - 1 ? " + \(line)" : "")]" }
            return factors.isEmpty ? "1" : factors.joined(separator: " * ")
        }
        let offset = leading.map { "(first[\($0)] + k\($0)) * stride[\($0)] + " }.joined() + "first[\(last)]"
        let vectors = window.padded / window.lanes
        let next = dimension > 1 ? " + line * stride[\(last - 1)]" : ""
        return """
            // Sums of Gaussians by way of a lattice, in \(dimension)D, \(channels) numbers a node.
            typedef double vector __attribute__((vector_size(\(8 * window.lanes)), aligned(8), may_alias));
            double exp(double);

            typedef struct {
                const double *points;     // of each point: coordinates, then numbers
                long pointStride, first, end;
                double *lattice;          // channel by channel
                long latticeSize;
                long stride[3];           // from a node to the next along each axis
                long origin[3];           // the number of the first node along each axis
                double zero[3];           // where node 0 is
                double inverseStep[3];
                double exponent[3];       // α of each axis
                double *results;
            } call;

            // The first node that a point touches, and its weights along each axis.
            static inline void place(const call *c, const double *x, const double *table, long *first, double w[3][\(window.padded)]) {
                for (long a = 0; a < \(dimension); a++) {
                    double t = (x[a] - c->zero[a]) * c->inverseStep[a];
                    long node = (long)__builtin_floor(t);
                    double f = t - (double)node;
                    first[a] = node - \(window.before) - c->origin[a];
                    double middle = exp(-c->exponent[a] * f * f), up = exp(2 * c->exponent[a] * f), down = 1 / up, power = middle;
                    for (long k = \(window.before); k < \(window.padded); k++) w[a][k] = power, power *= up;
                    power = middle * down;
                    for (long k = \(window.before) - 1; k >= 0; k--) w[a][k] = power, power *= down;
                    for (long k = 0; k < \(window.padded); k++) w[a][k] *= table[a * \(window.padded) + k];
                }
            }

            static inline void fill(const call *c, double *table) {
                for (long a = 0; a < \(dimension); a++)
                    for (long k = 0; k < \(window.padded); k++) {
                        double distance = (double)(k - \(window.before));
                        table[a * \(window.padded) + k] = exp(-c->exponent[a] * distance * distance);
                    }
            }

            void khufu_spread(const call *restrict c) {
                double table[3 * \(window.padded)], w[3][\(window.padded)];
                long first[3];
                const long *stride = c->stride;
                fill(c, table);
                for (long i = c->first; i < c->end; i++) {
                    const double *x = c->points + i * c->pointStride;
                    place(c, x, table, first, w);
                    for (long channel = 0; channel < \(channels); channel++) {
                        double b = x[\(dimension) + channel];
                        double *lattice = c->lattice + channel * c->latticeSize;
                        \(loops){
                            double *nodes = lattice + \(offset);
                            double v[] = {\((0..<lines).map { "b * " + weight($0) }.joined(separator: ", "))};
                            for (long line = 0; line < \(lines); line++)
                                for (long k = 0; k < \(vectors); k++)
                                    ((vector *)(nodes\(next)))[k] += v[line] * ((vector *)w[\(last)])[k];
                        }
                    }
                }
            }

            void khufu_gather(const call *restrict c) {
                double table[3 * \(window.padded)], w[3][\(window.padded)];
                long first[3];
                const long *stride = c->stride;
                fill(c, table);
                for (long i = c->first; i < c->end; i++) {
                    place(c, c->points + i * c->pointStride, table, first, w);
                    for (long channel = 0; channel < \(channels); channel++) {
                        const double *lattice = c->lattice + channel * c->latticeSize;
                        vector sums[\(lines)][\(vectors)] = {0};
                        double sum = 0;
                        \(loops){
                            const double *nodes = lattice + \(offset);
                            double v[] = {\((0..<lines).map(weight).joined(separator: ", "))};
                            for (long line = 0; line < \(lines); line++)
                                for (long k = 0; k < \(vectors); k++) sums[line][k] += v[line] * ((const vector *)(nodes\(next)))[k];
                        }
                        for (long line = 0; line < \(lines); line++)
                            for (long k = 0; k < \(window.padded); k++) sum += ((double *)sums[line])[k] * w[\(last)][k];
                        c->results[(i - c->first) * \(channels) + channel] = sum;
                    }
                }
            }

            """
    }
}

/// The nodes that a point touches along an axis.
struct LatticeWindow: Hashable, Sendable {
    /// How many: even, half of them on either side.
    let count: Int
    /// Numbers in a vector.
    let lanes: Int
    /// As many as that along the last axis, where vectors are.
    var padded: Int { (count + lanes - 1) / lanes * lanes }
    /// Those below the point, but for the nearest.
    var before: Int { count / 2 - 1 }
}
