import Synchronization

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// The helpers of one process's `ThreadPool` and the list of loops that they may join.
///
/// One mutex guards the list and the counts; it is held for a few instructions at a time. Before anyone goes to sleep on a condition it looks for
/// news a while without the lock, because kernels are often called in quick succession and waking a sleeper costs tens of microseconds.
final class Crew: @unchecked Sendable {  // what is mutable is guarded by `mutex`
    /// One call of `run`.
    final class Job: @unchecked Sendable {  // `body` outlives every helper's use of it: `run` waits for them
        private let count: Int
        private let body: UnsafePointer<(Int) -> Void>
        private let next = Atomic<Int>(0)

        /// How many more helpers may join. Guarded by the crew's mutex.
        fileprivate var places: Int
        /// Helpers at work now. Changed under the mutex only; read without it by a caller that waits for zero.
        fileprivate let helpers = Atomic<Int>(0)
        /// The caller sleeps until `helpers` is zero. Guarded by the crew's mutex.
        fileprivate var callerSleeps = false

        init(count: Int, body: UnsafePointer<(Int) -> Void>, places: Int) {
            self.count = count
            self.body = body
            self.places = places
        }

        /// Takes iterations until none is left. Never inlined, so that no reference to the closure outlives the call.
        @inline(never)
        fileprivate func work() {
            while true {
                let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
                guard index < count else { return }
                body.pointee(index)
            }
        }
    }

    /// How often to look for news before sleeping: some 30 µs.
    private static let patience = 100
    /// More helpers than this are never started, whatever is asked.
    private static let largestCrew = 1024
    private static let stackBytes = 8 << 20

    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let jobPosted = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private let jobFinished = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var openJobs: [Job] = []
    private var size = 0
    private var sleepers = 0
    /// Counts the jobs ever posted; its change is what a helper looks out for.
    private let postings = Atomic<Int>(0)

    init() {
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(jobPosted, nil)
        pthread_cond_init(jobFinished, nil)
    }

    deinit {  // only of a crew that lost the race to be the process's crew, and so has no helpers
        pthread_cond_destroy(jobFinished)
        pthread_cond_destroy(jobPosted)
        pthread_mutex_destroy(mutex)
        jobFinished.deallocate()
        jobPosted.deallocate()
        mutex.deallocate()
    }

    /// Does the job, with whatever helpers join in time.
    func run(_ job: Job) {
        post(job)
        job.work()
        retire(job)
    }

    private func post(_ job: Job) {
        pthread_mutex_lock(mutex)
        while size < min(job.places, Self.largestCrew), startHelper() { size += 1 }
        openJobs.append(job)
        postings.add(1, ordering: .releasing)
        let wanted = min(job.places, sleepers)
        pthread_mutex_unlock(mutex)
        for _ in 0..<wanted { pthread_cond_signal(jobPosted) }
    }

    /// Closes the job to newcomers and waits for those who joined.
    private func retire(_ job: Job) {
        pthread_mutex_lock(mutex)
        openJobs.removeAll { $0 === job }
        pthread_mutex_unlock(mutex)
        if look(until: { job.helpers.load(ordering: .acquiring) == 0 }) { return }
        pthread_mutex_lock(mutex)
        job.callerSleeps = true
        while job.helpers.load(ordering: .acquiring) > 0 { pthread_cond_wait(jobFinished, mutex) }
        pthread_mutex_unlock(mutex)
    }

    /// The life of a helper: join the oldest job with a place, work, and look for the next.
    private func serve() {
        pthread_mutex_lock(mutex)
        while true {
            if let job = openJobs.first(where: { $0.places > 0 }) {
                job.places -= 1
                job.helpers.add(1, ordering: .relaxed)
                pthread_mutex_unlock(mutex)
                job.work()
                pthread_mutex_lock(mutex)
                let left = job.helpers.subtract(1, ordering: .releasing).newValue
                if left == 0 && job.callerSleeps { pthread_cond_broadcast(jobFinished) }
            } else {
                let seen = postings.load(ordering: .relaxed)
                pthread_mutex_unlock(mutex)
                let news = look(until: { postings.load(ordering: .acquiring) != seen })
                pthread_mutex_lock(mutex)
                guard !news else { continue }
                sleepers += 1
                while postings.load(ordering: .relaxed) == seen { pthread_cond_wait(jobPosted, mutex) }
                sleepers -= 1
            }
        }
    }

    /// Looks for something a while; true if it came. Yielding in between keeps out of the way where there are more threads than cores.
    private func look(until condition: () -> Bool) -> Bool {
        for _ in 0..<Self.patience {
            if condition() { return true }
            sched_yield()
        }
        return condition()
    }

    /// Starts one detached helper; false if the system gives no more threads, in which case the callers do the work.
    private func startHelper() -> Bool {
        var attributes = pthread_attr_t()
        guard pthread_attr_init(&attributes) == 0 else { return false }
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        pthread_attr_setstacksize(&attributes, Self.stackBytes)

        // The host's signals are for the host's threads: a helper is born with all of them blocked.
        var all = sigset_t()
        var before = sigset_t()
        sigfillset(&all)
        pthread_sigmask(SIG_SETMASK, &all, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }

        let context = Unmanaged.passRetained(self)
        #if canImport(Darwin)
        var thread: pthread_t?
        let result = pthread_create(&thread, &attributes, { Crew.beginHelper($0) }, context.toOpaque())
        #else
        var thread = pthread_t()
        let result = pthread_create(&thread, &attributes, { Crew.beginHelper($0!) }, context.toOpaque())
        #endif
        if result != 0 { context.release() }
        return result == 0
    }

    private static func beginHelper(_ context: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer? {
        Unmanaged<Crew>.fromOpaque(context).takeUnretainedValue().serve()
        return nil
    }
}
