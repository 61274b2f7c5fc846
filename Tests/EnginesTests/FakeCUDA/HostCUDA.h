// CUDA C on the host's processor, for tests of what kernels compute: a group of threads is as many fibers of one thread, which take turns
// at barriers. Included ahead of a kernel's text, which FakeCUDA.c has rid of its instructions for GPUs.

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#define __global__
#define __device__
#define __shared__ static
#define __forceinline__ inline
#define __noinline__
#define __launch_bounds__(...)
#define __align__(n) __attribute__((aligned(n)))
#define __restrict__ __restrict

struct float2 { float x, y; };
template <class To, class From> static To bits_as(From x) { To y; memcpy(&y, &x, sizeof y); return y; }
#define __int_as_float(x) bits_as<float, int>(x)
#define __uint_as_float(x) bits_as<float, unsigned>(x)
#define __float_as_uint(x) bits_as<unsigned, float>(x)
#define __longlong_as_double(x) bits_as<double, long long>(x)
static inline float rsqrtf(float x) { return 1 / sqrtf(x); }
static inline double rsqrt(double x) { return 1 / sqrt(x); }

// MARK: - Threads

struct Place { unsigned x; } threadIdx, blockIdx;
/// What a launch asks for beside what a kernel declares.
static float *matrices;

enum { MOST_THREADS = 1024, WARP = 32, STACK = 256 << 10 };
static ucontext_t launcher, fibers[MOST_THREADS];
static char *stacks;
static int is_running[MOST_THREADS], thread_count;
static int64_t words[64];
static void (*kernel)(int64_t, int64_t, int64_t, int64_t, int64_t, int64_t, int64_t, int64_t, int64_t, int64_t, int64_t, int64_t,
    int64_t, int64_t, int64_t, int64_t, int64_t, int64_t, int64_t, int64_t, int64_t, int64_t, int64_t, int64_t);

static void next_turn(void)
{
    unsigned own = threadIdx.x, next = own;
    do { next = (next + 1) % thread_count; } while (!is_running[next] && next != own);
    if (next == own) {
        if (!is_running[own]) setcontext(&launcher);
        return;
    }
    threadIdx.x = next;
    if (is_running[own]) swapcontext(&fibers[own], &fibers[next]); else setcontext(&fibers[next]);
}

struct Barrier { int arrived, generation; };
static void meet(struct Barrier *barrier, int count)
{
    volatile int *generation = &barrier->generation;
    const int before = *generation;
    if (++barrier->arrived == count) { barrier->arrived = 0; ++*generation; return; }
    while (*generation == before) next_turn();
}
static struct Barrier all, warps[MOST_THREADS / WARP];
#define __syncthreads() meet(&all, thread_count)

static void run_thread(void)
{
    int64_t *w = words;
    kernel(w[0], w[1], w[2], w[3], w[4], w[5], w[6], w[7], w[8], w[9], w[10], w[11], w[12], w[13], w[14], w[15], w[16], w[17], w[18], w[19],
        w[20], w[21], w[22], w[23]);
    is_running[threadIdx.x] = 0;
    next_turn();
}

/// Runs a kernel whose parameters are pointers and 64-bit integers, at most 24, which are passed as on CPUs: those too many do no harm.
extern "C" void host_launch(void *entry, unsigned groups, unsigned threads, unsigned shared, const int64_t *arguments, int count)
{
    if (count > 24 || threads > MOST_THREADS) abort();
    if (!stacks) stacks = (char *)malloc((size_t)MOST_THREADS * STACK);
    memcpy(words, arguments, count * sizeof *words);
    memcpy(&kernel, &entry, sizeof kernel);
    matrices = (float *)malloc(shared + 1);
    memset(matrices, 0x5a, shared + 1);
    thread_count = threads;
    for (blockIdx.x = 0; blockIdx.x < groups; blockIdx.x++) {
        for (unsigned t = 0; t < threads; t++) {
            getcontext(&fibers[t]);
            fibers[t].uc_stack.ss_sp = stacks + (size_t)t * STACK;
            fibers[t].uc_stack.ss_size = STACK;
            fibers[t].uc_link = NULL;
            is_running[t] = 1;
            makecontext(&fibers[t], run_thread, 0);
        }
        threadIdx.x = 0;
        swapcontext(&launcher, &fibers[0]);
    }
    free(matrices);
}

// MARK: - Instructions of GPUs

static inline float exp2_f32(float x) { float y = exp2f(x); return fabsf(y) < 0x1p-126f ? 0 : y; }
static inline float fast_exp2_f32(float x) { return exp2_f32(x); }
static inline float f32_from_h16(unsigned short h) { return (float)bits_as<_Float16>(h); }
static inline unsigned short h16_from_f32(float x) { return bits_as<unsigned short>((_Float16)x); }
static inline unsigned tf32_from_f32(float x) { return x == x ? (__float_as_uint(x) + 0x1000) & 0xffffe000 : 0x7fffffff; }

/// mma.sync.m16n8k8 of TF32: the fragments as the PTX manual lays them out. Sums are cut off after 24 bits, as tensor cores do.
static inline void multiply_add(float *sums, const unsigned *row, const unsigned *column)
{
    static struct { unsigned row[4], column[2]; } lanes[MOST_THREADS];
    const int first = threadIdx.x / WARP * WARP, lane = threadIdx.x % WARP, group = lane / 4, pair = lane % 4 * 2;
    memcpy(lanes[threadIdx.x].row, row, sizeof lanes->row);
    memcpy(lanes[threadIdx.x].column, column, sizeof lanes->column);
    meet(&warps[first / WARP], WARP);
    for (int i = 0; i < 4; i++) {
        const int m = group + i / 2 * 8, n = pair + i % 2;
        double sum = sums[i];
        for (int k = 0; k < 8; k++) {
            // A: a0 is (group, k), a1 (group + 8, k), a2 (group, k + 4), a3 (group + 8, k + 4), in lane group * 4 + k % 4.
            const unsigned a = lanes[first + m % 8 * 4 + k % 4].row[m / 8 + k / 4 * 2];
            // B: b0 is (k, group), b1 (k + 4, group).
            const unsigned b = lanes[first + n * 4 + k % 4].column[k / 4];
            if ((a | b) & 0x1fff && (a & 0x7fffffff) <= 0x7f800000 && (b & 0x7fffffff) <= 0x7f800000) abort();  // more than 11 bits
            sum += (double)__uint_as_float(a) * __uint_as_float(b);
        }
        float cut = (float)sum;
        if (fabs((double)cut) > fabs(sum)) cut = nextafterf(cut, 0);
        sums[i] = cut;
    }
    meet(&warps[first / WARP], WARP);
}
