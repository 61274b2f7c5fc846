import Formulas

/// What stands above the functions: the languages' words under one name each, and the mathematics that a kernel uses.
struct AcceleratorPrelude {
    let language: AcceleratorLanguage
    let kernel: Kernel
    let dialect: AcceleratorDialect
    let usesFloat64: Bool
    let contraction: ContractionTile?

    var text: String {
        Self.types(language, storage: kernel.precision.storage, usesFloat64: usesFloat64) + functions
            + (contraction.map { tile in
                ContractionText(
                    language: language, tile: tile, splitsProducts: kernel.splitsContraction, splitsWeights: kernel.splitsWeights
                ).functions
            } ?? "")
    }

    /// The languages' words, and conversions from and to what arrays hold.
    static func types(_ language: AcceleratorLanguage, storage: ScalarType, usesFloat64: Bool) -> String {
        let types = language == .cuda ? cuda : (usesFloat64 ? openCLFloat64 : "") + openCL
        let half =
            switch storage {
            case .float16: language == .cuda ? cudaHalf : openCLHalf
            case .bfloat16: brainHalf(language)
            case .float32, .float64: ""
            }
        return types + common + (usesFloat64 ? float64(language) : "") + half
    }

    /// The functions that the kernel calls, in the types that it calls them in.
    private var functions: String {
        var needed: Set<String> = []
        var text = ""
        for section in Kernel.Section.allCases {
            for case .define(let register, .apply(let instruction, _)) in kernel.sections[section, default: []].flattened {
                guard let name = instruction.function else { continue }
                let type = dialect.type(register.type)
                guard needed.insert("\(name)_\(type)").inserted else { continue }
                text +=
                    instruction == .select
                    ? "INLINE \(type) select_\(type)(i32 m, \(type) a, \(type) b) { return m ? a : b; }\n"
                    : AcceleratorMath.definition(of: name, isDouble: type == "f64", language) + "\n"
            }
        }
        return text
    }

    private static let cuda = """
        typedef float f32;
        typedef double f64;
        typedef int i32;
        typedef long long i64;
        typedef unsigned short u16;
        typedef unsigned u32;
        #define KERNEL KERNEL_BESIDE(1)
        #define KERNEL_BESIDE(groups) extern "C" __global__ __launch_bounds__(THREADS, groups)
        #define INLINE static __device__ __forceinline__ __attribute__((unused))
        #define OUTLINE static __device__ __noinline__ __attribute__((unused))
        #define GLOBAL
        #define SHARED __shared__ __align__(16)
        #define SHARED_POINTER
        #define RESTRICT __restrict__
        #define UNROLL _Pragma("unroll")
        #define UNROLL_8 _Pragma("unroll 8")
        #define UNROLL_4 _Pragma("unroll 4")
        #define UNROLL_2 _Pragma("unroll 2")
        #define UNROLL_1 _Pragma("unroll 1")
        #define BARRIER() __syncthreads()
        #define BARRIER_OF_ALL_MEMORY() __syncthreads()
        #define FORGET(n) asm volatile("" : "+l"(n))
        #define FORGET_INT(n) asm volatile("" : "+r"(n))
        #define THREAD ((int)threadIdx.x)
        #define GROUP ((u32)blockIdx.x)
        #define INFINITY_f32 __int_as_float(0x7f800000)
        #define NAN_f32 __int_as_float(0x7fc00000)

        """

    private static let openCLFloat64 = """
        #ifdef cl_khr_fp64
        #pragma OPENCL EXTENSION cl_khr_fp64 : enable
        #endif

        """

    private static let openCL = """
        typedef float f32;
        typedef int i32;
        typedef long i64;
        typedef ushort u16;
        typedef uint u32;
        #define KERNEL __kernel __attribute__((reqd_work_group_size(THREADS, 1, 1)))
        #define KERNEL_BESIDE(groups) KERNEL
        #define INLINE static inline
        #define OUTLINE static
        #define GLOBAL __global
        #define SHARED __local __attribute__((aligned(16)))
        #define SHARED_POINTER __local
        #define RESTRICT restrict
        #define UNROLL _Pragma("unroll")
        #define UNROLL_8 _Pragma("unroll 8")
        #define UNROLL_4 _Pragma("unroll 4")
        #define UNROLL_2 _Pragma("unroll 2")
        #define UNROLL_1 _Pragma("unroll 1")
        #define BARRIER() barrier(CLK_LOCAL_MEM_FENCE)
        #define BARRIER_OF_ALL_MEMORY() barrier(CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE)
        #define FORGET(n)
        #define FORGET_INT(n)
        #define THREAD ((int)get_local_id(0))
        #define GROUP ((u32)get_group_id(0))
        #define INFINITY_f32 INFINITY
        #define NAN_f32 NAN

        """

    private static let common = """
        // Whether the thread's row r is one of the group's.
        #define IS_ROW(r) (first_row + (r) * THREADS + THREAD < end_row)

        """

    private static func float64(_ language: AcceleratorLanguage) -> String {
        """
        \(language == .openCL ? "typedef double f64;" : "")
        #define INFINITY_f64 \(language == .cuda ? "__longlong_as_double(0x7ff0000000000000)" : "((f64)INFINITY)")
        #define NAN_f64 \(language == .cuda ? "__longlong_as_double(0x7ff8000000000000)" : "((f64)NAN)")
        #define f64_from_f32(x) ((f64)(x))
        #define f32_from_f64(x) ((f32)(x))

        """
    }

    // bfloat16 is the upper half of a float32, rounded to even.
    private static func brainHalf(_ language: AcceleratorLanguage) -> String {
        """
        #define FLOAT_OF(bits) \(language == .cuda ? "__uint_as_float(bits)" : "as_float(bits)")
        #define BITS_OF(x) \(language == .cuda ? "__float_as_uint(x)" : "as_uint(x)")
        INLINE f32 f32_from_b16(u16 b) { return FLOAT_OF((u32)b << 16); }
        INLINE u16 b16_from_f32(f32 x)
        {
            const u32 bits = BITS_OF(x);
            return (u16)(x == x ? (bits + 0x7fff + ((bits >> 16) & 1)) >> 16 : (bits >> 16) | 0x40);
        }

        """
    }

    // float16 is a storage type: 16 bits in memory, f32 in registers.
    private static let cudaHalf = """
        INLINE f32 f32_from_h16(u16 h) { f32 x; asm("cvt.f32.f16 %0, %1;" : "=f"(x) : "h"(h)); return x; }
        INLINE u16 h16_from_f32(f32 x) { u16 h; asm("cvt.rn.f16.f32 %0, %1;" : "=h"(h) : "f"(x)); return h; }

        """

    private static let openCLHalf = """
        INLINE f32 f32_from_h16(u16 h) { return vload_half(0, (const half *)&h); }
        INLINE u16 h16_from_f32(f32 x) { u16 h; vstore_half_rte(x, 0, (half *)&h); return h; }

        """
}
