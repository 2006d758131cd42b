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

    /// Its parameters are those of `RunningTool`.
    func start(
        _ arguments: [String], input: String? = "", output: String? = nil, errors: String? = nil
    ) throws -> RunningTool {
        try RunningTool(
            url.path(percentEncoded: false), arguments, input: input, output: output, errors: errors,
            environment: processEnvironment)
    }

    var processEnvironment: [String: String] {
        environment.merging(["PATH": "/usr/bin:/bin", "HOME": "/nonexistent"]) { ours, _ in ours }
    }

    /// Runs to the end.
    func run(_ arguments: [String], input: String = "") throws -> Result {
        let process = try start(arguments, input: input)
        return Result(status: process.waitUntilExit(), output: process.output, errors: process.errors)
    }
}

/// `clavitor-node serve --dev` as a process, on a port that the kernel chose.
final class ServedNode {
    let data: String
    let log: String
    private(set) var process: RunningTool
    private(set) var port = 0

    init(in scratch: Scratch, arguments: [String] = []) throws {
        data = scratch.file("data")
        log = scratch.file("node.log")
        process = try Self.start(data, log, 0, arguments)
        port = try Self.port(process)
    }

    var url: String { "https://localhost:\(port)" }
    var certificate: String { data + "/dev-cert.pem" }

    /// Kills the process with SIGKILL.
    func kill() { process.kill() }

    func stop() { process.stop() }

    /// Starts it again on the same port.
    func restart(arguments: [String] = []) throws {
        try Data().write(to: URL(filePath: log))
        process = try Self.start(data, log, port, arguments)
        port = try Self.port(process)
    }

    private static func start(_ data: String, _ log: String, _ port: Int, _ arguments: [String]) throws -> RunningTool {
        try Program(name: "clavitor-node").start(
            ["serve", "--dev", "--data", data, "--https", "127.0.0.1:\(port)"] + arguments, output: log, errors: log)
    }

    /// Reads the log until it has the address.
    private static func port(_ process: RunningTool) throws -> Int {
        var port = 0
        try process.wait { process in
            port = process.text.firstMatch(of: /"address":"[^"]*:(\d+)"/).flatMap { Int($0.1) } ?? 0
            return port > 0
        }
        return port
    }
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
