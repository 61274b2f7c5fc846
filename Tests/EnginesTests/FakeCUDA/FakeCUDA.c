// A libcuda and an NVRTC without a GPU, for tests of the host's side.
//
// Devices whose memory is the host's; what belongs to one is refused by the others. Work that is put on a stream is done as late as the
// rules allow, when the stream or what waits for it is synchronised, so that a missing wait shows as wrong numbers and memory given back
// too early as a fault. Calls are counted and logged; any call can be made to fail; what is illegal while a graph is captured spoils the
// capture, as in CUDA.
//
// "Compiled" code is the text FAKE followed by the options and the source. Its kernels are the two below, whatever the source says, and
// those named khufu_…, which compute nothing, but look whether the memory that they are given is there when their turn comes.

#include <dlfcn.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef int CUresult;
typedef uintptr_t Handle;

enum {
    OK = 0, INVALID_VALUE = 1, OUT_OF_MEMORY = 2, NOT_INITIALIZED = 3, INVALID_IMAGE = 200, INVALID_CONTEXT = 201,
    INVALID_HANDLE = 400, NOT_FOUND = 500, ILLEGAL_ADDRESS = 700, CAPTURE_UNSUPPORTED = 900, CAPTURE_ISOLATION = 905
};

// MARK: - What tests set and ask

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static int deviceCount = 1, hasPools = 1, capability = 90, driverVersion = 12080, initStatus = OK, pushStatus = OK;
// Other than 0: all of the host's memory counts as the device's, as where a test's arrays stand for tensors on a GPU.
static int hostIsDevice;
// The bytes of shared memory that every kernel declares.
static int ownShared;
// What makes kernels compute, on the host's processor; none where they only leave traces.
static char *hostCompiler, *hostHeader, *hostFolder;
enum { USUAL_SHARED = 49152, LARGEST_SHARED = 232448 };
static int nvrtcMajor = 12, nvrtcMinor = 8;
static int failingCall, failure, callCount;
static int contexts, depth, modules, streams, events, buffers, programs, faults;
static char logText[1 << 20];
static size_t logSize;

#define SETTING(name) if (!strcmp(key, #name)) { name = value; return; }
void fake_set(const char *key, int value) {
    SETTING(deviceCount) SETTING(hasPools) SETTING(capability) SETTING(driverVersion) SETTING(initStatus) SETTING(pushStatus)
    SETTING(hostIsDevice) SETTING(nvrtcMajor) SETTING(nvrtcMinor) SETTING(ownShared) SETTING(failingCall) SETTING(failure) SETTING(callCount)
    abort();
}

void fake_compute(const char *compiler, const char *header, const char *folder) {
    hostCompiler = strdup(compiler);
    hostHeader = strdup(header);
    hostFolder = strdup(folder);
}

#define COUNT(name) if (!strcmp(key, #name)) return name;
int fake_count(const char *key) {
    COUNT(contexts) COUNT(depth) COUNT(modules) COUNT(streams) COUNT(events) COUNT(buffers) COUNT(programs) COUNT(faults)
    COUNT(callCount)
    abort();
}

/// What was called since last asked, a line each, with streams, events and buffers by their numbers.
const char *fake_log(void) {
    logText[logSize] = 0;
    logSize = 0;
    return logText;
}

#define LOG(...) do { if (logSize < sizeof logText - 200) logSize += snprintf(logText + logSize, 200, __VA_ARGS__); } while (0)

// Every call begins so: it may be the one that is to fail.
static int begin(void) {
    pthread_mutex_lock(&mutex);
    return ++callCount == failingCall ? failure : OK;
}
static CUresult end(CUresult status) {
    pthread_mutex_unlock(&mutex);
    return status;
}
#define BEGIN int failed = begin(); if (failed) return end(failed);
// What gives something back does so even when it reports a failure, which may be that of earlier work.
#define BEGIN_ENDING int failed = begin();

// MARK: - Contexts

static _Thread_local int threadDepth;
static _Thread_local Handle contextStack[64];
// The device whose context is current.
static int current(void) { return threadDepth > 0 ? (int)(contextStack[threadDepth - 1] - 0xc0) : -1; }
static _Thread_local int captureMode;
static int isInitialized;
#define NEED_CONTEXT if (threadDepth == 0) return end(INVALID_CONTEXT);

CUresult cuInit(unsigned flags) { BEGIN LOG("cuInit\n"); isInitialized = initStatus == OK; return end(initStatus); }
CUresult cuDriverGetVersion(int *version) { *version = driverVersion; return OK; }

CUresult cuGetErrorName(int status, const char **name) {
    *name = status == OUT_OF_MEMORY ? "CUDA_ERROR_OUT_OF_MEMORY"
        : status == ILLEGAL_ADDRESS ? "CUDA_ERROR_ILLEGAL_ADDRESS"
        : status == INVALID_IMAGE ? "CUDA_ERROR_INVALID_IMAGE"
        : status == NOT_FOUND ? "CUDA_ERROR_NOT_FOUND"
        : status == 100 ? "CUDA_ERROR_NO_DEVICE" : NULL;
    return *name ? OK : INVALID_VALUE;
}
CUresult cuGetErrorString(int status, const char **text) {
    *text = status == OUT_OF_MEMORY ? "out of memory"
        : status == ILLEGAL_ADDRESS ? "an illegal memory access was encountered"
        : status == INVALID_IMAGE ? "device kernel image is invalid"
        : status == NOT_FOUND ? "named symbol not found"
        : status == 100 ? "no CUDA-capable device is detected" : NULL;
    return *text ? OK : INVALID_VALUE;
}

CUresult cuDeviceGetCount(int *count) { BEGIN if (!isInitialized) return end(NOT_INITIALIZED); *count = deviceCount; return end(OK); }
CUresult cuDeviceGet(int *device, int ordinal) { BEGIN *device = ordinal; return end(ordinal < deviceCount ? OK : INVALID_VALUE); }
CUresult cuDeviceGetName(char *name, int capacity, int device) { BEGIN snprintf(name, capacity, "Fake GPU"); return end(OK); }
CUresult cuDeviceTotalMem_v2(size_t *bytes, int device) { BEGIN *bytes = 4000000; return end(OK); }
CUresult cuDeviceGetAttribute(int *value, int attribute, int device) {
    BEGIN
    switch (attribute) {
    case 1: *value = 1024; break;
    case 8: *value = USUAL_SHARED; break;
    case 16: *value = 132; break;
    case 75: *value = capability / 10; break;
    case 76: *value = capability % 10; break;
    case 97: *value = LARGEST_SHARED; break;
    case 115: *value = hasPools; break;
    default: return end(INVALID_VALUE);
    }
    return end(OK);
}

CUresult cuDevicePrimaryCtxRetain(Handle *context, int device) { BEGIN contexts++; *context = 0xc0 + device; return end(OK); }
CUresult cuDevicePrimaryCtxRelease_v2(int device) { BEGIN_ENDING contexts--; return end(failed); }
// Not among the calls that may be made to fail: where it fails, nothing can be given back any more.
CUresult cuCtxPushCurrent_v2(Handle context) {
    pthread_mutex_lock(&mutex);
    if (!pushStatus) { contextStack[threadDepth++] = context; depth++; }
    return end(pushStatus);
}
CUresult cuCtxPopCurrent_v2(Handle *context) { BEGIN_ENDING threadDepth--; depth--; return end(failed); }
CUresult cuThreadExchangeStreamCaptureMode(int *mode) {
    int before = captureMode;
    captureMode = *mode;
    *mode = before;
    return OK;
}
int fake_capture_mode(void) { return captureMode; }

// MARK: - Streams and the work on them

typedef void (*HostLaunch)(void *entry, unsigned groups, unsigned threads, unsigned shared, const int64_t *arguments, int count);
typedef struct Buffer { char *bytes; size_t size; int number, freed, device; struct Buffer *next; } Buffer;
typedef struct Stream Stream;
typedef struct { Stream *stream; size_t mark; int number, device; } Event;
typedef struct {
    enum { COPY, KERNEL, RELEASE, WAIT, CALL } kind;
    void *target; const void *source; size_t size;  // COPY; RELEASE's target
    int function, count, device; int64_t arguments[64];  // KERNEL
    char isPointer[64];
    void *entry; HostLaunch launch; unsigned groups, threads, shared;
    Stream *stream; size_t mark;                    // WAIT
    void (*call)(void *);                           // CALL, of target
} Work;
struct Stream { Work *work; size_t count, done; int number, isCapturing, device; };

static Buffer *allBuffers;
static Stream defaultStream;
static int streamNumber, eventNumber, bufferNumber, captures, spoiled, sticky;

static Stream *stream_of(Handle handle) { return handle == 0 ? &defaultStream : (Stream *)handle; }

static Buffer *buffer_at(const void *address) {
    for (Buffer *buffer = allBuffers; buffer; buffer = buffer->next)
        if ((char *)address >= buffer->bytes && (char *)address < buffer->bytes + buffer->size) return buffer;
    return NULL;
}
static int is_usable(const void *address, size_t size) {
    Buffer *buffer = buffer_at(address);
    if (!buffer && hostIsDevice) return 1;
    return buffer && !buffer->freed && (char *)address + size <= buffer->bytes + buffer->size;
}

static int is_of_device(const void *address, int device) {
    Buffer *buffer = buffer_at(address);
    return is_usable(address, 1) && (!buffer || buffer->device == device);
}

static void add(Stream *stream, Work work) {
    if (stream->isCapturing) return;  // it is of the graph, which is never run here
    stream->work = realloc(stream->work, (stream->count + 1) * sizeof(Work));
    stream->work[stream->count++] = work;
}

// The kernels: x[k] += 1, and x[k] = y[k], for k < n.
static const char *kernelNames[] = {"add_one", "copy", "khufu_centre", "khufu_columns", "khufu_rows", "khufu_merge", "khufu_total",
    "khufu_gather", "khufu_lists"};
enum { KERNEL_COUNT = 9, FIRST_CHECKED = 2 };
static void run_kernel(const Work *work) {
    if (work->function >= FIRST_CHECKED) {
        for (int k = 0; k < work->count; k++)
            if (work->isPointer[k] && work->arguments[k] && !is_of_device((void *)work->arguments[k], work->device)) {
                faults++;
                sticky = ILLEGAL_ADDRESS;
            }
        if (work->launch) work->launch(work->entry, work->groups, work->threads, work->shared, work->arguments, work->count);
        return;
    }
    double *x = (double *)work->arguments[0];
    double *y = work->function == 1 ? (double *)work->arguments[1] : x;
    int64_t n = work->function == 1 ? work->arguments[2] : work->arguments[1];
    if (!is_usable(x, n * sizeof(double)) || !is_usable(y, n * sizeof(double))) { faults++; sticky = ILLEGAL_ADDRESS; return; }
    for (int64_t k = 0; k < n; k++) x[k] = work->function == 1 ? y[k] : x[k] + 1;
}

static void run_until(Stream *stream, size_t mark) {
    while (stream->done < mark) {
        Work work = stream->work[stream->done++];
        switch (work.kind) {
        case COPY:
            if (!is_usable(work.target, work.size) && !is_usable(work.source, work.size)) { faults++; sticky = ILLEGAL_ADDRESS; }
            else memcpy(work.target, work.source, work.size);
            break;
        case KERNEL: run_kernel(&work); break;
        case RELEASE: {
            Buffer *buffer = buffer_at(work.target);
            buffer->freed = 1;
            memset(buffer->bytes, 0xdb, buffer->size);
            break;
        }
        case CALL: work.call(work.target); break;
        case WAIT: run_until(work.stream, work.mark); break;
        }
    }
}

// What a capture forbids: to its own stream always, and to other threads unless they have relaxed their mode.
#define FORBIDDEN_IN_CAPTURE(stream) \
    if ((stream) && ((Stream *)(stream))->isCapturing) { spoiled = 1; return end(CAPTURE_UNSUPPORTED); }
#define UNSAFE_BESIDE_CAPTURE if (captures && captureMode != 2) { spoiled = 1; return end(CAPTURE_UNSUPPORTED); }

CUresult cuStreamCreate(Handle *handle, unsigned flags) {
    BEGIN NEED_CONTEXT UNSAFE_BESIDE_CAPTURE
    if (flags != 1) return end(INVALID_VALUE);
    Stream *stream = calloc(1, sizeof(Stream));
    stream->number = ++streamNumber;
    stream->device = current();
    streams++;
    *handle = (Handle)stream;
    LOG("create stream %d\n", stream->number);
    return end(OK);
}
CUresult cuStreamDestroy_v2(Handle handle) {
    BEGIN_ENDING NEED_CONTEXT
    run_until(stream_of(handle), stream_of(handle)->count);
    LOG("destroy stream %d\n", stream_of(handle)->number);
    streams--;
    return end(failed);
}
CUresult cuStreamSynchronize(Handle handle) {
    BEGIN NEED_CONTEXT
    Stream *stream = stream_of(handle);
    FORBIDDEN_IN_CAPTURE(stream)
    LOG("synchronize stream %d\n", stream->number);
    run_until(stream, stream->count);
    return end(sticky);
}
CUresult cuStreamIsCapturing(Handle handle, int *status) { BEGIN *status = stream_of(handle)->isCapturing; return end(OK); }

CUresult cuLaunchHostFunc(Handle stream, void (*call)(void *), void *argument) {
    BEGIN NEED_CONTEXT
    add(stream_of(stream), (Work){.kind = CALL, .call = call, .target = argument});
    return end(OK);
}

CUresult cuEventCreate(Handle *handle, unsigned flags) {
    BEGIN NEED_CONTEXT
    Event *event = calloc(1, sizeof(Event));
    event->number = ++eventNumber;
    event->device = current();
    events++;
    *handle = (Handle)event;
    return end(OK);
}
CUresult cuEventDestroy_v2(Handle handle) { BEGIN_ENDING NEED_CONTEXT events--; return end(failed); }
CUresult cuEventRecord(Handle handle, Handle stream) {
    BEGIN NEED_CONTEXT
    Event *event = (Event *)handle;
    event->stream = stream_of(stream);
    if (stream && event->stream->device >= 0 && event->stream->device != event->device) return end(INVALID_HANDLE);
    event->mark = event->stream->count;
    LOG("record event %d on stream %d\n", event->number, event->stream->number);
    return end(OK);
}
CUresult cuStreamWaitEvent(Handle handle, Handle event, unsigned flags) {
    BEGIN NEED_CONTEXT
    Stream *stream = stream_of(handle), *other = ((Event *)event)->stream;
    if (stream->isCapturing && !other->isCapturing) { spoiled = 1; return end(CAPTURE_ISOLATION); }
    LOG("stream %d waits for event %d\n", stream->number, ((Event *)event)->number);
    add(stream, (Work){.kind = WAIT, .stream = other, .mark = ((Event *)event)->mark});
    return end(OK);
}

// A stream of the "caller's", and captures on it.
Handle fake_stream(void) {
    Stream *stream = calloc(1, sizeof(Stream));
    stream->device = -1;
    stream->number = ++streamNumber;
    return (Handle)stream;
}
void fake_begin_capture(Handle handle) { stream_of(handle)->isCapturing = 1; captures++; spoiled = 0; }
/// Whether the graph is good.
int fake_end_capture(Handle handle) { stream_of(handle)->isCapturing = 0; captures--; return !spoiled; }
/// Does the work that is left on a stream: the "caller" synchronises it.
void fake_run(Handle handle) { run_until(stream_of(handle), stream_of(handle)->count); }

// MARK: - Memory

static CUresult allocate(Handle *address, size_t size) {
    if (size > 4000000) return OUT_OF_MEMORY;
    Buffer *buffer = calloc(1, sizeof(Buffer));
    buffer->bytes = malloc(size);
    memset(buffer->bytes, 0xcd, size);
    buffer->size = size;
    buffer->device = current();
    buffer->number = ++bufferNumber;
    buffer->next = allBuffers;
    allBuffers = buffer;
    buffers++;
    *address = (Handle)buffer->bytes;
    return OK;
}
CUresult cuMemGetInfo_v2(size_t *free, size_t *total) { BEGIN NEED_CONTEXT *free = 600000; *total = 4000000; return end(OK); }
CUresult cuMemAlloc_v2(Handle *address, size_t size) {
    BEGIN NEED_CONTEXT UNSAFE_BESIDE_CAPTURE
    CUresult status = allocate(address, size);
    if (!status) LOG("allocate buffer %d\n", bufferNumber);
    return end(status);
}
CUresult cuMemFree_v2(Handle address) {
    BEGIN_ENDING NEED_CONTEXT UNSAFE_BESIDE_CAPTURE
    LOG("free buffer %d\n", buffer_at((void *)address)->number);
    buffer_at((void *)address)->freed = 1;
    buffers--;
    return end(failed);
}
CUresult cuMemAllocAsync(Handle *address, size_t size, Handle stream) {
    BEGIN NEED_CONTEXT
    if (!hasPools) return end(801);
    CUresult status = allocate(address, size);
    if (!status) LOG("allocate buffer %d on stream %d\n", bufferNumber, stream_of(stream)->number);
    return end(status);
}
CUresult cuMemFreeAsync(Handle address, Handle stream) {
    BEGIN_ENDING NEED_CONTEXT
    LOG("free buffer %d on stream %d\n", buffer_at((void *)address)->number, stream_of(stream)->number);
    add(stream_of(stream), (Work){.kind = RELEASE, .target = (void *)address});
    buffers--;
    return end(failed);
}
CUresult cuMemcpyHtoDAsync_v2(Handle target, const void *source, size_t size, Handle stream) {
    BEGIN NEED_CONTEXT FORBIDDEN_IN_CAPTURE(stream_of(stream))
    LOG("upload to buffer %d on stream %d\n", buffer_at((void *)target)->number, stream_of(stream)->number);
    add(stream_of(stream), (Work){.kind = COPY, .target = (void *)target, .source = source, .size = size});
    return end(OK);
}
CUresult cuMemcpyDtoHAsync_v2(void *target, Handle source, size_t size, Handle stream) {
    BEGIN NEED_CONTEXT FORBIDDEN_IN_CAPTURE(stream_of(stream))
    LOG("download from buffer %d on stream %d\n", buffer_at((void *)source)->number, stream_of(stream)->number);
    add(stream_of(stream), (Work){.kind = COPY, .target = target, .source = (void *)source, .size = size});
    return end(OK);
}
// The two addresses stand for memory of device 1 and for managed memory.
CUresult cuPointerGetAttribute(int *value, int attribute, Handle address) {
    BEGIN NEED_CONTEXT
    Buffer *buffer = buffer_at((void *)address);
    if (address != 0x1000 && address != 0x2000 && !buffer && !hostIsDevice) return end(INVALID_VALUE);
    *value = attribute == 2 ? 2 : attribute == 8 ? address == 0x2000 : address == 0x1000;
    return end(OK);
}

// MARK: - Programs

CUresult cuModuleLoadData(Handle *module, const char *image) {
    BEGIN NEED_CONTEXT UNSAFE_BESIDE_CAPTURE
    if (memcmp(image, "FAKE", 4) && memcmp(image, "\x7f" "ELF", 4)) return end(INVALID_IMAGE);
    modules++;
    *module = (Handle)strdup(image);
    LOG("load module\n");
    return end(OK);
}
CUresult cuModuleUnload(Handle module) { BEGIN_ENDING NEED_CONTEXT modules--; LOG("unload module\n"); return end(failed); }
typedef struct { int number, count, own, granted, device; char isPointer[64]; void *entry; HostLaunch launch; } Function;

/// Which of a kernel's parameters are pointers, from its text.
static void read_parameters(const char *code, const char *name, Function *function) {
    char beginning[64];
    snprintf(beginning, sizeof beginning, " void %s(", name);
    const char *text = strstr(code, beginning);
    if (!text) abort();
    const char *closing = strchr(text + strlen(beginning), ')');
    function->count = 1;
    for (const char *c = text + strlen(beginning); c < closing; c++) {
        if (*c == ',') function->count++;
        if (*c == '*') function->isPointer[function->count - 1] = 1;
    }
    if (function->count > 64) abort();
}

// MARK: Kernels that compute

/// Blanks a text from a beginning to an ending, wherever it stands.
static void blank(char *text, const char *beginning, const char *ending) {
    for (char *start; (start = strstr(text, beginning));) {
        char *end = strstr(start, ending);
        if (!end) abort();
        for (; start < end; start++) if (*start != '\n') *start = ' ';
    }
}

/// Compiles a kernel's text for this processor, with what HostCUDA.h has in place of a GPU's instructions, and finds an entry.
static void find_on_host(const char *code, const char *name, Function *function) {
    static struct { const char *code; void *library; } known;
    if (!known.code || strcmp(known.code, code)) {
        static int number;
        char *text = strdup(strchr(code, '\n')), path[512], command[2048];
        for (int k = 0; k < 6; k++) {
            const char *functions[] = {"exp2_f32", "fast_exp2_f32", "f32_from_h16", "h16_from_f32", "tf32_from_f32", "multiply_add"};
            const char *types[] = {"f32", "f32", "f32", "u16", "u32", "void"};
            char beginning[64];
            snprintf(beginning, sizeof beginning, "INLINE %s %s(", types[k], functions[k]);
            blank(text, beginning, k == 5 ? "INLINE void split" : "\n");
        }
        blank(text, "asm volatile(", "\n");
        blank(text, "extern SHARED", "\n");
        snprintf(path, sizeof path, "%s/kernel%d.cpp", hostFolder, ++number);
        FILE *file = fopen(path, "w");
        if (!file || fputs(text, file) < 0 || fclose(file)) abort();
        free(text);
        snprintf(command, sizeof command, "\"%s\" -x c++ -std=c++17 -O1 -w -ffp-contract=fast -fno-threadsafe-statics -shared -fPIC "
            "-Wno-unknown-pragmas -include \"%s\" \"%s\" -o \"%s.so\" -lm", hostCompiler, hostHeader, path, path);
        if (system(command)) abort();
        strcat(path, ".so");
        known.library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
        if (!known.library) abort();
        known.code = strdup(code);
    }
    function->entry = dlsym(known.library, name);
    function->launch = (HostLaunch)dlsym(known.library, "host_launch");
    if (!function->entry || !function->launch) abort();
}

CUresult cuModuleGetFunction(Handle *function, Handle module, const char *name) {
    BEGIN NEED_CONTEXT
    for (int k = 0; k < KERNEL_COUNT; k++)
        if (!strcmp(name, kernelNames[k])) {
            Function *made = calloc(1, sizeof(Function));
            made->number = k;
            made->count = k == 0 ? 2 : 3;
            made->own = ownShared;
            made->device = current();
            made->granted = USUAL_SHARED - ownShared;
            if (k >= FIRST_CHECKED) read_parameters((const char *)module, name, made);
            if (k >= FIRST_CHECKED && hostCompiler) find_on_host((const char *)module, name, made);
            *function = (Handle)made;
            return end(OK);
        }
    return end(NOT_FOUND);
}
CUresult cuFuncGetAttribute(int *value, int attribute, Handle function) {
    BEGIN NEED_CONTEXT
    if (attribute != 1) return end(INVALID_VALUE);
    *value = ((Function *)function)->own;
    return end(OK);
}
CUresult cuFuncSetAttribute(Handle function, int attribute, int value) {
    BEGIN NEED_CONTEXT
    Function *granted = (Function *)function;
    if (attribute != 8 || value < 0 || value > LARGEST_SHARED - granted->own) return end(INVALID_VALUE);
    granted->granted = value;
    LOG("let %s share %d bytes\n", kernelNames[granted->number], value);
    return end(OK);
}
CUresult cuLaunchKernel(Handle function, unsigned gridX, unsigned gridY, unsigned gridZ, unsigned blockX, unsigned blockY, unsigned blockZ,
    unsigned shared, Handle stream, void **arguments, void **extra) {
    BEGIN NEED_CONTEXT
    if (blockX > 1024) return end(INVALID_VALUE);
    const Function *started = (const Function *)function;
    if (shared > (unsigned)started->granted) return end(INVALID_VALUE);
    // A stream of the caller's is of whatever device.
    if (started->device != current() || (stream && stream_of(stream)->device >= 0 && stream_of(stream)->device != current()))
        return end(INVALID_HANDLE);
    LOG("launch %s %u x %u on stream %d", kernelNames[started->number], gridX, blockX, stream_of(stream)->number);
    if (shared) LOG(", sharing %u bytes", shared);
    LOG("\n");
    Work work = {.kind = KERNEL, .function = started->number, .count = started->count, .device = current(), .entry = started->entry,
        .launch = started->launch, .groups = gridX, .threads = blockX, .shared = shared};
    for (int k = 0; k < started->count; k++) {
        memcpy(&work.arguments[k], arguments[k], 8);
        work.isPointer[k] = started->isPointer[k];
    }
    add(stream_of(stream), work);
    return end(OK);
}

// MARK: - NVRTC

typedef struct { char *source; char *code; const char *log; } Program;

const char *nvrtcGetErrorString(int status) { return status == 6 ? "NVRTC_ERROR_COMPILATION" : "NVRTC_ERROR_INVALID_INPUT"; }
int nvrtcVersion(int *major, int *minor) { *major = nvrtcMajor; *minor = nvrtcMinor; return 0; }
int nvrtcGetNumSupportedArchs(int *count) { *count = 3; return 0; }
int nvrtcGetSupportedArchs(int *numbers) { numbers[0] = 75; numbers[1] = 80; numbers[2] = 90; return 0; }
int nvrtcCreateProgram(Handle *handle, const char *source, const char *name, int count, void *headers, void *names) {
    Program *program = calloc(1, sizeof(Program));
    program->source = strdup(source);
    program->log = "";
    programs++;
    *handle = (Handle)program;
    return 0;
}
int nvrtcDestroyProgram(Handle *handle) { programs--; return 0; }
int nvrtcCompileProgram(Handle handle, int count, const char **options) {
    Program *program = (Program *)handle;
    pthread_mutex_lock(&mutex);
    LOG("compile\n");
    pthread_mutex_unlock(&mutex);
    if (strstr(program->source, "#error")) { program->log = "kernel.cu(1): error: #error"; return 6; }
    size_t size = strlen(program->source) + 10;
    for (int k = 0; k < count; k++) size += strlen(options[k]) + 1;
    program->code = calloc(size, 1);
    strcpy(program->code, "FAKE");
    for (int k = 0; k < count; k++) strcat(strcat(program->code, " "), options[k]);
    strcat(strcat(program->code, "\n"), program->source);
    return 0;
}
int nvrtcGetCUBINSize(Handle program, size_t *size) { *size = strlen(((Program *)program)->code) + 1; return 0; }
int nvrtcGetCUBIN(Handle program, char *bytes) { strcpy(bytes, ((Program *)program)->code); return 0; }
int nvrtcGetPTXSize(Handle program, size_t *size) { return nvrtcGetCUBINSize(program, size); }
int nvrtcGetPTX(Handle program, char *bytes) { return nvrtcGetCUBIN(program, bytes); }
int nvrtcGetProgramLogSize(Handle program, size_t *size) { *size = strlen(((Program *)program)->log) + 1; return 0; }
int nvrtcGetProgramLog(Handle program, char *bytes) { strcpy(bytes, ((Program *)program)->log); return 0; }
