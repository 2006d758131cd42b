import Fleet
import Foundation
import TestSupport
import Testing

/// OpenSSH's sshd on a loopback address with its own keys.
final class SSHServer: Sendable {
    let address = "127.0.88.1"
    let port: Int
    let identity: String
    let hostKey: HostKey
    let daemon: RunningTool

    init(in scratch: Scratch) throws {
        for name in ["host", "user"] {
            _ = try Tool("/usr/bin/ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", scratch.file(name)])
        }
        identity = scratch.file("user")
        hostKey = try HostKey(try String(contentsOfFile: scratch.file("host.pub"), encoding: .utf8))
        port = try FreePort.take(on: address)
        try FileManager.default.createDirectory(atPath: "/run/sshd", withIntermediateDirectories: true)
        try scratch.write(
            Array(
                """
                ListenAddress \(address):\(port)
                HostKey \(scratch.file("host"))
                AuthorizedKeysFile \(scratch.file("user.pub"))
                PidFile none
                UsePAM no
                StrictModes no
                PermitRootLogin prohibit-password
                PasswordAuthentication no

                """.utf8), to: "sshd_config")
        daemon = try RunningTool("/usr/sbin/sshd", ["-D", "-f", scratch.file("sshd_config")])
    }
}

@Suite(.timeLimit(.minutes(3))) struct BootstrapShellTests {
    let scratch: Scratch
    let server: SSHServer
    let node: Node

    init() async throws {
        scratch = try Scratch()
        let server = try SSHServer(in: scratch)
        self.server = server
        node = try sampleFleet(2) { $0[1].ipv4 = server.address }.nodes[1]
        try await eventually("sshd listens: \(server.daemon.text)", every: .milliseconds(50)) { [node] in
            (try? await BootstrapShell.scan(node, port: server.port, processes: SystemProcesses())) != nil
        }
    }

    private func shell(knowing key: HostKey) throws -> BootstrapShell {
        try scratch.write(Array("n2 \(key.text)\n".utf8), to: "known_hosts")
        return BootstrapShell(
            node, port: server.port, identity: server.identity, knownHosts: scratch.file("known_hosts"),
            processes: SystemProcesses())
    }

    @Test func theScannedKeyIsTheServers() async throws {
        let key = try await BootstrapShell.scan(node, port: server.port, processes: SystemProcesses())
        #expect(key == server.hostKey)
    }

    @Test func factsAreCollectedOverSSH() async throws {
        let facts = try await HostFacts.ask(try shell(knowing: server.hostKey))
        #expect(facts.isRoot)
        #expect(facts.system == "debian 12")
    }

    @Test func anotherHostKeyIsRefused() async throws {
        let shell = try shell(knowing: try HostKey(BreakGlassEditTests.key))
        await #expect(throws: SSHError.wrongHostKey("n2")) { try await HostFacts.ask(shell) }
    }

    @Test func aSecretIsTransferredOverSSH() async throws {
        let root = scratch.file("a root with 'quotes'")
        try await SecretPush.push(
            "r00t $HOME 'key'\n", as: .rootKey, to: try shell(knowing: server.hostKey), root: root)
        let text = try String(contentsOfFile: "\(root)/etc/clavitor/root.key", encoding: .utf8)
        #expect(text == "r00t $HOME 'key'\n")
    }

    @Test func aFailedScriptReportsItsErrors() async throws {
        let shell = try shell(knowing: server.hostKey)
        await #expect(throws: SSHError.failed("n2", 3, "not today")) {
            try await shell.run(.script("echo not today >&2; exit 3"), input: nil, deadline: .seconds(120))
        }
    }
}
