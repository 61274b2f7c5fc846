import Foundation
import Synchronization
import Testing

@testable import Engines

@Suite struct RuntimeThreadPoolTests {
    /// The sum of 0 ..< count, by a parallel loop.
    private func sum(_ count: Int, threads: Int) -> Int {
        let total = Atomic(0)
        ThreadPool.shared.run(count: count, threads: threads) { total.add($0, ordering: .relaxed) }
        return total.load(ordering: .relaxed)
    }

    @Test(arguments: [0, 1, 2, 3, 1000, 100_000], [0, 1, 2, 4, 17])
    func everyIterationRunsOnce(count: Int, threads: Int) {
        var visits = [Int](repeating: 0, count: count)
        visits.withUnsafeMutableBufferPointer { visits in
            nonisolated(unsafe) let visits = visits
            ThreadPool.shared.run(count: count, threads: threads) { visits[$0] += 1 }
        }
        #expect(visits.allSatisfy { $0 == 1 })
    }

    @Test func severalThreadsTakePart() {
        let names = Mutex<Set<UInt>>([])
        ThreadPool.shared.run(count: 8, threads: 4) { _ in
            names.withLock { _ = $0.insert(UInt(bitPattern: pthread_self().hashValue)) }
            usleep(20_000)
        }
        #expect((2...4).contains(names.withLock { $0.count }))
    }

    @Test func bodiesMayRunLoopsThemselves() {
        let total = Atomic(0)
        ThreadPool.shared.run(count: 10, threads: 4) { _ in
            ThreadPool.shared.run(count: 10, threads: 4) { _ in
                ThreadPool.shared.run(count: 10, threads: 3) { total.add($0, ordering: .relaxed) }
            }
        }
        #expect(total.load(ordering: .relaxed) == 100 * 45)
    }

    @Test func manyCallersAtOnce() {
        let wrong = Atomic(0)
        onThreads(16) { caller in
            for round in 0..<500 {
                let count = 2 + (caller + round) % 50
                if sum(count, threads: 2 + caller % 4) != count * (count - 1) / 2 { wrong.add(1, ordering: .relaxed) }
            }
        }
        #expect(wrong.load(ordering: .relaxed) == 0)
    }

    @Test func unevenWorkAfterPauses() {
        for pause in [0, 100, 5000] as [UInt32] {
            usleep(pause)
            let total = Atomic(0)
            ThreadPool.shared.run(count: 5, threads: 3) { index in
                usleep(UInt32(index) * 3000)
                total.add(index, ordering: .relaxed)
            }
            #expect(total.load(ordering: .relaxed) == 10)
        }
    }

    @Test func threadCountIsWhatMayBeUsed() throws {
        #expect(ThreadPool.threadCount(environment: ["KHUFU_NUM_THREADS": "3"]) == 3)
        for refused in ["", "0", "-2", "many"] {
            let count = ThreadPool.threadCount(environment: ["KHUFU_NUM_THREADS": refused])
            #expect((1...ProcessInfo.processInfo.processorCount).contains(count))
        }
    }

    @Test func controlGroupQuotasBind() throws {
        let scratch = try ScratchFolder()
        try FileManager.default.createDirectory(atPath: scratch.path + "/a/b", withIntermediateDirectories: true)
        let membership = scratch.path + "/membership"
        func write(_ text: String, _ file: String) throws {
            try text.write(toFile: file, atomically: true, encoding: .utf8)
        }
        try write("1:cpu:/old\n0::/a/b\n", membership)
        func quota() -> Int? { ThreadPool.controlGroupQuota(membership: membership, root: scratch.path) }
        #expect(quota() == nil)
        try write("max 100000\n", scratch.path + "/a/b/cpu.max")
        #expect(quota() == nil)
        try write("250000 100000\n", scratch.path + "/a/cpu.max")
        #expect(quota() == 3)
        try write("50000 100000\n", scratch.path + "/a/b/cpu.max")
        #expect(quota() == 1)
    }

    #if os(Linux)
    /// Has the system kill this process if it hangs. The threads that tests run on block the signal.
    private func endUnlessDone(inSeconds seconds: UInt32) {
        var signals = sigset_t()
        sigemptyset(&signals)
        pthread_sigmask(SIG_SETMASK, &signals, nil)
        alarm(seconds)
    }

    /// A fork while other threads are inside `run`: the child has none of those threads, and the pool's locks in whatever state.
    @Test func worksInForkedChildren() throws {
        let fork = try #require(dlsym(nil, "fork").map { unsafeBitCast($0, to: (@convention(c) () -> pid_t).self) })
        // A fork amid the very first use is beyond help: Swift's lazy globals have a lock of their own.
        #expect(sum(10, threads: 3) == 45)
        let stop = Atomic(false)
        let stopped = DispatchSemaphore(value: 0)
        for _ in 0..<2 {
            Thread.detachNewThread {
                while !stop.load(ordering: .relaxed) { _ = sum(100, threads: 3) }
                stopped.signal()
            }
        }
        var children: [pid_t] = []
        for _ in 0..<30 {
            let child = fork()
            if child == 0 {
                endUnlessDone(inSeconds: 20)
                _exit(sum(1000, threads: 3) == 499_500 && sum(10, threads: 2) == 45 ? 0 : 1)
            }
            children.append(child)
            usleep(500)
        }
        for child in children {
            var status: Int32 = -1
            waitpid(child, &status, 0)
            #expect(status == 0)
        }
        stop.store(true, ordering: .relaxed)
        for _ in 0..<2 { stopped.wait() }
    }
    #endif
}
