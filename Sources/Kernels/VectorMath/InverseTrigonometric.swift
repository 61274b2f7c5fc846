extension VectorMath {
    static let inverseTrigonometric = [atan, atan2, asin, acos]

    // atan(p / q) for 0 <= p, and a quotient that is made small first: atan(t) = pi/4 + atan((t - 1) / (t + 1)), and pi/2 - atan(1 / t).
    // The quotient is taken once, of what the case says, so that there is one division.
    private static let atan = VectorFunction(
        "atan", maximumError: (3, 3), domain: [-10...10],
        float32: #"""
            // atan(t) on [-0.4143, 0.4143], error 2^-25.
            INLINE f32 atan_small_f32(f32 t)
            {
                f32 z = t * t;
                f32 q = 0.08049484f * z - 0.13876443f;
                q = q * z + 0.19977605f;
                q = q * z - 0.33332947f;
                return t + (t * z) * q;
            }

            INLINE f32 atan_f32(f32 x)
            {
                f32 a = abs_f32(x);
                i32 middle = a > 0.41421357f, large = a > 2.4142137f;
                f32 p = select_f32(large, splat_f32(-1), select_f32(middle, a - 1, a));
                f32 q = select_f32(large, a, select_f32(middle, a + 1, splat_f32(1)));
                f32 base = select_f32(large, splat_f32(1.5707964f), select_f32(middle, splat_f32(0.7853982f), (f32){0}));
                return copysign_f32(base + atan_small_f32(p / q), x);
            }
            """#,
        float64: #"""
            // atan(t) on [-0.4143, 0.4143], error 2^-59.
            INLINE f64 atan_small_f64(f64 t)
            {
                f64 z = t * t;
                f64 q = 0.0380382435017955 - 0.01787866257649328 * z;
                q = q * z - 0.050382568966183164;
                q = q * z + 0.058476535896449;
                q = q * z - 0.06663071125152352;
                q = q * z + 0.076920572610149;
                q = q * z - 0.09090897587613464;
                q = q * z + 0.11111110777362299;
                q = q * z - 0.14285714280069706;
                q = q * z + 0.19999999999952262;
                q = q * z - 0.3333333333333319;
                return t + (t * z) * q;
            }

            INLINE f64 atan_f64(f64 x)
            {
                f64 a = abs_f64(x);
                i64 middle = a > 0.41421356237309503, large = a > 2.414213562373095;
                f64 p = select_f64(large, splat_f64(-1), select_f64(middle, a - 1, a));
                f64 q = select_f64(large, a, select_f64(middle, a + 1, splat_f64(1)));
                f64 base = select_f64(large, splat_f64(1.5707963267948966), select_f64(middle, splat_f64(0.7853981633974483), (f64){0}));
                return copysign_f64(base + atan_small_f64(p / q), x);
            }
            """#)

    private static let atan2 = VectorFunction(
        "atan2", arity: 2, dependencies: ["atan"], maximumError: (3, 3), domain: [-10...10, -10...10],
        float32: #"""
            INLINE f32 atan2_f32(f32 y, f32 x)
            {
                f32 a = abs_f32(x), b = abs_f32(y);
                f32 p = min_f32(a, b), q = max_f32(a, b);
                q = select_f32(q == 0, splat_f32(1), q);                        // 0 / 0 is 0 here,
                p = select_f32(p == __builtin_inff(), splat_f32(1), p);         // and infinity / infinity is 1
                q = select_f32((q == __builtin_inff()) & (p == 1) & (a == b), splat_f32(1), q);
                f32 scale = select_f32(q > 1, splat_f32(0.25f), splat_f32(1));  // the sum below must not overflow
                p = p * scale;
                q = q * scale;
                i32 middle = p > q * 0.41421357f;
                f32 base = select_f32(middle, splat_f32(0.7853982f), (f32){0});
                f32 r = base + atan_small_f32(select_f32(middle, p - q, p) / select_f32(middle, p + q, q));
                r = select_f32(b > a, 1.5707964f - r, r);
                r = select_f32((i32)x < 0, 3.1415927f - r, r);
                return select_f32((x == x) & (y == y), copysign_f32(r, y), x + y);
            }
            """#,
        float64: #"""
            INLINE f64 atan2_f64(f64 y, f64 x)
            {
                f64 a = abs_f64(x), b = abs_f64(y);
                f64 p = min_f64(a, b), q = max_f64(a, b);
                q = select_f64(q == 0, splat_f64(1), q);
                p = select_f64(p == __builtin_inf(), splat_f64(1), p);
                q = select_f64((q == __builtin_inf()) & (p == 1) & (a == b), splat_f64(1), q);
                f64 scale = select_f64(q > 1, splat_f64(0.25), splat_f64(1));
                p = p * scale;
                q = q * scale;
                i64 middle = p > q * 0.41421356237309503;
                f64 base = select_f64(middle, splat_f64(0.7853981633974483), (f64){0});
                f64 r = base + atan_small_f64(select_f64(middle, p - q, p) / select_f64(middle, p + q, q));
                r = select_f64(b > a, 1.5707963267948966 - r, r);
                r = select_f64((i64)x < 0, 3.141592653589793 - r, r);
                return select_f64((x == x) & (y == y), copysign_f64(r, y), x + y);
            }
            """#)

    // One polynomial up to 1/2; beyond, asin(x) = pi/2 - 2 asin(sqrt((1 - x) / 2)), and acos is the complement.
    private static let asin = VectorFunction(
        "asin", dependencies: ["sqrt"], maximumError: (3, 3), domain: [-1...1],
        float32: #"""
            // (asin(s) - s) / s for z = s^2 <= 1/4, error 2^-27.
            INLINE f32 asin_small_f32(f32 z)
            {
                f32 q = 0.04219756f * z + 0.02416008f;
                q = q * z + 0.045474637f;
                q = q * z + 0.074952595f;
                q = q * z + 0.16666754f;
                return q * z;
            }

            INLINE f32 asin_f32(f32 x)
            {
                f32 a = abs_f32(x);
                i32 large = a > 0.5f;
                f32 z = select_f32(large, 0.5f - 0.5f * a, a * a);
                f32 s = select_f32(large, sqrt_f32(z), a);
                f32 r = s + s * asin_small_f32(z);
                return copysign_f32(select_f32(large, 1.5707964f - 2 * r, r), x);
            }
            """#,
        float64: #"""
            // (asin(s) - s) / s for z = s^2 <= 1/4, error 2^-56.
            INLINE f64 asin_small_f64(f64 z)
            {
                f64 q = 0.03191869288866158 * z - 0.016233672647602164;
                q = q * z + 0.019534303128116038;
                q = q * z + 0.006525754576534646;
                q = q * z + 0.012169728806683665;
                q = q * z + 0.013885156104906832;
                q = q * z + 0.017359712851710875;
                q = q * z + 0.02237175751266326;
                q = q * z + 0.030381959159166798;
                q = q * z + 0.04464285682781634;
                q = q * z + 0.07500000000337524;
                q = q * z + 0.16666666666665408;
                return q * z;
            }

            INLINE f64 asin_f64(f64 x)
            {
                f64 a = abs_f64(x);
                i64 large = a > 0.5;
                f64 z = select_f64(large, 0.5 - 0.5 * a, a * a);
                f64 s = select_f64(large, sqrt_f64(z), a);
                f64 r = s + s * asin_small_f64(z);
                return copysign_f64(select_f64(large, 1.5707963267948966 - 2 * r, r), x);
            }
            """#)

    private static let acos = VectorFunction(
        "acos", dependencies: ["asin"], maximumError: (3, 3), domain: [-1...1],
        float32: #"""
            INLINE f32 acos_f32(f32 x)
            {
                f32 a = abs_f32(x);
                i32 large = a > 0.5f;
                f32 z = select_f32(large, 0.5f - 0.5f * a, a * a);
                f32 s = select_f32(large, sqrt_f32(z), x);
                f32 r = s + s * asin_small_f32(z);
                f32 outer = select_f32(x < 0, 3.1415927f - 2 * r, 2 * r);
                return select_f32(large, outer, 1.5707964f - (r + 4.371139e-08f));
            }
            """#,
        float64: #"""
            INLINE f64 acos_f64(f64 x)
            {
                f64 a = abs_f64(x);
                i64 large = a > 0.5;
                f64 z = select_f64(large, 0.5 - 0.5 * a, a * a);
                f64 s = select_f64(large, sqrt_f64(z), x);
                f64 r = s + s * asin_small_f64(z);
                f64 outer = select_f64(x < 0, 3.141592653589793 - 2 * r, 2 * r);
                return select_f64(large, outer, 1.5707963267948966 - (r - 6.123233995736766e-17));
            }
            """#)
}
