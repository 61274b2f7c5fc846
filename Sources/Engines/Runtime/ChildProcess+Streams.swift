#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

extension ChildProcess {
    /// Two connected sockets: a stream to the child and back.
    ///
    /// Sockets and not pipes, because they can be born with close-on-exec set (Swift's C library modules leave out `pipe2`), so that children
    /// started at the same time do not hold each other's streams open, and because writing to one need not raise SIGPIPE in the host.
    struct SocketPair: ~Copyable {
        let ours: Descriptor
        let theirs: Descriptor

        init?() {
            var numbers: [Int32] = [-1, -1]
            #if canImport(Glibc)
            let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
            #elseif canImport(Musl)
            let type = SOCK_STREAM | SOCK_CLOEXEC
            #else
            let type = SOCK_STREAM
            #endif
            guard socketpair(AF_UNIX, type, 0, &numbers) == 0 else { return nil }
            // Beyond the standard streams, which a daemon may have closed: those numbers are overwritten in the child.
            let raised = numbers.map { number in
                let copy = fcntl(number, F_DUPFD_CLOEXEC, STDERR_FILENO + 1)
                close(number)
                return copy
            }
            guard let first = Descriptor(raised[0]), let second = Descriptor(raised[1]) else { return nil }
            #if canImport(Darwin)
            var on: Int32 = 1
            setsockopt(first.number, SOL_SOCKET, SO_NOSIGPIPE, &on, socklen_t(MemoryLayout<Int32>.size))
            #endif
            ours = first
            theirs = second
        }

        /// Our end, closing the child's, which the child has a copy of by now: else the end of its output would never be seen.
        consuming func keepingOurs() -> Descriptor { ours }
    }

    /// The conversation with a child: its input going out while its output and errors come in, so that neither side waits for the other.
    struct Exchange {
        private var input: ArraySlice<UInt8>
        private(set) var output: [UInt8] = []
        private(set) var errorOutput: [UInt8] = []

        /// A compiler's messages are cut here; the rest is read and dropped.
        private static let limit = 1 << 20

        init(input: [UInt8]) {
            self.input = input[...]
        }

        /// Goes on until the child has closed both streams; false if the deadline came first.
        mutating func proceed(with main: Int32, error: Int32, until deadline: ContinuousClock.Instant) -> Bool {
            if input.isEmpty { shutdown(main, Int32(SHUT_WR)) }
            var outputIsOpen = true, errorIsOpen = true
            while outputIsOpen || errorIsOpen {
                let left = (deadline - .now) / .milliseconds(1)
                guard left > 0 else { return false }
                // A negative number tells `poll` to skip the entry.
                var waiting = [
                    pollfd(
                        fd: outputIsOpen ? main : -1, events: Int16(input.isEmpty ? POLLIN : POLLIN | POLLOUT), revents: 0),
                    pollfd(fd: errorIsOpen ? error : -1, events: Int16(POLLIN), revents: 0),
                ]
                guard retryingInterrupted({ poll(&waiting, nfds_t(waiting.count), Int32(left.rounded(.up))) }) >= 0
                else { return false }
                if waiting[0].revents & Int16(POLLOUT) != 0 { feed(main) }
                if waiting[0].revents & ~Int16(POLLOUT) != 0 { outputIsOpen = Self.receive(from: main, into: &output) }
                if waiting[1].revents != 0 { errorIsOpen = Self.receive(from: error, into: &errorOutput) }
            }
            return true
        }

        /// Sends what the socket takes now, and the end of the input after its last byte.
        private mutating func feed(_ socket: Int32) {
            #if canImport(Darwin)
            let flags = Int32(MSG_DONTWAIT)
            #else
            let flags = Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL)
            #endif
            let sent = input.withUnsafeBytes { bytes in
                retryingInterrupted { send(socket, bytes.baseAddress, bytes.count, flags) }
            }
            if sent >= 0 {
                input = input.dropFirst(sent)
            } else if errno != EAGAIN {
                input = []  // the child wants no more; what it made of that shows in how it ends
            }
            if input.isEmpty { shutdown(socket, Int32(SHUT_WR)) }
        }

        /// Takes what has come; false at the end of the stream.
        private static func receive(from socket: Int32, into collected: inout [UInt8]) -> Bool {
            var buffer = [UInt8](repeating: 0, count: 16384)
            let received = retryingInterrupted { read(socket, &buffer, buffer.count) }
            guard received > 0 else { return false }
            collected.append(contentsOf: buffer[..<min(received, limit - collected.count)])
            return true
        }
    }
}
