import Foundation
import TestSupport
import Testing

@testable import Fleet
@testable import clavitor_soc

/// nixos-anywhere as a script that says where its secrets lie and then takes long; what else is run is run.
private struct Installing: ChildProcesses {
    let installer: String

    func run(_ child: ChildProcess) async throws -> ChildOutcome {
        var child = child
        if child.executable == "nixos-anywhere" { child.executable = installer }
        return try await SystemProcesses().run(child)
    }
}

@Suite(.serialized, .timeLimit(.minutes(2))) struct InterruptedProvisionTests {
    private let scratch: Scratch

    init() throws {
        scratch = try Scratch()
        let script = """
            #!/bin/sh
            sleep 1000 &
            echo "$$ $!" >"\(scratch.path)/begun.new"
            mv "\(scratch.path)/begun.new" "\(scratch.path)/begun"
            wait
            """
        let path = try scratch.write(Array(script.utf8), to: "installer")
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
        try FileManager.default.createDirectory(atPath: scratch.file("memory"), withIntermediateDirectories: false)
    }

    private var memory: [String] {
        get throws { try FileManager.default.contentsOfDirectory(atPath: scratch.file("memory")).sorted() }
    }

    private func provisioner() async throws -> Provisioner<TestClock> {
        let processes = Installing(installer: scratch.file("installer"))
        let node = try sampleFleet(2).nodes[1]
        let age = try AgeKey(in: scratch).program()
        let secrets = SecretStore(
            scratch.file("secrets"), age: age, keys: KeyStore(try SecretChest(scratch.file("keys"), age: age)))
        try await secrets.set(.pushURL, of: node, to: SecretStoreTests.url)
        let plan = ProvisionPlan(
            node, method: .anywhere, flake: "./nix", hostKey: try HostKey(BreakGlassEditTests.key),
            done: [.readiness, .check, .tunnel, .heartbeat])
        let first = FirstShell(node, identity: nil, knownHosts: scratch.file("known_hosts"), processes: processes)
        return Provisioner(
            plan, inventory: try sampleFleet(2), journal: ProvisionJournal(folder: scratch.path, node: "n2"),
            first: first, hub: nil, secrets: secrets, monitor: nil, processes: processes,
            memory: scratch.file("memory"), clock: TestClock(), now: { 1_700_000_000 })
    }

    private func installerIsRunning() async throws -> [pid_t] {
        while !FileManager.default.fileExists(atPath: scratch.file("begun")) {
            try await Task.sleep(for: .milliseconds(20))
        }
        return String(decoding: try scratch.read("begun"), as: UTF8.self).split(whereSeparator: \.isWhitespace)
            .compactMap { pid_t($0) }
    }

    /// A zombie is gone too: who reaps it depends on the machine.
    private func isRunning(_ process: pid_t) -> Bool {
        guard let text = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8) else { return false }
        return text.split(separator: ")").last?.split(separator: " ").first != "Z"
    }

    @Test func aHangUpEndsTheInstallerAndTakesTheSecretsAway() async throws {
        let provisioner = try await provisioner()
        let run = Task { try await Interrupts.cancelling { try await provisioner.run { _ in } } }
        let processes = try await installerIsRunning()
        #expect(processes.count == 2)
        #expect(try memory.count == 1)
        kill(getpid(), SIGHUP)
        await #expect(throws: CancellationError.self) { try await run.value }
        #expect(try memory == [])
        while processes.contains(where: isRunning) { try await Task.sleep(for: .milliseconds(20)) }
    }

    @Test func whatAKilledRunHasLeftIsRemovedAndNothingElse() async throws {
        for name in ["clavitor-soc-n2-17", "clavitor-soc-n2-west-17", "clavitor-soc-n1-17", "other"] {
            try FileManager.default.createDirectory(
                atPath: scratch.file("memory/\(name)/etc"), withIntermediateDirectories: true)
        }
        try scratch.write(
            Array("#!/bin/sh\nls \"\(scratch.path)/memory\" >\"\(scratch.path)/seen\"\n".utf8), to: "installer")
        try await provisioner().run { _ in }
        let others = ["clavitor-soc-n1-17", "clavitor-soc-n2-west-17", "other"]
        #expect(try memory == others)
        let seen = String(decoding: try scratch.read("seen"), as: UTF8.self)
        #expect(seen.split(separator: "\n").count == others.count + 1)
        #expect(!seen.contains("clavitor-soc-n2-17\n"))
    }
}
