import CProcess
import Foundation
import Glibc
import Synchronization

/// A program that runs beside the test. It is killed and waited for when its owner is released, and killed by the kernel
/// when this process ends.
package final class RunningTool: Sendable {
    package let id: Int32
    private let scratch: Scratch
    private let streams: (output: String, errors: String)
    private let input: FileHandle?
    private let exit = Exit()

    /// `help`: What to do when the program is missing. `input`: nil for one that `write` continues until `closeInput`.
    /// `output` and `errors`: Files to append to, in place of the collected ones.
    package init(
        _ name: String, _ arguments: [String], help: String = "", input: String? = "", output: String? = nil,
        errors: String? = nil, in folder: String? = nil, environment: [String: String]? = nil
    ) throws {
        scratch = try Scratch()
        streams = (output ?? scratch.file("out"), errors ?? scratch.file("err"))
        var child = Spawn(
            program: try Tool.find(name, help).path(percentEncoded: false), arguments: arguments, folder: folder,
            environment: environment ?? ProcessInfo.processInfo.environment, output: streams.output,
            errors: streams.errors)
        if let input {
            self.input = nil
            child.input = .file(try scratch.write(input, to: "in"))
            id = try child.start()
        } else {
            // Other children must not inherit it, for then it would stay open.
            var (reading, writing) = (Int32(0), Int32(0))
            let failure = unsafe pipe_cloexec(&reading, &writing)
            guard failure == 0 else { throw Spawn.Failed(status: failure) }
            self.input = FileHandle(fileDescriptor: writing, closeOnDealloc: true)
            child.input = .descriptor(reading)
            defer { close(reading) }
            id = try child.start()
        }
        exit.watch(id)
    }

    deinit { kill() }

    package var isRunning: Bool { exit.status == nil }
    package var output: String { Self.text(streams.output) }
    package var errors: String { Self.text(streams.errors) }
    /// Output and errors.
    package var text: String { streams.output == streams.errors ? output : output + errors }

    private static func text(_ file: String) -> String {
        // Not a device, such as /dev/full.
        guard file.hasPrefix("/dev/") == false, let data = FileManager.default.contents(atPath: file) else { return "" }
        return String(decoding: data, as: UTF8.self)
    }

    package func write(_ text: String) throws { try input?.write(contentsOf: Data(text.utf8)) }
    package func closeInput() throws { try input?.close() }

    /// Whether the program has read everything that was written.
    package var hasReadInput: Bool {
        var unread: Int32 = -1
        guard let input, unsafe ioctl(input.fileDescriptor, UInt(FIONREAD), &unread) == 0 else { return false }
        return unread == 0
    }

    /// Sends a signal, unless the program has ended.
    package func send(_ signal: Int32) { exit.send(signal, to: id) }

    /// Asks the program to end, and waits.
    @discardableResult package func stop() -> Int32 {
        send(SIGTERM)
        return waitUntilExit()
    }

    @discardableResult package func kill() -> Int32 {
        send(SIGKILL)
        return waitUntilExit()
    }

    /// Returns the exit code; 128 and the number of the signal that ended the program.
    @discardableResult package func waitUntilExit() -> Int32 { exit.wait() }

    /// The same without blocking the task's thread. Cancelling the task kills the program.
    @discardableResult package func waitUntilExit() async -> Int32 {
        await withTaskCancellationHandler {
            await exit.wait()
        } onCancel: {
            send(SIGKILL)
        }
    }

    /// Waits until a condition holds.
    ///
    /// - Throws: `Ended` when the program ends before, and `NeverHappened`, both with what the program printed.
    package func wait(until isTrue: (RunningTool) throws -> Bool) throws {
        try eventually(text) { try holds(isTrue) }
    }

    /// The same without blocking the task's thread.
    package func wait(until isTrue: (RunningTool) throws -> Bool) async throws {
        try await eventually(text) { try holds(isTrue) }
    }

    private func holds(_ isTrue: (RunningTool) throws -> Bool) throws -> Bool {
        let hasEnded = !isRunning
        if try isTrue(self) { return true }
        if hasEnded { throw Ended(text: text) }
        return false
    }

    /// The program ended before the condition held.
    package struct Ended: Error { package let text: String }
}

/// The end of one child process. Its id belongs to it until it is reaped, which happens under the same lock as each signal.
private final class Exit: Sendable {
    private let state = Mutex<Int32?>(nil)
    private let group = DispatchGroup()

    var status: Int32? { state.withLock { $0 } }

    func watch(_ id: pid_t) {
        group.enter()
        Thread.detachNewThread { [self] in
            var info = unsafe siginfo_t()
            while unsafe waitid(P_PID, id_t(id), &info, WEXITED | WNOWAIT) != 0, errno == EINTR {}
            state.withLock { status in
                var raw: Int32 = 0
                unsafe waitpid(id, &raw, 0)
                let signal = raw & 0x7f
                status = signal == 0 ? raw >> 8 & 0xff : 128 + signal
            }
            group.leave()
        }
    }

    func send(_ signal: Int32, to id: pid_t) {
        state.withLock { if $0 == nil { Glibc.kill(id, signal) } }
    }

    func wait() -> Int32 {
        group.wait()
        return status ?? -1
    }

    func wait() async -> Int32 {
        await withCheckedContinuation { continuation in
            group.notify(queue: .global()) { continuation.resume() }
        }
        return status ?? -1
    }
}
