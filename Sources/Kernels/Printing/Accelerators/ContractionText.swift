/// The product of matrices that a warp computes, in CUDA C for tensor cores and in OpenCL C.
///
/// Tensor cores multiply numbers of 11 bits (TF32) exactly and add the products in float32. A float32 is the sum of two such numbers but for
/// 2⁻²³ of it, and of the four products of two such sums the least is left out, another 2⁻²². The two small products have a sum of their
/// own, which rounding leaves alone (H. Ootomo and R. Yokota, "Recovering single precision accuracy from Tensor Cores while surpassing
/// the FP32 theoretical peak performance", 2022).
enum ContractionText {
    /// - Parameter isSplit: whether factors are split in two; otherwise each is rounded to 11 bits.
    static func functions(_ language: AcceleratorLanguage, _ tile: ContractionTile, isSplit: Bool) -> String {
        let sizes = """
            #define PART \(tile.partLength)
            #define ROW_STRIDE \(tile.rowStride)
            #define COLUMN_STRIDE \(tile.columnStride)
            #define PRODUCT_STRIDE \(tile.productStride)
            #define LANE (THREAD % 32)

            """
        return sizes + (language == .cuda ? cudaRounding : openCLRounding) + (language == .cuda ? tensorCores(isSplit) : plain(isSplit))
            + store
    }

    // MARK: CUDA

    private static let cudaRounding = """
        // The nearest number of 11 bits.
        INLINE u32 tf32_from_f32(f32 x) { u32 y; asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(y) : "f"(x)); return y; }

        """

    private static func tensorCores(_ isSplit: Bool) -> String {
        let (rowRest, columnRest) = isSplit ? (", row_rest", ", column_rest[n]") : ("", "")
        let products =
            isSplit
            ? """
                        multiply_add(rest[m][n], row_rest, column[n]);
                        multiply_add(rest[m][n], row, column_rest[n]);

            """ : ""
        return """
            // sums += row column', for 16 rows and 8 columns of 8 components. A lane holds, of rows l / 4 and l / 4 + 8 and of column l / 4,
            // two components, and of the sums those of these rows and the columns l % 4 * 2 and the next.
            INLINE void multiply_add(f32 *sums, const u32 *row, const u32 *column)
            {
                asm("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
                    : "+f"(sums[0]), "+f"(sums[1]), "+f"(sums[2]), "+f"(sums[3])
                    : "r"(row[0]), "r"(row[1]), "r"(row[2]), "r"(row[3]), "r"(column[0]), "r"(column[1]));
            }
            INLINE void split(f32 x, u32 *high\(isSplit ? ", u32 *rest" : ""))
            {
                *high = tf32_from_f32(x);\(isSplit ? "\n    *rest = tf32_from_f32(x - __uint_as_float(*high));" : "")
            }
            // Adds a part of the inner products of a warp's 32 rows and 32 columns.
            INLINE void contract(f32 (*products)[4][4], const f32 *rows, const f32 *columns)
            {
                f32 sums[2][4][4] = {}\(isSplit ? ", rest[2][4][4] = {}" : "");
                // The order of components is free, so that a lane's two are side by side.
                rows += LANE / 4 * ROW_STRIDE + LANE % 4 * 2;
                columns += LANE / 4 * COLUMN_STRIDE + LANE % 4 * 2;
                UNROLL_2
                for (int k = 0; k < PART; k += 8) {
                    u32 column[4][2]\(isSplit ? ", column_rest[4][2]" : "");
                    UNROLL
                    for (int n = 0; n < 4; n++) {
                        const float2 y = *(const float2 *)(columns + 8 * n * COLUMN_STRIDE + k);
                        split(y.x, column[n]\(columnRest));
                        split(y.y, column[n] + 1\(columnRest.isEmpty ? "" : columnRest + " + 1"));
                    }
                    UNROLL
                    for (int m = 0; m < 2; m++) {
                        const float2 x = *(const float2 *)(rows + 16 * m * ROW_STRIDE + k);
                        const float2 later = *(const float2 *)(rows + (16 * m + 8) * ROW_STRIDE + k);
                        u32 row[4]\(isSplit ? ", row_rest[4]" : "");
                        split(x.x, row\(rowRest));
                        split(later.x, row + 1\(rowRest.isEmpty ? "" : rowRest + " + 1"));
                        split(x.y, row + 2\(rowRest.isEmpty ? "" : rowRest + " + 2"));
                        split(later.y, row + 3\(rowRest.isEmpty ? "" : rowRest + " + 3"));
                        UNROLL
                        for (int n = 0; n < 4; n++) {
            \(products)                multiply_add(sums[m][n], row, column[n]);
                        }
                    }
                }
                UNROLL
                for (int i = 0; i < 32; i++) products[i / 16][i / 4 % 4][i % 4] += sums[i / 16][i / 4 % 4][i % 4]\(isSplit ? " + rest[i / 16][i / 4 % 4][i % 4]" : "");
            }

            """
    }

    // MARK: OpenCL

    private static let openCLRounding = """
        // The nearest number of 11 bits.
        INLINE f32 tf32_from_f32(f32 x) { return x == x ? as_float((as_uint(x) + 0x1000) & 0xffffe000) : x; }

        """

    /// The same lanes have the same products.
    private static func plain(_ isSplit: Bool) -> String {
        """
        // Adds a part of the inner products of 32 threads' 32 rows and 32 columns.
        INLINE void contract(f32 (*products)[4][4], SHARED_POINTER const f32 *rows, SHARED_POINTER const f32 *columns)
        {
            for (int i = 0; i < 32; i++) {
                SHARED_POINTER const f32 *x = rows + (i / 16 * 16 + LANE / 4 + i % 4 / 2 * 8) * ROW_STRIDE;
                SHARED_POINTER const f32 *y = columns + (i / 4 % 4 * 8 + LANE % 4 * 2 + i % 2) * COLUMN_STRIDE;
                f32 sum = 0\(isSplit ? ", rest = 0" : "");
                for (int k = 0; k < PART; k++) {
                    const f32 row = tf32_from_f32(x[k]), column = tf32_from_f32(y[k]);
        \(isSplit ? "            rest += tf32_from_f32(x[k] - row) * column;\n            rest += row * tf32_from_f32(y[k] - column);\n" : "")            sum += row * column;
                }
                products[i / 16][i / 4 % 4][i % 4] += sum\(isSplit ? " + rest" : "");
            }
        }

        """
    }

    // MARK: Both

    private static let store = """
        // To where each thread finds its own row's.
        INLINE void store_products(f32 (*products)[4][4], SHARED_POINTER f32 *target)
        {
            target += LANE % 4 * 2 * PRODUCT_STRIDE + THREAD / 32 * 32 + LANE / 4;
            UNROLL
            for (int i = 0; i < 32; i++) {
                target[(i / 4 % 4 * 8 + i % 2) * PRODUCT_STRIDE + i / 16 * 16 + i % 4 / 2 * 8] = products[i / 16][i / 4 % 4][i % 4];
            }
        }

        """
}
