extension VectorMath {
    static let powersOfTwo = [exp2, fastExp2]

    // exp(c u) with a factor c that is known early is 2^(u c / ln 2): no reduction by a rounded ln 2, and its error, is needed.
    // With AVX-512, `reduce` takes away the integral part (and makes infinities 0) and scalef multiplies by 2^floor(t).
    private static let exp2 = VectorFunction(
        "exp2", maximumError: (2, 2), domain: [-150...130],
        float32: scaledPolynomial(
            "exp2_f32", remark: "Overflows to infinity.",
            upToOne: """
                    // 2^r on [0, 1): 1.94 ulp at most over all floats, rounding included.
                    f32 p = 0.0018852975f * r + 0.008973379f;
                    p = p * r + 0.055835925f;
                    p = p * r + 0.2401528f;
                    p = p * r + 0.6931525f;
                    p = p * r + 1;
                """,
            upToHalf: """
                    // 2 * 2^r on |r| <= 1/2, error 2^-28.
                    f32 p = 2 * 0.00015353362f * r + 2 * 0.0013398874f;
                    p = p * r + 2 * 0.009618437f;
                    p = p * r + 2 * 0.055503324f;
                    p = p * r + 2 * 0.24022648f;
                    p = p * r + 2 * 0.6931472f;
                    p = p * r + 2;
                """),
        float64: #"""
            // Overflows to infinity. Results below 2^-1022 are 0 (with AVX-512: gradual underflow).
            INLINE f64 exp2_f64(f64 t)
            {
            #if IS_512(8 * LANES)
                // As in exp: a sixteenth's rest, and a table of 2^(i/16).
                const f64 low = {1.0, 1.0442737824274138, 1.0905077326652577, 1.1387886347566916,
                    1.189207115002721, 1.241857812073484, 1.2968395546510096, 1.3542555469368927};
                const f64 high = {1.4142135623730951, 1.4768261459394993, 1.5422108254079407, 1.6104903319492543,
                    1.681792830507429, 1.7562521603732995, 1.8340080864093424, 1.9152065613971474};
            #if IS_CLANG
                f64 r = __builtin_ia32_reducepd512_mask(t, 72, t, -1, 4);
                f64 m = t + 0x1.8p48;
                f64 table = __builtin_ia32_vpermi2varpd512(low, (i64)m, high);
            #else
                typedef long long indices __attribute__((vector_size(64)));
                t = max_f64(splat_f64(-1200), min_f64(splat_f64(1200), t));
                f64 m = t + 0x1.8p48;
                f64 r = t - (m - 0x1.8p48);
                f64 table = __builtin_ia32_vpermi2varpd512_mask(low, (indices)m, high, -1);
            #endif
                // 2^r - 1 on |r| <= 1/32, error 2^-56.
                f64 q = 0.00015403218567017774 * r + 0.0013333784583522007;
                q = q * r + 0.00961812911368542;
                q = q * r + 0.05550410865701631;
                q = q * r + 0.2402265069590988;
                q = (q * r + 0.6931471805599453) * r;
                f64 p = table * q + table;
                return __builtin_ia32_scalefpd512_mask(p, t - r, p, -1, 4);
            #else
                t = max_f64(splat_f64(-1022), min_f64(splat_f64(1025), t));
                f64 m = t + (0x1.8p52 + 1022);
                f64 r = t - (m - (0x1.8p52 + 1022));
                // 2 * 2^r on |r| <= 1/2, error 2^-57.
                f64 p = 2 * 4.4378141834982085e-10 * r + 2 * 7.073653270738154e-09;
                p = p * r + 2 * 1.0178174580975495e-07;
                p = p * r + 2 * 1.3215436167080151e-06;
                p = p * r + 2 * 1.5252733570965361e-05;
                p = p * r + 2 * 0.00015403530454994506;
                p = p * r + 2 * 0.0013333558146661894;
                p = p * r + 2 * 0.009618129107596185;
                p = p * r + 2 * 0.05550410866482082;
                p = p * r + 2 * 0.24022650695910125;
                p = p * r + 2 * 0.6931471805599453;
                p = p * r + 2;
                return p * (f64)((i64)m << 52);
            #endif
            }
            """#)

    // As exp2, with a polynomial of degree 3 that is 1 at 0.
    private static let fastExp2 = VectorFunction(
        "fast_exp2", dependencies: ["exp2"], maximumError: (1750, 2), domain: [-150...130],
        float32: scaledPolynomial(
            "fast_exp2_f32", remark: "Relative error 1e-4. Overflows to infinity.",
            upToOne: """
                    // 2^r on [0, 1): error 8.6e-5.
                    f32 p = 0.07706705f * r + 0.22764498f;
                    p = p * r + 0.69511679f;
                    p = p * r + 1;
                """,
            upToHalf: """
                    // 2 * 2^r on |r| <= 1/2, error 1.02e-4.
                    f32 p = 2 * 0.05500893f * r + 2 * 0.24221096f;
                    p = p * r + 2 * 0.69328293f;
                    p = p * r + 2;
                """),
        float64: "INLINE f64 fast_exp2_f64(f64 t) { return exp2_f64(t); }")

    /// 2^t as a power of 2 times a polynomial in what is left: on [0, 1) with AVX-512, where `reduce` and scalef do the rest; else, twice as
    /// large, on |r| <= 1/2.
    private static func scaledPolynomial(_ name: String, remark: String, upToOne: String, upToHalf: String) -> String {
        """
        // \(remark) Results below 2^-126 are 0 (with AVX-512: gradual underflow).
        INLINE f32 \(name)(f32 t)
        {
        #if IS_512(4 * LANES)
        #if IS_CLANG
            f32 r = __builtin_ia32_reduceps512_mask(t, 9, t, -1, 4);
        #else
            t = max_f32(splat_f32(-200), min_f32(splat_f32(200), t));
            f32 r = t - __builtin_ia32_rndscaleps_mask(t, 9, t, -1, 4);
        #endif
        \(upToOne)
            return __builtin_ia32_scalefps512_mask(p, t, p, -1, 4);
        #else
            t = max_f32(splat_f32(-126), min_f32(splat_f32(129), t));
            // Adding 126 as well makes the low bits the exponent field of 2^(n-1), which is 0 where the result underflows.
            f32 m = t + (0x1.8p23f + 126);
            f32 r = t - (m - (0x1.8p23f + 126));
        \(upToHalf)
            return p * (f32)((i32)m << 23);
        #endif
        }
        """
    }
}
