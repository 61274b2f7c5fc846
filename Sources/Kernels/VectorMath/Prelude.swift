extension VectorMath {
    /// Types and helpers that every kernel and every vector function may use. Expects the macro `LANES`: a power of two.
    package static let prelude = types + comparisons + arithmetic + halfPrecision

    private static let types = #"""
        // Vectors of LANES lanes. In a float32 kernel f64 is twice as wide as the hardware; compilers split it.
        typedef float f32 __attribute__((vector_size(4 * LANES)));
        typedef double f64 __attribute__((vector_size(8 * LANES)));
        typedef int i32 __attribute__((vector_size(4 * LANES)));
        typedef unsigned u32 __attribute__((vector_size(4 * LANES)));
        #if __SIZEOF_LONG__ == 8  // the type of a comparison of f64
        typedef long i64 __attribute__((vector_size(8 * LANES)));
        typedef unsigned long u64 __attribute__((vector_size(8 * LANES)));
        #else
        typedef long long i64 __attribute__((vector_size(8 * LANES)));
        typedef unsigned long long u64 __attribute__((vector_size(8 * LANES)));
        #endif

        #define INLINE static inline __attribute__((always_inline, unused))
        #define COLD static __attribute__((noinline, cold, unused))
        #define RARELY(condition) __builtin_expect((condition), 0)

        // Sizes in bytes that one instruction set extension handles in one register.
        #if defined(__AVX512F__) && defined(__AVX512DQ__)
        #define IS_512(bytes) ((bytes) == 64)
        #else
        #define IS_512(bytes) 0
        #endif
        #ifdef __AVX__
        #define IS_256(bytes) ((bytes) == 32)
        #else
        #define IS_256(bytes) 0
        #endif
        #ifdef __SSE2__
        #define IS_128(bytes) ((bytes) == 16)
        #else
        #define IS_128(bytes) 0
        #endif
        #if defined(__FMA__) || defined(__ARM_FEATURE_FMA) || defined(__aarch64__)
        #define HAS_FMA 1
        #else
        #define HAS_FMA 0
        #endif
        #ifdef __clang__
        #define IS_CLANG 1
        #else
        #define IS_CLANG 0
        #endif

        // The same number in all lanes. Subtracting +0 keeps the sign of -0.
        INLINE f32 splat_f32(float x) { return x - (f32){0}; }
        INLINE f64 splat_f64(double x) { return x - (f64){0}; }
        INLINE i32 splat_i32(int x) { return x - (i32){0}; }
        INLINE i64 splat_i64(long long x) { return (__typeof__((i64){0}[0]))x - (i64){0}; }

        // Memory need only be aligned to the element.
        typedef f32 memory_f32 __attribute__((aligned(4), may_alias));
        typedef f64 memory_f64 __attribute__((aligned(8), may_alias));
        INLINE f32 load_f32(const float *p) { return *(const memory_f32 *)p; }
        INLINE f64 load_f64(const double *p) { return *(const memory_f64 *)p; }
        INLINE void store_f32(float *p, f32 x) { *(memory_f32 *)p = x; }
        INLINE void store_f64(double *p, f64 x) { *(memory_f64 *)p = x; }

        INLINE f64 f64_from_f32(f32 x) { return __builtin_convertvector(x, f64); }
        INLINE f32 f32_from_f64(f64 x) { return __builtin_convertvector(x, f32); }
        INLINE f32 f32_from_i32(i32 x) { return __builtin_convertvector(x, f32); }
        INLINE f64 f64_from_i32(i32 x) { return __builtin_convertvector(x, f64); }
        INLINE i64 i64_from_i32(i32 x) { return __builtin_convertvector(x, i64); }
        INLINE i32 i32_from_i64(i64 x) { return __builtin_convertvector(x, i32); }

        // name_f32 and name_f64 by the library's namef and name, lane by lane.
        #define library1(name) \
            extern float name##f(float); \
            extern double name(double); \
            COLD f32 name##_f32(f32 x) { for (int k = 0; k < LANES; k++) x[k] = name##f(x[k]); return x; } \
            COLD f64 name##_f64(f64 x) { for (int k = 0; k < LANES; k++) x[k] = name(x[k]); return x; }


        """#

    private static let comparisons = #"""
        // A mask is what a comparison yields: all bits set in the lanes where it holds, i32 for f32 and i64 for f64.
        // select: a where the mask is set, b elsewhere. Both forms become a blend. gcc has no ?: for vectors in C, but knows the
        // idiom; clang's ?: on its own vector type looks at the sign bit only, so it stays one instruction for any mask.
        #if IS_CLANG
        typedef float lanes_f32 __attribute__((ext_vector_type(LANES)));
        typedef double lanes_f64 __attribute__((ext_vector_type(LANES)));
        typedef int lanes_i32 __attribute__((ext_vector_type(LANES)));
        typedef __typeof__((i64){0}[0]) lanes_i64 __attribute__((ext_vector_type(LANES)));
        INLINE f32 select_f32(i32 m, f32 a, f32 b) { return (f32)((lanes_i32)m ? (lanes_f32)a : (lanes_f32)b); }
        INLINE f64 select_f64(i64 m, f64 a, f64 b) { return (f64)((lanes_i64)m ? (lanes_f64)a : (lanes_f64)b); }
        INLINE i32 select_i32(i32 m, i32 a, i32 b) { return (i32)((lanes_i32)m ? (lanes_i32)a : (lanes_i32)b); }
        INLINE i64 select_i64(i64 m, i64 a, i64 b) { return (i64)((lanes_i64)m ? (lanes_i64)a : (lanes_i64)b); }
        #else
        INLINE f32 select_f32(i32 m, f32 a, f32 b) { return (f32)((m & (i32)a) | (~m & (i32)b)); }
        INLINE f64 select_f64(i64 m, f64 a, f64 b) { return (f64)((m & (i64)a) | (~m & (i64)b)); }
        INLINE i32 select_i32(i32 m, i32 a, i32 b) { return (m & a) | (~m & b); }
        INLINE i64 select_i64(i64 m, i64 a, i64 b) { return (m & a) | (~m & b); }
        #endif

        // any: 1 if the mask is set in some lane, by one test of the register.
        #if IS_CLANG
        INLINE int any_i32(i32 m) { return __builtin_reduce_or(m) != 0; }
        INLINE int any_i64(i64 m) { return __builtin_reduce_or(m) != 0; }
        #else
        INLINE int any_i32(i32 m)
        {
        #if IS_512(4 * LANES)
            return __builtin_ia32_ptestmd512(m, m, -1) != 0;
        #elif IS_256(4 * LANES)
            typedef long long bits __attribute__((vector_size(32)));
            return !__builtin_ia32_ptestz256((bits)m, (bits)m);
        #elif IS_128(4 * LANES)
            typedef char bits __attribute__((vector_size(16)));
            return __builtin_ia32_pmovmskb128((bits)m) != 0;
        #else
            int all = 0;
            for (int k = 0; k < LANES; k++) all |= m[k];
            return all != 0;
        #endif
        }
        INLINE int any_i64(i64 m)
        {
        #if IS_512(8 * LANES)
            typedef long long bits __attribute__((vector_size(64)));
            return __builtin_ia32_ptestmq512((bits)m, (bits)m, -1) != 0;
        #elif IS_256(8 * LANES)
            typedef long long bits __attribute__((vector_size(32)));
            return !__builtin_ia32_ptestz256((bits)m, (bits)m);
        #else
            union { i64 whole; i32 half[2]; } both = {m};
            return any_i32(both.half[0] | both.half[1]);
        #endif
        }
        #endif


        """#

    private static let arithmetic = #"""
        INLINE f32 abs_f32(f32 x) { return (f32)((i32)x & 0x7fffffff); }
        INLINE f64 abs_f64(f64 x) { return (f64)((i64)x & 0x7fffffffffffffff); }

        // The magnitude of x with the sign bit of s.
        INLINE f32 copysign_f32(f32 x, f32 s) { return (f32)(((i32)x & 0x7fffffff) | ((i32)s & (-0x7fffffff - 1))); }
        INLINE f64 copysign_f64(f64 x, f64 s)
        {
            return (f64)(((i64)x & 0x7fffffffffffffff) | ((i64)s & (-0x7fffffffffffffff - 1)));
        }

        // a < b ? a : b and a > b ? a : b, as the SSE instructions do: b wherever one of both is NaN.
        INLINE f32 min_f32(f32 a, f32 b)
        {
        #if !IS_CLANG && IS_512(4 * LANES)
            return __builtin_ia32_minps512_mask(a, b, a, -1, 4);
        #elif !IS_CLANG && IS_256(4 * LANES)
            return __builtin_ia32_minps256(a, b);
        #elif !IS_CLANG && IS_128(4 * LANES)
            return __builtin_ia32_minps(a, b);
        #else
            return select_f32(a < b, a, b);
        #endif
        }
        INLINE f32 max_f32(f32 a, f32 b)
        {
        #if !IS_CLANG && IS_512(4 * LANES)
            return __builtin_ia32_maxps512_mask(a, b, a, -1, 4);
        #elif !IS_CLANG && IS_256(4 * LANES)
            return __builtin_ia32_maxps256(a, b);
        #elif !IS_CLANG && IS_128(4 * LANES)
            return __builtin_ia32_maxps(a, b);
        #else
            return select_f32(a > b, a, b);
        #endif
        }
        INLINE f64 min_f64(f64 a, f64 b)
        {
        #if !IS_CLANG && IS_512(8 * LANES)
            return __builtin_ia32_minpd512_mask(a, b, a, -1, 4);
        #elif !IS_CLANG && IS_256(8 * LANES)
            return __builtin_ia32_minpd256(a, b);
        #elif !IS_CLANG && IS_128(8 * LANES)
            return __builtin_ia32_minpd(a, b);
        #else
            return select_f64(a < b, a, b);
        #endif
        }
        INLINE f64 max_f64(f64 a, f64 b)
        {
        #if !IS_CLANG && IS_512(8 * LANES)
            return __builtin_ia32_maxpd512_mask(a, b, a, -1, 4);
        #elif !IS_CLANG && IS_256(8 * LANES)
            return __builtin_ia32_maxpd256(a, b);
        #elif !IS_CLANG && IS_128(8 * LANES)
            return __builtin_ia32_maxpd(a, b);
        #else
            return select_f64(a > b, a, b);
        #endif
        }


        """#

    private static let halfPrecision = #"""
        // float16 is a storage type: 16 bits in memory, f32 in registers.
        typedef unsigned short h16 __attribute__((vector_size(2 * LANES)));
        typedef h16 memory_h16 __attribute__((aligned(2), may_alias));

        INLINE f32 f32_from_h16(h16 h)
        {
        #if defined(__F16C__) && IS_CLANG
            typedef _Float16 halves __attribute__((vector_size(2 * LANES)));
            return __builtin_convertvector((halves)h, f32);
        #elif IS_512(4 * LANES)
            typedef short bits __attribute__((vector_size(32)));
            return __builtin_ia32_vcvtph2ps512_mask((bits)h, (f32){0}, -1, 4);
        #elif defined(__F16C__) && IS_256(4 * LANES)
            typedef short bits __attribute__((vector_size(16)));
            return __builtin_ia32_vcvtph2ps256((bits)h);
        #else
            // Exponent and mantissa moved to their float32 places are the number times 2^-112, subnormals included.
            u32 wide = __builtin_convertvector(h, u32);
            f32 x = (f32)((wide & 0x7fff) << 13) * 0x1p112f;
            u32 infinite = (u32)((wide & 0x7c00) == 0x7c00) & 0x7f800000;
            return (f32)((u32)x | infinite | ((wide & 0x8000) << 16));
        #endif
        }

        INLINE h16 h16_from_f32(f32 x)
        {
        #if defined(__F16C__) && IS_CLANG
            typedef _Float16 halves __attribute__((vector_size(2 * LANES)));
            return (h16)__builtin_convertvector(x, halves);
        #elif IS_512(4 * LANES)
            typedef short bits __attribute__((vector_size(32)));
            return (h16)__builtin_ia32_vcvtps2ph512_mask(x, 0, (bits){0}, -1);
        #elif defined(__F16C__) && IS_256(4 * LANES)
            return (h16)__builtin_ia32_vcvtps2ph256(x, 0);
        #else
            f32 a = min_f32(abs_f32(x), splat_f32(65536));  // 65520 and above round to 65536, which is infinity
            // Adding a power of two whose last place is that of the half rounds to even: the bits below are lost. The sum with
            // 2^(e+13), e the exponent of a (at least -14), has the half's last place.
            f32 size = max_f32(a, splat_f32(0x1p-14f));
            f32 shift = (f32)(((u32)size & 0x7f800000) + (13 << 23));
            u32 bits = (u32)(((a + shift) - shift) * 0x1p-112f) >> 13;
            bits = (u32)select_i32(x == x, (i32)bits, splat_i32(0x7e00));
            return __builtin_convertvector(bits | ((u32)x >> 16 & 0x8000), h16);
        #endif
        }

        // bfloat16, too: the upper half of a float32, rounded to even.
        INLINE f32 f32_from_b16(h16 b) { return (f32)(__builtin_convertvector(b, u32) << 16); }
        INLINE h16 b16_from_f32(f32 x)
        {
            u32 bits = (u32)x;
            u32 rounded = (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
            u32 quiet = (bits >> 16) | 0x40;
            return __builtin_convertvector((u32)select_i32(x == x, (i32)rounded, (i32)quiet), h16);
        }

        INLINE f32 load_h16(const void *p) { return f32_from_h16(*(const memory_h16 *)p); }
        INLINE void store_h16(void *p, f32 x) { *(memory_h16 *)p = h16_from_f32(x); }


        """#
}
