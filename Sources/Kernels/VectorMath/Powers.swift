extension VectorMath {
    static let powers = [pow]

    // x^y = exp(y log x) for positive finite x; other arguments go to the library, lane by lane.
    private static let pow = VectorFunction(
        "pow", arity: 2, maximumError: (2, 4), domain: [0...10, -30...30],
        float32: #"""
            COLD f32 pow_lanes_f32(f32 x, f32 y) { for (int k = 0; k < LANES; k++) x[k] = __builtin_powf(x[k], y[k]); return x; }

            // In float64 throughout, with polynomials as short as a float32 result allows.
            INLINE f32 pow_f32(f32 x, f32 y)
            {
                // x = 2^e m with m in [sqrt(1/2), sqrt(2)), as in log_f64; subnormal x are normal in float64.
                u64 bits = (u64)f64_from_f32(x) + (0x3ff0000000000000 - 0x3fe6a09e667f3bcd);
                f64 e = (f64)(bits >> 52 | 0x4330000000000000) - (0x1p52 + 1023);
                f64 m = (f64)((bits & 0xfffffffffffff) + 0x3fe6a09e667f3bcd);
                // log2(m) = s Q(s^2), s = (m - 1) / (m + 1), error 2^-38: after multiplication by y, at most 2^-31 of the result.
                f64 s = (m - 1) / (m + 1);
                f64 z = s * s;
                f64 q = 0.3407495740159597 * z + 0.4116718133662356;
                q = q * z + 0.5770835964191815;
                q = q * z + 0.9617966733155024;
                q = q * z + 2.8853900817900278;
                f64 p = f64_from_f32(y) * (s * q + e);
                p = max_f64(splat_f64(-200), min_f64(splat_f64(200), p));
                // 2^p = 2^n 2^r, |r| <= 1/2, error 2^-29. The conversion overflows and underflows as it should.
                f64 t = p + 0x1.8p52;
                f64 r = p - (t - 0x1.8p52);
                f64 w = 0.00015345959193486535 * r + 0.0013400063818023835;
                w = w * r + 0.00961848976249686;
                w = w * r + 0.05550328482052198;
                w = w * r + 0.24022646861822333;
                w = w * r + 0.6931472058413165;
                w = w * r + 1.0000000005647598;
                f32 result = f32_from_f64((f64)((i64)w + ((i64)t << 52)));
                i32 ordinary = (x > 0) & (x < __builtin_inff()) & (abs_f32(y) < __builtin_inff());
                if (RARELY(any_i32(~ordinary))) result = pow_lanes_f32(x, y);
                return result;
            }
            """#,
        float64: #"""
            COLD f64 pow_lanes_f64(f64 x, f64 y) { for (int k = 0; k < LANES; k++) x[k] = __builtin_pow(x[k], y[k]); return x; }

            // What a b lost by rounding to product.
            INLINE f64 product_error_f64(f64 a, f64 b, f64 product)
            {
            #if HAS_FMA && IS_CLANG
                return __builtin_elementwise_fma(a, b, -product);
            #elif HAS_FMA && IS_512(8 * LANES)
                return __builtin_ia32_vfmaddpd512_mask(a, b, -product, -1, 4);
            #elif HAS_FMA && IS_256(8 * LANES)
                return __builtin_ia32_vfmaddpd256(a, b, -product);
            #elif HAS_FMA
                f64 lost;
                for (int k = 0; k < LANES; k++) lost[k] = __builtin_fma(a[k], b[k], -product[k]);
                return lost;
            #else
                // Halves of 26 bits multiply exactly.
                f64 ah = (f64)((i64)a & -0x8000000), al = a - ah, bh = (f64)((i64)b & -0x8000000), bl = b - bh;
                return (((ah * bh - product) + ah * bl) + al * bh) + al * bl;
            #endif
            }

            // The logarithm carries a second float64 with its rounding errors, for y multiplies them by up to 700.
            INLINE f64 pow_f64(f64 x, f64 y)
            {
                // x = 2^e m, f = m - 1, s + s2 = f / (m + 1), z + z2 = s^2.
                u64 bits = (u64)x + (0x3ff0000000000000 - 0x3fe6a09e667f3bcd);
                f64 e = (f64)(bits >> 52 | 0x4330000000000000) - (0x1p52 + 1023);
                f64 m = (f64)((bits & 0xfffffffffffff) + 0x3fe6a09e667f3bcd);
                f64 f = m - 1, d = m + 1, d2 = m - (d - 1);
                f64 reciprocal = 1 / d;
                f64 s = f * reciprocal;
                f64 sd = s * d;
                f64 s2 = (((f - sd) - product_error_f64(s, d, sd)) - s * d2) * reciprocal;
                f64 z = s * s;
                f64 z2 = product_error_f64(s, s, z) + 2 * s * s2;
                // log(m) = 2 s + s z (2/3 + z Q(z)), error 2^-66; all but Q in double length.
                f64 q = 0.13197525243200378 * z + 0.13256694363631918;
                q = q * z + 0.15386762369221643;
                q = q * z + 0.18181784264031395;
                q = q * z + 0.22222222521021148;
                q = q * z + 0.28571428570093904;
                q = q * z + 0.40000000000002267;
                q = q * z;
                f64 g = q + 0.6666666666666666, g2 = ((0.6666666666666666 - g) + q) + 3.700743415417188e-17;
                f64 h = z * g, h2 = product_error_f64(z, g, h) + z * g2 + z2 * g;
                f64 c = s * h, c2 = product_error_f64(s, h, c) + s * h2 + s2 * h;
                f64 big = e * 0x1.62e42fefap-1;  // exact
                f64 sum = big + 2 * s, sum2 = (big - sum) + 2 * s;
                f64 l = sum + c, l2 = ((sum - l) + c) + (sum2 + (e * 0x1.cf79abc9e3b3ap-40 + (2 * s2 + c2)));
                // exp(y (l + l2)), see exp_f64.
                f64 p = y * l, p2 = product_error_f64(y, l, p) + y * l2;
                f64 t = p * 0x1.71547652b82fep+0 + (0x1.8p52 + 1022);
                f64 n = t - (0x1.8p52 + 1022);
                f64 r = ((p - n * 0x1.62e42fefap-1) - n * 0x1.cf79abc9e3b3ap-40) + p2;
                f64 w = 2 * 2.5008580540835458e-08 * r + 2 * 2.7630526325344347e-07;
                w = w * r + 2 * 2.755755903327767e-06;
                w = w * r + 2 * 2.4801492296963928e-05;
                w = w * r + 2 * 0.00019841269538052692;
                w = w * r + 2 * 0.001388888894444334;
                w = w * r + 2 * 0.008333333333479237;
                w = w * r + 2 * 0.041666666666526776;
                w = w * r + 2 * 0.16666666666666438;
                w = w * r + 2 * 0.5000000000000011;
                w = w * r + 2;
                w = w * r + 2;
                f64 result = w * (f64)((i64)t << 52);
                i64 ordinary = (x >= 0x1p-1022) & (x < __builtin_inf()) & (abs_f64(p) < 708);
                if (RARELY(any_i64(~ordinary))) result = pow_lanes_f64(x, y);
                return result;
            }
            """#)
}
