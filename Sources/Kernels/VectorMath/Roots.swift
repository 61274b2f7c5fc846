extension VectorMath {
    static let roots = [sqrt, rsqrt]

    private static let sqrt = VectorFunction(
        "sqrt", maximumError: (0.5, 0.5), domain: [0...1e6],
        float32: #"""
            INLINE f32 sqrt_f32(f32 x)
            {
            #if IS_CLANG
                return __builtin_elementwise_sqrt(x);
            #elif IS_512(4 * LANES)
                return __builtin_ia32_sqrtps512_mask(x, x, -1, 4);
            #elif IS_256(4 * LANES)
                return __builtin_ia32_sqrtps256(x);
            #elif IS_128(4 * LANES)
                return __builtin_ia32_sqrtps(x);
            #else
                for (int k = 0; k < LANES; k++) x[k] = __builtin_sqrtf(x[k]);
                return x;
            #endif
            }
            """#,
        float64: #"""
            INLINE f64 sqrt_f64(f64 x)
            {
            #if IS_CLANG
                return __builtin_elementwise_sqrt(x);
            #elif IS_512(8 * LANES)
                return __builtin_ia32_sqrtpd512_mask(x, x, -1, 4);
            #elif IS_256(8 * LANES)
                return __builtin_ia32_sqrtpd256(x);
            #elif IS_128(8 * LANES)
                return __builtin_ia32_sqrtpd(x);
            #else
                for (int k = 0; k < LANES; k++) x[k] = __builtin_sqrt(x[k]);
                return x;
            #endif
            }
            """#)

    private static let rsqrt = VectorFunction(
        "rsqrt", dependencies: ["sqrt"], maximumError: (2, 2), domain: [0...1e6],
        float32: #"""
            // 1 / sqrt(x), with rsqrt(0) = 0.
            INLINE f32 rsqrt_f32(f32 x)
            {
            #if IS_512(4 * LANES)
                // 14 bits from the table instruction, doubled by Newton's step: error 2^-27 and two roundings.
                f32 y = __builtin_ia32_rsqrt14ps512_mask(x, x, -1);
                f32 e = 1 - (x * y) * y;
                y = y + (y * 0.5f) * e;
                return select_f32((x == 0) | (x == __builtin_inff()), (f32){0}, y);
            #else
                return select_f32(x == 0, (f32){0}, 1 / sqrt_f32(x));
            #endif
            }
            """#,
        float64: #"""
            // 1 / sqrt(x), with rsqrt(0) = 0.
            INLINE f64 rsqrt_f64(f64 x)
            {
            #if IS_512(8 * LANES)
                // 14 bits from the table instruction, then the first terms of (1 - e)^(-1/2) with e = 1 - x y^2 below 2^-13.
                f64 y = __builtin_ia32_rsqrt14pd512_mask(x, x, -1);
                f64 e = 1 - (x * y) * y;
                f64 p = ((0.3125 * e + 0.375) * e + 0.5) * e;
                return select_f64((x == 0) | (x == __builtin_inf()), (f64){0}, y + y * p);
            #else
                return select_f64(x == 0, (f64){0}, 1 / sqrt_f64(x));
            #endif
            }
            """#)
}
