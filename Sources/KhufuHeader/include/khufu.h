/* khufu.h: reductions a_i = Reduce_j F(p, x_i, y_j) over symbolic matrices, from any language that can call C.

   A formula F is built from text or from other formulas. A reduction is made of one, once; it is then run on arrays of any size, as
   often as wanted, and differentiated into further reductions.

       const char *inputs[] = {"x = Vi(3)", "y = Vj(3)", "b = Vj(1)"};
       khufu_reduction *sum = NULL;
       if (khufu_reduction_parse("Sum_Reduction(Exp(-SqDist(x, y)) * b, 0)", inputs, 3, &sum) != KHUFU_OK)
           puts(khufu_last_error());

   Functions that can fail return KHUFU_OK or the kind of mistake; khufu_last_error() then is the sentence about it.

   Objects never change. Any number of threads may use one at the same time, and whoever made it releases it once. A forked child
   makes its own: it may release what it has from its parent and do nothing else with it.

   Sizes are in numbers, not bytes, unless said. Indices count from 0. Text is UTF-8. */

#ifndef KHUFU_H
#define KHUFU_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What this header describes. A library whose khufu_abi_version() is another one does not fit it. */
#define KHUFU_ABI_VERSION 2

int32_t khufu_abi_version(void);

/* The library's version, such as "0.1.0". */
const char *khufu_version(void);

typedef enum khufu_status {
    KHUFU_OK = 0,
    /* A formula, a declaration or a reduction is wrong: of its text, its dimensions or its derivative. */
    KHUFU_FORMULA_ERROR = 1,
    /* Arrays do not fit what was declared or each other, an option is out of its range. No array was read. */
    KHUFU_ARGUMENT_ERROR = 2,
    /* The engine that was asked for cannot run here. */
    KHUFU_ENGINE_ERROR = 3,
    /* A linear system has no solution that could be found. */
    KHUFU_SOLVER_ERROR = 4,
    /* A progress function asked to stop. */
    KHUFU_CANCELLED = 5
} khufu_status;

/* What went wrong in the calling thread's last call that failed: a sentence, and for texts the line with a caret under the place.
   It is the library's, and valid until that thread's next failure. */
const char *khufu_last_error(void);

/* Where kernels are compiled and kept, which devices there are, and what was tried; a text for people. Returns the bytes it takes with its final zero, and
   writes as many as there is room for. */
size_t khufu_diagnosis(char *buffer, size_t capacity);

/* ---- Formulas ---- */

typedef struct khufu_formula khufu_formula;

typedef enum khufu_category {
    KHUFU_I = 0,         /* one vector per point of index i */
    KHUFU_J = 1,         /* one vector per point of index j */
    KHUFU_PARAMETER = 2  /* one vector for all points */
} khufu_category;

/* Reads a formula such as "Exp(-SqDist(a, b) / 2)" in which names stand for formulas made before.

   Without names: inputs are written Var(position,dimension,category). */
khufu_status khufu_formula_parse(
    const char *text, const char *const *names, const khufu_formula *const *operands, int32_t count, khufu_formula **formula);

/* The length of the vector that it is. */
int64_t khufu_formula_dimension(const khufu_formula *formula);

/* Text that reads as the formula. Returns the bytes it takes with its final zero, and writes as many as there is room for. */
size_t khufu_formula_text(const khufu_formula *formula, char *buffer, size_t capacity);

/* Releases a formula; NULL is none. Reductions keep what they are made of. */
void khufu_formula_release(khufu_formula *formula);

/* ---- Reductions ---- */

typedef struct khufu_reduction khufu_reduction;

/* How a reduction accumulates. */
typedef struct khufu_accumulation {
    const char *scheme;               /* "auto", "direct_sum", "block_sum" or "kahan_scheme"; NULL is "auto" */
    int32_t uses_double_accumulator;  /* other than 0: totals are kept in float64 whatever the arrays are */
} khufu_accumulation;

/* Makes a reduction of a formula.

   kind          "Sum", "LogSumExp", "Min_ArgMin", …: a name of KeOps' Genred
   weight        the second formula of the kinds that take one, or NULL
   k             how many values the k-min kinds keep; 1 for others
   over          KHUFU_I or KHUFU_J: the index that is reduced; the result follows the other
   accumulation  or NULL
   declarations  the inputs in the order in which arrays are given: "x = Vi(3)", "Vj(2)", "Var(4,1,2)" */
khufu_status khufu_reduction_create(
    const char *kind, const khufu_formula *formula, const khufu_formula *weight, int64_t k, khufu_category over,
    const khufu_accumulation *accumulation, const char *const *declarations, int32_t count, khufu_reduction **reduction);

/* The same from the text of its formulas, in which the declarations' names stand for inputs; weight may be NULL. */
khufu_status khufu_reduction_create_from_text(
    const char *kind, const char *formula, const char *weight, int64_t k, khufu_category over,
    const khufu_accumulation *accumulation, const char *const *declarations, int32_t count, khufu_reduction **reduction);

/* Reads a reduction as KeOps' engine writes it: "Sum_Reduction(formula, tag)", where tag 0 reduces over j. */
khufu_status khufu_reduction_parse(
    const char *text, const char *const *declarations, int32_t count, khufu_reduction **reduction);

/* The gradient of the sum of result * cotangent with respect to the input at a position: another reduction, of the same inputs and
   one more, the cotangent, of the result's shape. Its result has the input's shape; where the input was broadcast, it is summed. */
khufu_status khufu_reduction_gradient(const khufu_reduction *reduction, int32_t position, khufu_reduction **gradient);

/* The derivative along a direction of the input at a position: another reduction, of the same inputs and one more, the direction, of
   the input's shape. Its result has this one's shape. */
khufu_status khufu_reduction_tangent(const khufu_reduction *reduction, int32_t position, khufu_reduction **tangent);

/* How many arrays it takes. */
int32_t khufu_reduction_input_count(const khufu_reduction *reduction);

/* What one of them is; KHUFU_ARGUMENT_ERROR where there is no such input. */
khufu_status khufu_reduction_input(
    const khufu_reduction *reduction, int32_t position, khufu_category *category, int64_t *dimension);

/* What the result is: the index that it follows, numbers and indices per point. Derivatives have no indices. */
void khufu_reduction_result(
    const khufu_reduction *reduction, khufu_category *category, int64_t *value_count, int64_t *index_count);

/* Releases a reduction; NULL is none. */
void khufu_reduction_release(khufu_reduction *reduction);

/* ---- Arrays ---- */

/* Types of 16 bits are stored only: their arithmetic is float32. */
typedef enum khufu_type { KHUFU_FLOAT16 = 0, KHUFU_FLOAT32 = 1, KHUFU_FLOAT64 = 2, KHUFU_BFLOAT16 = 3 } khufu_type;

/* Memory of the caller's, contiguous and row-major: (batch…, points, dimension), or (batch…, dimension) for a parameter.
   Batch axes are aligned at the right and broadcast: lengths are equal, or 1, which repeats. */
typedef struct khufu_array {
    const void *data;
    const int64_t *shape;
    int32_t rank;
    int32_t type;  /* a khufu_type, the same for all arrays of a call */
} khufu_array;

/* Which points meet: block-sparsity in KeOps' layout. Row ranges are ranges of points of the result, column ranges those reduced over;
   row range k meets the column ranges from ends[k - 1] (0 for the first) to ends[k]. Points that no range holds meet nothing. */
typedef struct khufu_ranges {
    const int64_t *row_ranges;     /* (row_range_count, 2): first point, and the one after the last */
    const int64_t *ends;           /* (row_range_count): cumulative counts of column ranges */
    const int64_t *column_ranges;  /* (column_range_count, 2) */
    int64_t row_range_count;
    int64_t column_range_count;
} khufu_ranges;

/* The result of a reduction that a derivative was made from, for the same arrays: what is known is not computed again. */
typedef struct khufu_known {
    const khufu_reduction *reduction;
    khufu_array values;
} khufu_known;

typedef enum khufu_engine {
    KHUFU_AUTOMATIC = 0,   /* compiled where there is a compiler and enough to do, else interpreted */
    KHUFU_CPU = 1,         /* compiled, or KHUFU_ENGINE_ERROR */
    KHUFU_INTERPRETER = 2,
    KHUFU_CUDA = 3,        /* NVIDIA's GPUs, or KHUFU_ENGINE_ERROR */
    KHUFU_OPENCL = 4       /* what OpenCL's loader finds, or KHUFU_ENGINE_ERROR */
} khufu_engine;

/* Where the arrays of a call are: its inputs, ranges excepted, and its results. */
typedef enum khufu_memory {
    KHUFU_HOST = 0,  /* whence engines with memory of their own copy them */
    /* In the memory of the one device that the call runs on. The call returns when its work is queued on the stream; host and device
       meet only for gradients of minima, maxima and k-min lists with respect to what is reduced over, and where OpenCL is given no queue. Memory that is not
       that device's is KHUFU_ARGUMENT_ERROR: addresses as of cuMemAlloc, or cl_mem buffers of the queue's context, in place of pointers. */
    KHUFU_DEVICE = 1
} khufu_memory;

typedef enum khufu_pruning {
    KHUFU_PRUNING_AUTOMATIC = 0, /* where it is found to pay */
    KHUFU_PRUNING_ALWAYS = 1,    /* wherever the formula has bounds */
    KHUFU_PRUNING_NEVER = 2
} khufu_pruning;

/* How a reduction is run. All zeros are the defaults, and so is NULL in place of one. */
typedef struct khufu_options {
    int32_t engine;             /* a khufu_engine */
    int32_t threads;            /* at most so many; 0: as many as the process may use */
    int32_t fast_exponentials;  /* other than 0: exponentials to four digits, for speed */
    int32_t memory;             /* a khufu_memory: where the arrays are */
    void *stream;               /* with KHUFU_DEVICE a CUstream, or a cl_command_queue of the device that works in order; NULL is CUDA's
                                   default stream, and NULL on the host */
    const khufu_ranges *ranges; /* one for all batch items, or one per item in row-major order */
    int64_t range_count;        /* how many of those; 0: everything meets everything */
    const khufu_known *known;   /* for derivatives */
    int64_t known_count;
    int32_t pruning;            /* a khufu_pruning: whether pairs are left out that provably do not matter */
    double tolerance;           /* 0: sums take all pairs; else pruned sums may miss so much of the sum of magnitudes, less than 1 */
    const int32_t *devices;     /* the numbers of those of the engine's devices that share the work; on one device where arrays are there */
    int32_t device_count;       /* how many; 0: the first device */
    int64_t device_memory_limit; /* bytes that a call with arrays on the host may take of each device: what is larger passes
                                   through in pieces; 0: most of what the device has */
} khufu_options;

/* How many devices KHUFU_CUDA or KHUFU_OPENCL has here, numbered from 0: for CUDA in the order of CUDA_VISIBLE_DEVICES. */
int32_t khufu_device_count(int32_t engine);

/* A device's name, such as "NVIDIA H200". Returns the bytes it takes with its final zero, and writes as many as there is room for; 0 where
   there is no such device: then khufu_last_error() says why. */
size_t khufu_device_name(int32_t engine, int32_t number, char *buffer, size_t capacity);

/* The shape of the result for some arrays, whose memory is not read: (batch…, points, value_count), or (batch…, value_count) for the
   gradient of a parameter. Indices have the same shape but for the last length, index_count.

   rank receives the number of axes, of which as many as there is room for are written to shape. */
khufu_status khufu_reduction_shape(
    const khufu_reduction *reduction, const khufu_array *inputs, int32_t count, int64_t *shape, int32_t capacity, int32_t *rank);

/* Runs a reduction: checks all arrays, then computes into the caller's memory.

   values   room for value_capacity numbers of the inputs' type
   indices  room for index_capacity indices, NULL where the reduction has none */
khufu_status khufu_reduction_run(
    const khufu_reduction *reduction, const khufu_array *inputs, int32_t count, const khufu_options *options, void *values,
    int64_t value_capacity, int64_t *indices, int64_t index_capacity);

/* The most bytes that a run takes of the memory of each of the options' devices, in their order. Where the arrays are on the device they
   are not counted. No memory of the arrays is read. */
khufu_status khufu_reduction_device_memory(
    const khufu_reduction *reduction, const khufu_array *inputs, int32_t count, const khufu_options *options, int64_t *bytes,
    int32_t capacity);

/* ---- Linear systems ---- */

typedef enum khufu_solver {
    KHUFU_CONJUGATE_GRADIENTS = 0,  /* for positive definite systems */
    KHUFU_MINIMUM_RESIDUALS = 1     /* for symmetric systems that may be indefinite */
} khufu_solver;

typedef enum khufu_preconditioner {
    KHUFU_NO_PRECONDITIONER = 0,
    KHUFU_PIVOTED_CHOLESKY = 1,
    KHUFU_NYSTROM = 2
} khufu_preconditioner;

/* Called before each iteration; other than 0 ends the solve with KHUFU_CANCELLED. residual is the largest |b - Ax| / |b|. */
typedef int32_t (*khufu_solver_progress)(void *context, int64_t iteration, int64_t maximum, double residual);

typedef struct khufu_solver_settings {
    double alpha;               /* added to the diagonal */
    double tolerance;           /* of |b - Ax| / |b|; 0: 1e-5 in float32, 1e-8 in float64 */
    int64_t maximum_iterations; /* 0: 10 rows + 50, but 10 000 at most */
    int32_t solver;             /* a khufu_solver */
    int32_t preconditioner;     /* a khufu_preconditioner; for formulas that are a number times the unknown */
    int64_t preconditioner_rank;
    khufu_solver_progress progress; /* or NULL */
    void *context;
    double *residual;           /* NULL, or where the largest |b - Ax| / |b| of the solution goes */
    int32_t accepts_stagnation; /* other than 0: where rounding or the maximum of iterations keeps the residual above the tolerance, the
                                   best solution met is a result, not KHUFU_SOLVER_ERROR */
} khufu_solver_settings;

/* Solves K b' + alpha b' = b for b', where K maps the input at a position to the reduction's result: a sum that is linear in that
   input, b, which follows the reduced index, and has as many points and numbers per point as b. K is symmetric.

   Where the formula is a number per pair times b, the columns of b are systems of their own, solved at the same time; otherwise b is
   one vector of points times dimension numbers. There are no batches.

   solution: room for as many numbers as b has. float32 and float64 only. Arrays are on the host; an engine with memory of its own computes
   the products: the arrays are copied there once, and for each product one vector goes there and one comes back. */
khufu_status khufu_solve(
    const khufu_reduction *reduction, const khufu_array *inputs, int32_t count, int32_t position,
    const khufu_solver_settings *settings, const khufu_options *options, void *solution);

#ifdef __cplusplus
}
#endif

#endif
