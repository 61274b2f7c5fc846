/// Products of matrices that a warp computes, in CUDA C for tensor cores and in OpenCL C.
///
/// Tensor cores multiply numbers of 11 bits (TF32) exactly and add the products in float32. A float32 is the sum of two such numbers but for
/// 2⁻²³ of it, and of the four products of two such sums the least is left out, another 2⁻²². The two small products have a sum of their
/// own, which rounding leaves alone (H. Ootomo and R. Yokota, "Recovering single precision accuracy from Tensor Cores while surpassing
/// the FP32 theoretical peak performance", 2022).
struct ContractionText {
    let language: AcceleratorLanguage
    let tile: ContractionTile
    /// Whether factors of inner products are split in two; otherwise each is rounded to 11 bits.
    let splitsProducts: Bool
    /// The same of weights and the vectors that they weight.
    let splitsWeights: Bool

    var functions: String {
        sizes + (language == .cuda ? Self.tensorCores : Self.rounding)
            + (tile.contraction == nil ? "" : contract + store)
            + (tile.weighting == nil ? "" : weigh)
    }

    private var sizes: String {
        """
        #define PART \(tile.partLength)
        #define ROW_STRIDE \(tile.rowStride)
        #define COLUMN_STRIDE \(tile.columnStride)
        #define PRODUCT_STRIDE \(tile.productStride)
        #define VECTOR_STRIDE \(tile.vectorStride)
        #define LANE (THREAD % 32)
        #define FOR_SUMS(i, m, n) for (int i = 0, m = 0, n = 0; i < 32; i++, m = i / 16, n = i / 4 % 4)

        """
    }

    // MARK: Words of the languages

    private static let tensorCores = """
        // The nearest number of 11 bits.
        INLINE u32 tf32_from_f32(f32 x) { u32 y; asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(y) : "f"(x)); return y; }
        // sums += row column', for 16 rows and 8 columns of 8 components. A lane holds, of rows l / 4 and l / 4 + 8 and of column l / 4, two
        // components, and of the sums those of these rows and the columns l % 4 * 2 and the next.
        INLINE void multiply_add(f32 *sums, const u32 *row, const u32 *column)
        {
            asm("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
                : "+f"(sums[0]), "+f"(sums[1]), "+f"(sums[2]), "+f"(sums[3])
                : "r"(row[0]), "r"(row[1]), "r"(row[2]), "r"(row[3]), "r"(column[0]), "r"(column[1]));
        }
        INLINE void split(f32 x, u32 *high, u32 *rest)
        {
            *high = tf32_from_f32(x);
            *rest = tf32_from_f32(x - __uint_as_float(*high));
        }

        """

    private static let rounding = """
        // The nearest number of 11 bits.
        INLINE f32 tf32_from_f32(f32 x) { return x == x ? as_float((as_uint(x) + 0x1000) & 0xffffe000) : x; }

        """

    // MARK: Products

    /// What a lane reads: of component k of row or column n, k and n being expressions.
    private struct Places {
        var row: (_ row: String, _ k: String) -> String
        var column: (_ column: String, _ k: String) -> String
        /// Whether components k and k + 1 are side by side.
        var areSideBySide: Bool
    }

    private var contract: String {
        let places = Places(
            row: { "rows[(\($0)) * ROW_STRIDE + \($1)]" }, column: { "columns[(\($0)) * COLUMN_STRIDE + \($1)]" },
            areSideBySide: true)
        return """
            // Adds a part of the inner products of a warp's 32 rows and 32 columns.
            INLINE void contract(f32 (*products)[4][4], SHARED_POINTER const f32 *rows, SHARED_POINTER const f32 *columns)
            {
            \(sums(places, "PART", isSplit: splitsProducts))
                UNROLL
                FOR_SUMS(i, m, n) products[m][n][i % 4] += sums[m][n][i % 4];
            }

            """
    }

    /// Statements that compute `sums`, `count` components long, of the matrices in shared memory.
    private func sums(_ places: Places, _ count: String, isSplit: Bool) -> String {
        language == .cuda ? sumsOfTensorCores(places, count, isSplit) : plainSums(places, count, isSplit ? .split : .rounded)
    }

    private func sumsOfTensorCores(_ places: Places, _ count: String, _ isSplit: Bool) -> String {
        func read(_ name: String, _ place: (String, String) -> String, _ point: String) -> String {
            // The order of components is free, so that a lane's two follow each other.
            let (first, second) = (place(point, "k + LANE % 4 * 2"), place(point, "k + LANE % 4 * 2 + 1"))
            return places.areSideBySide
                ? "const float2 \(name) = *(const float2 *)&\(first);" : "const float2 \(name) = {\(first), \(second)};"
        }
        func part(_ number: String, _ name: String, _ place: String) -> String {
            isSplit
                ? "split(\(number), &\(name)\(place), &\(name)_rest\(place));" : "\(name)\(place) = tf32_from_f32(\(number));"
        }
        let rest = isSplit ? ", row_rest[4]" : ""
        return """
                f32 sums[2][4][4] = {};
                \(isSplit ? "f32 rests[2][4][4] = {};" : "")
                UNROLL_2
                for (int k = 0; k < \(count); k += 8) {
                    u32 column[4][2]\(isSplit ? ", column_rest[4][2]" : "");
                    UNROLL
                    for (int n = 0; n < 4; n++) {
                        \(read("y", places.column, "8 * n + LANE / 4"))
                        \(part("y.x", "column", "[n][0]"))
                        \(part("y.y", "column", "[n][1]"))
                    }
                    UNROLL
                    for (int m = 0; m < 2; m++) {
                        \(read("x", places.row, "16 * m + LANE / 4"))
                        \(read("later", places.row, "16 * m + 8 + LANE / 4"))
                        u32 row[4]\(rest);
                        \(part("x.x", "row", "[0]"))
                        \(part("later.x", "row", "[1]"))
                        \(part("x.y", "row", "[2]"))
                        \(part("later.y", "row", "[3]"))
                        UNROLL
                        for (int n = 0; n < 4; n++) {
                            \(isSplit ? "multiply_add(rests[m][n], row_rest, column[n]);" : "")
                            \(isSplit ? "multiply_add(rests[m][n], row, column_rest[n]);" : "")
                            multiply_add(sums[m][n], row, column[n]);
                        }
                    }
                }
                \(isSplit ? "UNROLL" : "")
                \(isSplit ? "FOR_SUMS(i, m, n) sums[m][n][i % 4] += rests[m][n][i % 4];" : "")
            """
    }

    private enum Factors { case split, rounded, asTheyAre }

    /// The same lanes have the same sums.
    private func plainSums(_ places: Places, _ count: String, _ factors: Factors) -> String {
        let (x, y) = (
            places.row("16 * m + LANE / 4 + i % 4 / 2 * 8", "k"), places.column("8 * n + LANE % 4 * 2 + i % 2", "k")
        )
        let product =
            switch factors {
            case .asTheyAre: "sum += x * y;"
            case .rounded: "sum += tf32_from_f32(x) * tf32_from_f32(y);"
            case .split:
                """
                const f32 row = tf32_from_f32(x), column = tf32_from_f32(y);
                            rest += tf32_from_f32(x - row) * column;
                            rest += row * tf32_from_f32(y - column);
                            sum += row * column;
                """
            }
        return """
                f32 sums[2][4][4];
                \(language == .cuda ? "UNROLL" : "UNROLL_1")
                FOR_SUMS(i, m, n) {
                    f32 sum = 0\(factors == .split ? ", rest = 0" : "");
                    UNROLL_1
                    for (int k = 0; k < \(count); k++) {
                        const f32 x = \(x), y = \(y);
                        \(product)
                    }
                    sums[m][n][i % 4] = sum\(factors == .split ? " + rest" : "");
                }
            """
    }

    private let store = """
        // To where each thread finds its own row's.
        INLINE void store_products(f32 (*products)[4][4], SHARED_POINTER f32 *target)
        {
            target += LANE % 4 * 2 * PRODUCT_STRIDE + THREAD / 32 * 32 + LANE / 4;
            UNROLL
            FOR_SUMS(i, m, n) target[(n * 8 + i % 2) * PRODUCT_STRIDE + m * 16 + i % 4 / 2 * 8] = products[m][n][i % 4];
        }

        """

    // MARK: Weighted sums

    private var weigh: String {
        let places = Places(
            row: { "weights[(\($1)) * PRODUCT_STRIDE + \($0)]" }, column: { "vectors[(\($1)) * VECTOR_STRIDE + \($0)]" },
            areSideBySide: false)
        let parameters = "f32 (*weighted)[4][4], SHARED_POINTER const f32 *weights, SHARED_POINTER const f32 *vectors"
        func add(_ sums: String) -> String {
            """
            \(sums)
                UNROLL
                FOR_SUMS(i, m, n) weighted[m][n][i % 4] = weighted[m][n][i % 4] * factors[m * 16 + LANE / 4 + i % 4 / 2 * 8] + sums[m][n][i % 4];
            """
        }
        return """
            // Adds 32 columns' vectors, of 32 components, to a warp's 32 weighted sums, each of which is multiplied by a factor before.
            INLINE void weigh(\(parameters), SHARED_POINTER const f32 *factors)
            {
            \(add(sums(places, "32", isSplit: splitsWeights)))
            }
            // The same without splitting or rounding: infinities and what is next to them are multiplied as they are.
            INLINE void weigh_plainly(\(parameters), SHARED_POINTER const f32 *factors)
            {
            \(add(plainSums(places, "32", .asTheyAre)))
            }
            // Whether a number has to be multiplied as it is.
            #define IS_STRANGE(x) (!(-0x1p126f < (x) && (x) < 0x1p126f))
            INLINE void store_weighted(f32 (*weighted)[4][4], SHARED_POINTER f32 *target, int count)
            {
                target += LANE % 4 * 2 * PRODUCT_STRIDE + THREAD / 32 * 32 + LANE / 4;
                UNROLL
                FOR_SUMS(i, m, n) {
                    if (n * 8 + i % 2 + LANE % 4 * 2 < count) {
                        target[(n * 8 + i % 2) * PRODUCT_STRIDE + m * 16 + i % 4 / 2 * 8] = weighted[m][n][i % 4];
                    }
                }
            }

            """
    }
}
