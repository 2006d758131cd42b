import Foundation
import SQLite
import TestSupport
import Testing

/// Every rejected start names the required options.
@Suite(.timeLimit(.minutes(15))) struct StartTests {
    struct Case: CustomTestStringConvertible {
        let testDescription: String
        let arguments: [String]
        /// Options that the error must contain.
        let named: [String]
    }

    private static let files = ["--tls-cert", "CERT", "--tls-key", "KEY"]

    @Test(arguments: [
        Case(testDescription: "nothing", arguments: [], named: ["--domain", "--tls-cert", "--tls-key", "--dev"]),
        Case(
            testDescription: "a certificate without its key",
            arguments: ["--tls-cert", "CERT", "--origin", "a.example"], named: ["--tls-key"]),
        Case(
            testDescription: "a key without its certificate", arguments: ["--tls-key", "KEY", "--origin", "a.example"],
            named: ["--tls-cert"]),
        Case(testDescription: "a certificate without a name", arguments: files, named: ["--origin", "--dev"]),
        Case(
            testDescription: "a certificate and a domain", arguments: files + ["--domain", "a.example"],
            named: ["--domain", "--tls-cert", "--origin"]),
        Case(
            testDescription: "a domain and half a certificate",
            arguments: ["--tls-key", "KEY", "--domain", "a.example"], named: ["--tls-cert"]),
        Case(
            testDescription: "an external account without its key",
            arguments: ["--domain", "a.example", "--acme-eab-kid", "k"], named: ["--acme-eab-key-file"]),
        Case(
            testDescription: "the key of an external account alone",
            arguments: ["--domain", "a.example", "--acme-eab-key-file", "KEY"], named: ["--acme-eab-kid"]),
        Case(
            testDescription: "a name server without its zone",
            arguments: ["--domain", "a.example", "--dns-server", "127.0.0.1:53"], named: ["--dns-zone"]),
        Case(
            testDescription: "a zone without its name server",
            arguments: ["--domain", "a.example", "--dns-zone", "example"], named: ["--dns-server"]),
        Case(
            testDescription: "a key for updates alone", arguments: ["--domain", "a.example", "--dns-key-file", "KEY"],
            named: ["--dns-server"]),
        Case(
            testDescription: "dns-01 without a name server",
            arguments: ["--domain", "a.example", "--acme-challenge", "dns-01"],
            named: ["--dns-server", "--dns-zone", "--dns-key-file"]),
        Case(
            testDescription: "backups for nobody", arguments: ["--dev", "--backup-to", "DIR"],
            named: ["--backup-recipient"]),
        Case(
            testDescription: "recipients of no backups", arguments: ["--dev", "--backup-recipient", "age1x"],
            named: ["--backup-to"]),
        Case(
            testDescription: "how often to back up nothing", arguments: ["--dev", "--backup-every", "1h"],
            named: ["--backup-to"]),
        Case(
            testDescription: "no connections", arguments: ["--dev", "--max-connections", "0"],
            named: ["--max-connections"]),
        Case(
            testDescription: "no connections of a network", arguments: ["--dev", "--max-connections-per-network", "0"],
            named: ["--max-connections-per-network"]),
        Case(
            testDescription: "a registration that is none", arguments: ["--dev", "--registration", "maybe"],
            named: ["--registration"]),
        Case(
            testDescription: "a session that ends in use", arguments: ["--dev", "--session-idle", "60s"],
            named: ["--session-idle"]),
        Case(
            testDescription: "a log level that is none", arguments: ["--dev", "--log-level", "loud"],
            named: ["--log-level"]),
        Case(testDescription: "an address that is none", arguments: ["--dev", "--https", "here"], named: ["--https"]),
        Case(
            testDescription: "another address that is none", arguments: ["--domain", "a.example", "--http", "80"],
            named: ["--http"]),
        Case(testDescription: "a quota that is none", arguments: ["--dev", "--quota", "bytes"], named: ["--quota"]),
        Case(
            testDescription: "heartbeats to nobody", arguments: ["--dev", "--push-every", "30s"],
            named: ["--push-url-file"]),
    ])
    func namesTheRequiredOptions(_ example: Case) throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let data = scratch.file("data")
        _ = try Program(name: "clavitor-node").run(["init", "--data", data])
        let arguments = try example.arguments.map { argument in
            switch argument {
            case "CERT", "KEY": try scratch.write("x", to: argument)
            case "DIR": scratch.file("backups")
            default: argument
            }
        }
        let result = try Program(name: "clavitor-node").run(["serve", "--data", data] + arguments)
        #expect(result.status != 0)
        for option in example.named { #expect(result.errors.contains(option), "\(result.errors)") }
    }

    @Test func withoutAVaultTheErrorSaysHowToCreateOne() throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let result = try Program(name: "clavitor-node").run([
            "serve", "--data", scratch.file("none"), "--domain", "a.example",
        ])
        #expect(result.errors.contains("clavitor-node init --data"))
    }

    /// Another process of the same user cannot read the memory.
    @Test func otherProcessesCannotReadTheMemory() throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let node = try ServedNode(in: scratch)
        defer { node.stop() }
        let limits = try String(contentsOfFile: "/proc/\(node.process.id)/limits", encoding: .utf8)
        let core = try #require(limits.split(separator: "\n").first { $0.hasPrefix("Max core file size") })
        #expect(core.split(separator: " ", omittingEmptySubsequences: true).dropFirst(4).prefix(2) == ["0", "0"])
        // The kernel gives the files of a process that is not dumpable to root, whoever runs it.
        let copy = scratch.file("clavitor-node")
        try FileManager.default.copyItem(atPath: Program(name: "clavitor-node").url.path, toPath: copy)
        let script = """
            import os, subprocess, sys, time
            os.makedirs(sys.argv[2]); os.chown(sys.argv[2], 65534, 65534); os.chmod(sys.argv[3], 0o755)
            child = subprocess.Popen([sys.argv[1], 'serve', '--dev', '--data', sys.argv[2], '--https', '127.0.0.1:0'],
                user=65534, group=65534, extra_groups=[], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
            while b'"serving"' not in child.stderr.readline(): pass
            print(os.stat(f'/proc/{child.pid}/mem').st_uid, os.stat(f'/proc/{child.pid}/environ').st_uid)
            child.kill()
            """
        let python = try Tool(
            "/usr/bin/python3",
            ["-c", script, copy, scratch.file("theirs"), scratch.folder.path(percentEncoded: false)])
        #expect(python.output == "0 0\n")
    }

    /// Without /proc no program can read its arguments: each one fails.
    @Test(
        .enabled(if: geteuid() == 0, "needs root to hide /proc"),
        arguments: [
            ["clavitor-node", "serve", "--dev"], ["clavitor-monitor", "check"], ["clavitor", "get", "Bank/key"],
        ])
    func withoutProcProgramsSayWhy(_ command: [String]) throws {
        let tool = try Tool(
            "/usr/bin/unshare",
            [
                "--mount", "--propagation", "private", "sh", "-c", #"mount -t tmpfs tmpfs /proc && exec "$@""#, "sh",
                Program(name: command[0]).url.path,
            ] + command.dropFirst())
        #expect(tool.status != 0)
        #expect(tool.errors.contains("/proc is not mounted"), "\(tool.errors)")
    }

    @Test func aDatabaseOfVersion01IsRefusedInWords() throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let node = Program(name: "clavitor-node")
        let made = try node.run(["init", "--data", scratch.file("node")])
        #expect(made.status == 0)
        // As that version made it: without the mark of a format.
        let file = try Connection(path: scratch.file("node/clavitor.db"), access: .readWrite)
        try file.script("PRAGMA application_id = 0")
        for command in [["serve", "--dev", "--https", "127.0.0.1:0"], ["doctor"], ["audit", "verify"]] {
            let refused = try node.run(command + ["--data", scratch.file("node")])
            #expect(refused.status != 0)
            let said = refused.output + refused.errors
            #expect(said.contains("0.1.0") && said.contains("clavitor-node init"), "\(said)")
        }
    }
}
