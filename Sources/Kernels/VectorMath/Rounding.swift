extension VectorMath {
    static let rounding = [floor, trunc, round]

    // Without SSE4.1, clang would call the library lane by lane: round by the magic number instead, then correct.
    private static let floor = VectorFunction(
        "floor", maximumError: (0, 0), domain: [-1e6...1e6],
        float32: #"""
            INLINE f32 floor_f32(f32 x)
            {
            #if IS_CLANG && (defined(__SSE4_1__) || !defined(__SSE2__))
                return __builtin_elementwise_floor(x);
            #elif IS_512(4 * LANES)
                return __builtin_ia32_rndscaleps_mask(x, 9, x, -1, 4);
            #elif IS_256(4 * LANES)
                return __builtin_ia32_roundps256(x, 9);
            #else
                f32 a = abs_f32(x);
                f32 n = copysign_f32((a + 0x1p23f) - 0x1p23f, x);  // nearest integer, ties to even
                n = n - (f32)((i32)splat_f32(1) & (n > x));
                return select_f32(a < 0x1p23f, copysign_f32(n, x), x);
            #endif
            }
            """#,
        float64: #"""
            INLINE f64 floor_f64(f64 x)
            {
            #if IS_CLANG && (defined(__SSE4_1__) || !defined(__SSE2__))
                return __builtin_elementwise_floor(x);
            #elif IS_512(8 * LANES)
                return __builtin_ia32_rndscalepd_mask(x, 9, x, -1, 4);
            #elif IS_256(8 * LANES)
                return __builtin_ia32_roundpd256(x, 9);
            #else
                f64 a = abs_f64(x);
                f64 n = copysign_f64((a + 0x1p52) - 0x1p52, x);
                n = n - (f64)((i64)splat_f64(1) & (n > x));
                return select_f64(a < 0x1p52, copysign_f64(n, x), x);
            #endif
            }
            """#)

    private static let trunc = VectorFunction(
        "trunc", maximumError: (0, 0), domain: [-1e6...1e6],
        float32: #"""
            INLINE f32 trunc_f32(f32 x)
            {
            #if IS_CLANG && (defined(__SSE4_1__) || !defined(__SSE2__))
                return __builtin_elementwise_trunc(x);
            #elif IS_512(4 * LANES)
                return __builtin_ia32_rndscaleps_mask(x, 11, x, -1, 4);
            #elif IS_256(4 * LANES)
                return __builtin_ia32_roundps256(x, 11);
            #else
                f32 a = abs_f32(x);
                f32 n = (a + 0x1p23f) - 0x1p23f;
                n = n - (f32)((i32)splat_f32(1) & (n > a));
                return select_f32(a < 0x1p23f, copysign_f32(n, x), x);
            #endif
            }
            """#,
        float64: #"""
            INLINE f64 trunc_f64(f64 x)
            {
            #if IS_CLANG && (defined(__SSE4_1__) || !defined(__SSE2__))
                return __builtin_elementwise_trunc(x);
            #elif IS_512(8 * LANES)
                return __builtin_ia32_rndscalepd_mask(x, 11, x, -1, 4);
            #elif IS_256(8 * LANES)
                return __builtin_ia32_roundpd256(x, 11);
            #else
                f64 a = abs_f64(x);
                f64 n = (a + 0x1p52) - 0x1p52;
                n = n - (f64)((i64)splat_f64(1) & (n > a));
                return select_f64(a < 0x1p52, copysign_f64(n, x), x);
            #endif
            }
            """#)

    // Halves away from zero, as C's round. What is added is the number just below one half: 0.49999997 must not become 1.
    private static let round = VectorFunction(
        "round", dependencies: ["trunc"], maximumError: (0, 0), domain: [-1e6...1e6],
        float32: #"""
            INLINE f32 round_f32(f32 x) { return trunc_f32(x + copysign_f32(splat_f32(0x1.fffffep-2f), x)); }
            """#,
        float64: #"""
            INLINE f64 round_f64(f64 x) { return trunc_f64(x + copysign_f64(splat_f64(0x1.fffffffffffffp-2), x)); }
            """#)
}
