import CProcess
import Foundation
import Glibc
import Synchronization

/// A shell command that runs once: when it is told to, when it is released, or when this process ends, however that happens.
final class Guardian: Sendable {
    private let id: Int32
    private let end: Mutex<Int32?>

    /// `command`: Has `argument` as `$1`.
    init(_ command: String, _ argument: String) throws {
        var (reading, writing) = (Int32(0), Int32(0))
        let failure = unsafe pipe_cloexec(&reading, &writing)
        guard failure == 0 else { throw Spawn.Failed(status: failure) }
        defer { close(reading) }
        end = Mutex(writing)
        // A session of its own: what stops the tests by a signal does not stop it.
        id = try Spawn(
            program: "/usr/bin/setsid", arguments: ["/bin/sh", "-c", "read -r _; \(command)", "sh", argument],
            endsWithTests: false, input: .descriptor(reading)
        ).start()
    }

    deinit { run() }

    /// Runs the command, and waits for it.
    func run() {
        let writing = end.withLock { end in
            defer { end = nil }
            return end
        }
        guard let writing else { return }
        close(writing)
        waitpid(id, nil, 0)
    }
}
