extension VectorMath {
    static let exponentials = [exp, log]

    // exp(x) = 2^n exp(r): n is x / ln 2 rounded by adding 1.5 * 2^(mantissa bits), which leaves n in the low bits of the sum.
    // With AVX-512, n is rounded to a sixteenth instead, so that r is small and its polynomial short: a table of 2^(i/16) sits in a
    // register (two for f64), the permutation looks at the low bits of the sum only, and scalef multiplies by 2^floor(n).
    private static let exp = VectorFunction(
        "exp", maximumError: (2, 2), domain: [-110...100],
        float32: #"""
            #if IS_512(4 * LANES)
            // table[low 4 bits of the lane of t], and p 2^floor(n)
            INLINE f32 permute_f32(f32 table, f32 t)
            {
            #if IS_CLANG
                return __builtin_ia32_permvarsf512(table, (i32)t);
            #else
                return __builtin_ia32_permvarsf512_mask(table, (i32)t, t, -1);
            #endif
            }
            INLINE f32 scale_f32(f32 p, f32 n) { return __builtin_ia32_scalefps512_mask(p, n, p, -1, 4); }
            #endif

            // Overflows to infinity. Results below 2^-125.5 are 0 (with AVX-512: gradual underflow).
            INLINE f32 exp_f32(f32 x)
            {
            #if IS_512(4 * LANES)
                const f32 power = {1.0f, 1.0442737f, 1.0905077f, 1.1387886f, 1.1892071f, 1.2418578f, 1.2968396f, 1.3542556f,
                    1.4142135f, 1.4768262f, 1.5422108f, 1.6104903f, 1.6817929f, 1.7562522f, 1.8340081f, 1.9152066f};
                x = max_f32(splat_f32(-105), min_f32(splat_f32(90), x));
                f32 t = x * 0x1.715476p+0f + 0x1.8p19f;
                f32 n = t - 0x1.8p19f;
                f32 r = (x - n * 0x1.62e43p-1f) + n * 0x1.05c61p-29f;
                // exp(r) - 1 on |r| <= ln 2 / 32, error 2^-29.
                f32 q = ((0.16666791f * r + 0.5000165f) * r + 1) * r;
                f32 p = permute_f32(power, t);
                return scale_f32(p * q + p, n);
            #else
                x = max_f32(splat_f32(-87.3f), min_f32(splat_f32(88.8f), x));
                // Adding 126 as well makes the low bits the exponent field of 2^(n-1), which is 0 where the result underflows.
                f32 t = x * 0x1.715476p+0f + (0x1.8p23f + 126);
                f32 n = t - (0x1.8p23f + 126);
            #if HAS_FMA
                f32 r = (x - n * 0x1.62e43p-1f) + n * 0x1.05c61p-29f;
                // 2 exp(r) on |r| <= ln 2 / 2, error 1.1 ulp.
                f32 p = 2 * 0.008260566f * r + 2 * 0.04189926f;
                p = p * r + 2 * 0.16668199f;
                p = p * r + 2 * 0.4999914f;
                p = p * r + 2 * 0.99999946f;
            #else
                f32 r = (x - n * 0x1.62e4p-1f) - n * 0x1.7f7d1cp-20f;  // the first product is exact
                // One degree more, for there are twice as many roundings: error 0.1 ulp.
                f32 p = 2 * 0.0013789146f * r + 2 * 0.008368695f;
                p = p * r + 2 * 0.041668896f;
                p = p * r + 2 * 0.16666521f;
                p = p * r + 2 * 0.4999999f;
                p = p * r + 2;
            #endif
                p = p * r + 2;
                return p * (f32)((i32)t << 23);
            #endif
            }
            """#,
        float64: #"""
            #if IS_512(8 * LANES)
            // Of the two tables, the entry that the low 4 bits of the lane of t say, and p 2^floor(n)
            INLINE f64 permute_f64(f64 low, f64 high, f64 t)
            {
            #if IS_CLANG
                return __builtin_ia32_vpermi2varpd512(low, (i64)t, high);
            #else
                typedef long long indices __attribute__((vector_size(64)));
                return __builtin_ia32_vpermi2varpd512_mask(low, (indices)t, high, -1);
            #endif
            }
            INLINE f64 scale_f64(f64 p, f64 n) { return __builtin_ia32_scalefpd512_mask(p, n, p, -1, 4); }
            #endif

            // Overflows to infinity. Results below 2^-1021.5 are 0 (with AVX-512: gradual underflow).
            INLINE f64 exp_f64(f64 x)
            {
            #if IS_512(8 * LANES)
                const f64 power = {1.0, 1.0442737824274138, 1.0905077326652577, 1.1387886347566916,
                    1.189207115002721, 1.241857812073484, 1.2968395546510096, 1.3542555469368927};
                const f64 power2 = {1.4142135623730951, 1.4768261459394993, 1.5422108254079407, 1.6104903319492543,
                    1.681792830507429, 1.7562521603732995, 1.8340080864093424, 1.9152065613971474};
                x = max_f64(splat_f64(-746), min_f64(splat_f64(710), x));
                f64 t = x * 0x1.71547652b82fep+0 + 0x1.8p48;
                f64 n = t - 0x1.8p48;
                f64 r = (x - n * 0x1.62e42fefa39efp-1) - n * 0x1.abc9e3b39803fp-56;
                // exp(r) - 1 on |r| <= ln 2 / 32, error 2^-56.
                f64 q = 0.0013888607724661642 * r + 0.008333474854130631;
                q = q * r + 0.04166666669290593;
                q = q * r + 0.16666666664322916;
                q = q * r + 0.49999999999999606;
                q = (q * r + 1) * r;
                f64 p = permute_f64(power, power2, t);
                return scale_f64(p * q + p, n);
            #else
                x = max_f64(splat_f64(-708.39), min_f64(splat_f64(710), x));
                f64 t = x * 0x1.71547652b82fep+0 + (0x1.8p52 + 1022);
                f64 n = t - (0x1.8p52 + 1022);
            #if HAS_FMA
                f64 r = (x - n * 0x1.62e42fefa39efp-1) - n * 0x1.abc9e3b39803fp-56;
            #else
                f64 r = (x - n * 0x1.62e42fefap-1) - n * 0x1.cf79abc9e3b3ap-40;  // the first product is exact
            #endif
                // 2 exp(r) on |r| <= ln 2 / 2, error 2^-57.
                f64 p = 2 * 2.5008580540835458e-08 * r + 2 * 2.7630526325344347e-07;
                p = p * r + 2 * 2.755755903327767e-06;
                p = p * r + 2 * 2.4801492296963928e-05;
                p = p * r + 2 * 0.00019841269538052692;
                p = p * r + 2 * 0.001388888894444334;
                p = p * r + 2 * 0.008333333333479237;
                p = p * r + 2 * 0.041666666666526776;
                p = p * r + 2 * 0.16666666666666438;
                p = p * r + 2 * 0.5000000000000011;
                p = p * r + 2;
                p = p * r + 2;
                return p * (f64)((i64)t << 52);
            #endif
            }
            """#)

    // log(x) = e ln 2 + log(m).
    private static let log = VectorFunction(
        "log", maximumError: (2, 2), domain: [1e-37...1e37],
        float32: #"""
            COLD f32 log_lanes_f32(f32 x) { for (int k = 0; k < LANES; k++) x[k] = __builtin_logf(x[k]); return x; }

            INLINE f32 log_f32(f32 x)
            {
            #if IS_512(4 * LANES)
                // m in [3/4, 3/2). These instructions also give what 0, infinity, subnormal and negative numbers need.
                f32 m = __builtin_ia32_getmantps512_mask(x, 11, x, -1, 4);
                f32 e = __builtin_ia32_getexpps512_mask(x, x, -1, 4) - __builtin_ia32_getexpps512_mask(m, m, -1, 4);
                f32 f = m - 1;
                // (log(1 + f) - f) / f^2 on [-1/4, 1/2], error 2^-25 of the logarithm.
                f32 q = 0.05418565f * f - 0.120724134f;
                q = q * f + 0.14984176f;
                q = q * f - 0.16822018f;
                q = q * f + 0.19976987f;
                q = q * f - 0.2499349f;
                q = q * f + 0.33333552f;
                q = q * f - 0.5000006f;
                // Both parts of ln 2 are positive: no infinities of opposite sign meet.
                return e * 0x1.62e4p-1f + (f + ((q * f) * f + e * 0x1.7f7d1cp-20f));
            #else
                // m in [sqrt(1/2), sqrt(2)), found by subtracting its lower end from the bits: what remains of the exponent field is e.
                i32 bits = (i32)x - 0x3f3504f3;
                f32 e = f32_from_i32(bits >> 23);
                f32 f = (f32)((bits & 0x7fffff) + 0x3f3504f3) - 1;
                // (log(1 + f) - f) / f^2 on [-0.293, 0.415], error 2^-25 of the logarithm.
                f32 q = 0.08746048f * f - 0.14315657f;
                q = q * f + 0.14917277f;
                q = q * f - 0.16569257f;
                q = q * f + 0.19962043f;
                q = q * f - 0.25001812f;
                q = q * f + 0.3333395f;
                q = q * f - 0.4999999f;
                f32 low = (q * f) * f - e * 0x1.05c61p-29f;
                f32 y = e * 0x1.62e43p-1f + (f + low);
                i32 ordinary = (x >= 0x1p-126f) & (x < __builtin_inff());
                if (RARELY(any_i32(~ordinary))) y = log_lanes_f32(x);
                return y;
            #endif
            }
            """#,
        float64: #"""
            COLD f64 log_lanes_f64(f64 x) { for (int k = 0; k < LANES; k++) x[k] = __builtin_log(x[k]); return x; }

            INLINE f64 log_f64(f64 x)
            {
            #if IS_512(8 * LANES)
                f64 m = __builtin_ia32_getmantpd512_mask(x, 11, x, -1, 4);
                f64 e = __builtin_ia32_getexppd512_mask(x, x, -1, 4) - __builtin_ia32_getexppd512_mask(m, m, -1, 4);
                f64 f = m - 1;
                // As below with s in [-1/7, 1/5], error 2^-62.
                f64 s = f / (f + 2);
                f64 z = s * s;
                f64 q = 0.13843751818784467 * z + 0.13173497686887978;
                q = q * z + 0.1539111773900584;
                q = q * z + 0.18181665707981823;
                q = q * z + 0.22222224299049925;
                q = q * z + 0.2857142855580852;
                q = q * z + 0.40000000000056735;
                q = q * z + 0.666666666666666;
                return e * 0x1.62e42fefap-1 + (f + (e * 0x1.cf79abc9e3b3ap-40 - s * (f - q * z)));
            #else
                // m in [sqrt(1/2), sqrt(2)); the biased exponent becomes a number by way of the mantissa of 2^52.
                u64 bits = (u64)x + (0x3ff0000000000000 - 0x3fe6a09e667f3bcd);
                f64 e = (f64)(bits >> 52 | 0x4330000000000000) - (0x1p52 + 1023);
                f64 f = (f64)((bits & 0xfffffffffffff) + 0x3fe6a09e667f3bcd) - 1;
                // log(1 + f) = 2 atanh(s), an odd series in s with |s| < 0.172; error 2^-59. 2 s = f - s f keeps the first term exact.
                f64 s = f / (f + 2);
                f64 z = s * s;
                f64 q = 0.14797924462834108 * z + 0.15313861323162808;
                q = q * z + 0.18183571405138263;
                q = q * z + 0.2222219844300071;
                q = q * z + 0.2857142874359871;
                q = q * z + 0.39999999999409497;
                q = q * z + 0.6666666666666735;
                f64 low = e * 0x1.cf79abc9e3b3ap-40 - s * (f - q * z);
                f64 y = e * 0x1.62e42fefap-1 + (f + low);
                i64 ordinary = (x >= 0x1p-1022) & (x < __builtin_inf());
                if (RARELY(any_i64(~ordinary))) y = log_lanes_f64(x);
                return y;
            #endif
            }
            """#)
}
