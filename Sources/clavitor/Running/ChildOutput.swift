import CProcess
import Glibc

/// A pipe that masks one output stream of the child.
final class MaskedPipe {
    /// The descriptor that receives the masked output.
    let target: Int32
    private(set) var readEnd: Int32
    private(set) var writeEnd: Int32
    private var mask: SecretMask

    init(to target: Int32, hiding secrets: [String]) throws(CommandFailure) {
        var ends: (read: Int32, write: Int32) = (-1, -1)
        guard unsafe pipe_cloexec(&ends.read, &ends.write) == 0 else {
            throw CommandFailure(.failed, "A pipe for the program's output cannot be created.")
        }
        self.target = target
        (readEnd, writeEnd) = ends
        mask = SecretMask(secrets: secrets)
    }

    var isOpen: Bool { readEnd >= 0 }

    func closeWriteEnd() {
        Glibc.close(writeEnd)
        writeEnd = -1
    }

    /// Forwards available bytes. Closes at end of file, and when the output has no reader: the child then gets SIGPIPE at its next
    /// write, as it would without the pipe.
    func pass() {
        guard let bytes = StandardStream.read(readEnd, upTo: 65_536), !bytes.isEmpty else { return close() }
        if !StandardStream.write(mask.pass(bytes), to: target) { close() }
    }

    func close() {
        guard isOpen else { return }
        StandardStream.write(mask.finish(), to: target)
        Glibc.close(readEnd)
        readEnd = -1
    }
}

/// Copies the output of a child until it ends.
struct ChildOutput {
    private let pipes: [MaskedPipe]
    /// The poll interval for the end of the child, in milliseconds.
    private static let pause: Int32 = 100
    /// Intervals without output after the child's end, for processes that it left behind.
    private static let quietIntervals = 5

    init(_ pipes: [MaskedPipe]) {
        self.pipes = pipes
    }

    /// - Returns: The exit code, as in POSIX shells.
    func copy(of child: pid_t) -> Int32 {
        var (code, quiet): (Int32?, Int) = (nil, 0)
        while true {
            let open = pipes.filter(\.isOpen)
            if open.isEmpty { break }
            var polled = open.map { pollfd(fd: $0.readEnd, events: Int16(POLLIN), revents: 0) }
            let count = unsafe poll(&polled, nfds_t(polled.count), Self.pause)
            for (pipe, poll) in zip(open, polled) where poll.revents != 0 { pipe.pass() }
            code = code ?? Self.status(of: child, options: WNOHANG)
            quiet = count > 0 || code == nil ? 0 : quiet + 1
            if quiet >= Self.quietIntervals { break }
        }
        for pipe in pipes { pipe.close() }
        return code ?? Self.status(of: child, options: 0) ?? 1
    }

    /// The exit code; nil while the child runs.
    private static func status(of child: pid_t, options: Int32) -> Int32? {
        var status: Int32 = 0
        while true {
            let ended = unsafe waitpid(child, &status, options)
            if ended < 0, errno == EINTR { continue }
            guard ended == child else { return nil }
            let signal = status & 0x7f
            return signal == 0 ? (status >> 8) & 0xff : 128 + signal
        }
    }
}
