extension VectorMath {
    static let trigonometric = [sin, cos]

    // sin(x) = (-1)^n sin(x - n pi), one odd polynomial on [-pi/2, pi/2] and no selection; cos likewise about odd multiples of pi/2.
    // With FMA, x - n P1 is exact (P1 is pi rounded), for the result is below 2 and a multiple of the last place of P1; what is
    // left of pi follows in two more steps. Arguments beyond the stated bound go to the library, lane by lane.
    private static let sin = VectorFunction(
        "sin", maximumError: (2, 2), domain: [-100...100],
        float32: reduction32 + #"""
            COLD f32 sin_lanes_f32(f32 x) { for (int k = 0; k < LANES; k++) x[k] = __builtin_sinf(x[k]); return x; }

            INLINE f32 sin_f32(f32 x)
            {
                f32 a = abs_f32(x);
                f32 t = a * 0.31830987f + 0x1.8p23f;
                f32 r = sin_half_period_f32(minus_pi_f32(a, t - 0x1.8p23f));
                f32 y = (f32)((i32)r ^ (i32)t << 31 ^ ((i32)x & (-0x7fffffff - 1)));
                if (RARELY(any_i32(~(a <= 1e5f)))) y = sin_lanes_f32(x);
                return y;
            }
            """#,
        float64: reduction64 + #"""
            COLD f64 sin_lanes_f64(f64 x) { for (int k = 0; k < LANES; k++) x[k] = __builtin_sin(x[k]); return x; }

            INLINE f64 sin_f64(f64 x)
            {
                f64 a = abs_f64(x);
                f64 t = a * 0.3183098861837907 + 0x1.8p52;
                f64 r = sin_half_period_f64(minus_pi_f64(a, t - 0x1.8p52));
                f64 y = (f64)((i64)r ^ (i64)t << 63 ^ ((i64)x & (-0x7fffffffffffffff - 1)));
                if (RARELY(any_i64(~(a <= PI_BOUND_f64)))) y = sin_lanes_f64(x);
                return y;
            }
            """#)

    private static let cos = VectorFunction(
        "cos", dependencies: ["sin"], maximumError: (2, 2), domain: [-100...100],
        float32: #"""
            COLD f32 cos_lanes_f32(f32 x) { for (int k = 0; k < LANES; k++) x[k] = __builtin_cosf(x[k]); return x; }

            INLINE f32 cos_f32(f32 x)
            {
                // cos(x) = -(-1)^n sin(x - (n + 1/2) pi)
                f32 a = abs_f32(x);
                f32 t = (a * 0.31830987f - 0.5f) + 0x1.8p23f;
                f32 r = sin_half_period_f32(minus_pi_f32(a, (t - 0x1.8p23f) + 0.5f));
                f32 y = (f32)((i32)r ^ ~(i32)t << 31);
                if (RARELY(any_i32(~(a <= 1e5f)))) y = cos_lanes_f32(x);
                return y;
            }
            """#,
        float64: #"""
            COLD f64 cos_lanes_f64(f64 x) { for (int k = 0; k < LANES; k++) x[k] = __builtin_cos(x[k]); return x; }

            INLINE f64 cos_f64(f64 x)
            {
                f64 a = abs_f64(x);
                f64 t = (a * 0.3183098861837907 - 0.5) + 0x1.8p52;
                f64 r = sin_half_period_f64(minus_pi_f64(a, (t - 0x1.8p52) + 0.5));
                f64 y = (f64)((i64)r ^ ~(i64)t << 63);
                if (RARELY(any_i64(~(a <= PI_BOUND_f64)))) y = cos_lanes_f64(x);
                return y;
            }
            """#)

    private static let reduction32 = #"""
        // x - n pi for |x| <= 1e5, n an integer or half of an odd one.
        INLINE f32 minus_pi_f32(f32 x, f32 n)
        {
        #if HAS_FMA
            return ((x - n * 0x1.921fb6p+1f) + n * 0x1.777a5cp-24f) + n * 0x1.ee59dap-49f;
        #else
            f64 wide = f64_from_f32(n);  // the product with 31 bits of pi is exact
            return f32_from_f64((f64_from_f32(x) - wide * 0x1.921fb544p+1) - wide * 0x1.0b4611a626331p-33);
        #endif
        }

        // sin(r) on [-1.58, 1.58], error 2^-27. The last places were tuned for the largest error after
        // rounding, near the ends, which depends on how often is rounded.
        INLINE f32 sin_half_period_f32(f32 r)
        {
            f32 z = r * r;
        #if HAS_FMA
            const float c5 = 0.00833306555f, c7 = 0.000198095324f;
        #else
            const float c5 = 0.00833306648f, c7 = 0.000198095207f;
        #endif
            f32 q = 2.60546926e-06f * z - c7;
            q = q * z + c5;
            q = q * z - 0.166666597f;
            return r + (r * z) * q;
        }

        """#

    private static let reduction64 = #"""
        // x - n pi, n an integer or half of an odd one.
        INLINE f64 minus_pi_f64(f64 x, f64 n)
        {
        #if HAS_FMA
        #define PI_BOUND_f64 1e12
            return ((x - n * 0x1.921fb54442d18p+1) - n * 0x1.1a62633145c07p-53) + n * 0x1.f1976b7ed8fb8p-109;
        #else
        #define PI_BOUND_f64 4e6  // n has 21 bits and the half; the products with 31 bits of pi each are exact
            return (((x - n * 0x1.921fb544p+1) - n * 0x1.0b4611a8p-33) + n * 0x1.d9cceba4p-65) - n * 0x1.b839a252049c1p-103;
        #endif
        }

        // sin(r) on [-1.58, 1.58], error 2^-61; last places tuned likewise.
        INLINE f64 sin_half_period_f64(f64 r)
        {
            f64 z = r * r;
            f64 q = 2.7200269284386825e-15 * z - 7.6428929424528435e-13;
            q = q * z + 1.6058936422671742e-10;
            q = q * z - 2.5052106820429428e-08;
            q = q * z + 2.7557319210756347e-06;
            q = q * z - 0.00019841269841208546;
            q = q * z + 0.0083333333333331962;
            q = q * z - 0.16666666666666666;
            return r + (r * z) * q;
        }

        """#
}
