import Foundation
import TestSupport
import Testing

/// One of the programs as a process.
struct Program: Sendable {
    let name: String
    var environment: [String: String] = [:]

    struct Result: Sendable {
        let status: Int32
        let output: String
        let errors: String
    }

    static let folder = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()

    var url: URL { Self.folder.appending(path: name) }

    func start(_ arguments: [String], input: Any? = FileHandle.nullDevice, output: Any?, errors: Any?) throws -> Process
    {
        let process = Process()
        process.executableURL = url
        process.arguments = arguments
        process.environment = environment.merging(["PATH": "/usr/bin:/bin", "HOME": "/nonexistent"]) { ours, _ in ours }
        process.standardInput = input
        process.standardOutput = output
        process.standardError = errors
        try process.run()
        return process
    }

    /// Runs to the end. Output goes to files, because a full pipe would block the process.
    func run(_ arguments: [String], input: String? = nil) throws -> Result {
        let scratch = try Scratch()
        defer { scratch.remove() }
        try Data((input ?? "").utf8).write(to: scratch.url("in"))
        for name in ["out", "err"] { _ = FileManager.default.createFile(atPath: scratch.file(name), contents: nil) }
        let process = try start(
            arguments, input: try FileHandle(forReadingFrom: scratch.url("in")),
            output: try FileHandle(forWritingTo: scratch.url("out")),
            errors: try FileHandle(forWritingTo: scratch.url("err")))
        process.waitUntilExit()
        return Result(
            status: process.terminationStatus, output: try scratch.text("out"), errors: try scratch.text("err"))
    }
}

/// `clavitor-node serve --dev` as a process, on a port that the kernel chose.
final class ServedNode {
    let data: String
    let log: String
    private(set) var process: Process
    private(set) var port = 0

    init(in scratch: Scratch, arguments: [String] = []) throws {
        data = scratch.file("data")
        log = scratch.file("node.log")
        _ = FileManager.default.createFile(atPath: log, contents: nil)
        process = try Self.start(data, log, 0, arguments)
        port = try Self.port(process, log)
    }

    var url: String { "https://localhost:\(port)" }
    var certificate: String { data + "/dev-cert.pem" }

    /// Kills the process with SIGKILL.
    func kill() {
        Foundation.kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }

    func stop() {
        process.terminate()
        process.waitUntilExit()
    }

    /// Starts it again on the same port.
    func restart(arguments: [String] = []) throws {
        try Data().write(to: URL(filePath: log))
        process = try Self.start(data, log, port, arguments)
        port = try Self.port(process, log)
    }

    private static func start(_ data: String, _ log: String, _ port: Int, _ arguments: [String]) throws -> Process {
        let handle = try FileHandle(forWritingTo: URL(filePath: log))
        try handle.seekToEnd()
        return try Program(name: "clavitor-node").start(
            ["serve", "--dev", "--data", data, "--https", "127.0.0.1:\(port)"] + arguments, output: handle,
            errors: handle)
    }

    /// Reads the log until it has the address.
    private static func port(_ process: Process, _ log: String) throws -> Int {
        while process.isRunning {
            let text = String(decoding: try Data(contentsOf: URL(filePath: log)), as: UTF8.self)
            if let match = text.firstMatch(of: /"address":"[^"]*:(\d+)"/), let port = Int(match.1) { return port }
            usleep(20_000)
        }
        let text = String(decoding: try Data(contentsOf: URL(filePath: log)), as: UTF8.self)
        throw StartFailure(log: text)
    }

    struct StartFailure: Error { let log: String }
}

extension ServedNode {
    /// A command line whose state is in `scratch`.
    func person(_ scratch: Scratch, _ name: String) -> Program {
        Program(name: "clavitor", environment: ["XDG_STATE_HOME": scratch.file("state-\(name)")])
    }

    static let address = "alice@example.com"

    /// A newly registered, signed-in owner, and the file with the password.
    func registered(_ scratch: Scratch) throws -> (me: Program, password: String) {
        let me = person(scratch, "me")
        let password = try scratch.write("tulip-anvil-orbit-mango", to: "password")
        let result = try me.run([
            "register", "--server", url, "--ca-file", certificate, "--email", Self.address, "--password-file", password,
        ])
        #expect(result.status == 0, "\(result.errors)")
        return (me, password)
    }
}
