import Foundation

/// A server as a process, ended with its owner.
///
/// Behind a shell: Foundation takes it for the end of a process when it closes the descriptors that it inherited, as
/// sshd and gdnsd do, and then waits for it in the one thread that serves all processes.
final class Daemon: Sendable {
    private let process: Process
    /// When it is closed, if only because this process is gone, the shell ends the server.
    private let leash = Pipe()

    init(_ program: String, _ arguments: [String], log: String? = nil) throws {
        process = Process()
        process.executableURL = URL(filePath: "/bin/sh")
        process.arguments = ["-c", #""$@" </dev/null & read -r _; kill -9 $!"#, "sh", program] + arguments
        if let log {
            try Data().write(to: URL(filePath: log))
            process.standardOutput = try FileHandle(forWritingTo: URL(filePath: log))
        } else {
            process.standardOutput = FileHandle.nullDevice
        }
        process.standardError = process.standardOutput
        process.standardInput = leash
        try process.run()
    }

    deinit {
        try? leash.fileHandleForWriting.close()
        process.waitUntilExit()
    }
}
