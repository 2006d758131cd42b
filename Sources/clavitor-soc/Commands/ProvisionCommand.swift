import ArgumentParser
import Files
import Fleet
import Glibc

/// A fresh Debian becomes a node.
struct ProvisionCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "provision", abstract: "Turn a fresh Debian 12 into a node of the fleet.",
        discussion: """
            The machine needs an ipv4 in the inventory, and the operator's key in root's authorized_keys. Machines with little \
            memory are converted in place by nixos-infect: fetch the script, read it, and name it with the SHA-256 of what \
            you have read. Machines with 2 GB take --anywhere. What was done is written down; run it again to go on. ctrl-C ends \
            what runs here, and leaves no secret behind.
            """)

    @OptionGroup var options: OperatorOptions
    @Argument(help: "The node.") var node: String
    @Option(help: "The script nixos-infect.") var infect: String?
    @Option(help: "The SHA-256 of that script, in hexadecimal.") var infectSha256: String?
    @Option(help: "NIX_CHANNEL of nixos-infect.") var channel = "nixos-25.05"
    @Flag(help: "By nixos-anywhere, which must be installed here.") var anywhere = false
    @Option(help: "The machine's host key, `ssh-ed25519 AAAA…`, instead of the question about its fingerprint.")
    var hostKey: String?
    @Option(help: "Of nix/.") var flake = "./nix"
    @Flag(help: "Print the plan and stop.") var dryRun = false
    @Flag(help: "Forget what was done, and begin anew.") var restart = false

    func validate() throws {
        guard anywhere != (infect != nil) else {
            throw ValidationError("Give --infect FILE with --infect-sha256 HASH, or --anywhere.")
        }
        guard infect == nil || infectSha256?.count == 64 else {
            throw ValidationError("--infect needs --infect-sha256: `sha256sum FILE`, once you have read the file.")
        }
    }

    func run() async throws {
        let workplace = try Workplace(options)
        var node = try workplace.inventory.node(node)
        guard !node.ipv4.isEmpty else {
            throw CommandFailure(
                "\(node.name) has no address yet: clavitor-soc fleet set \(node.name) ipv4 192.0.2.1", code: 2)
        }
        let folder = "\(workplace.state)/provision"
        try File.makeDirectory(folder)
        let journal = ProvisionJournal(folder: folder, node: node.name)
        let method =
            infect.map { ProvisionPlan.Method.infect(script: $0, sha256: infectSha256 ?? "", channel: channel) }
            ?? .anywhere
        do { try method.check() } catch let error as SystemCallError {
            throw CommandFailure("--infect: \(error)", code: 2)
        }
        let key = try await confirmedKey(node, workplace)
        let plan = ProvisionPlan(
            node, method: method, flake: flake, hostKey: key, done: restart ? [] : try journal.done(on: key))
        for line in plan.lines { Terminal.line(line) }
        guard !dryRun, !plan.steps.isEmpty else { return }
        guard try File.takeLock("\(folder)/\(node.name).lock") else { throw ProvisionRefusal.underWay(node.name) }
        if restart { journal.forget() }

        let knownHosts = "\(folder)/\(node.name).known_hosts"
        try File.replace(knownHosts, with: "\(node.name) \(key.text)\n", mode: 0o600)
        if node.hostKey != key.text {
            try workplace.file.edit { try $0.setting("host-key", of: node.name, to: key.text) }
            node.hostKey = key.text
        }
        let first = FirstShell(
            node, identity: workplace.settings.sshKey, knownHosts: knownHosts, processes: workplace.processes)
        let hub = node.role == .hub ? nil : try workplace.inventory.hub.map { NodeShell(try workplace.ssh, $0) }
        try await Interrupts.cancelling {
            try await workplace.connected { _, monitor in
                try await Provisioner(
                    plan, inventory: workplace.inventory, journal: journal, first: first, hub: hub,
                    secrets: try workplace.secrets(), monitor: monitor, processes: workplace.processes,
                    clock: ContinuousClock(), now: Workplace.now
                ).run { Terminal.note("… \($0)") }
                if monitor == nil {
                    Terminal.note("No heartbeat was waited for: soc.toml names no monitor-token-file.")
                }
            }
        }
        Terminal.line("\(node.name) is a node. Next: clavitor-soc dns apply")
    }

    /// The inventory's, the option's, or the one that the machine shows and a person has compared.
    private func confirmedKey(_ node: Node, _ workplace: Workplace) async throws -> HostKey {
        let shown = hostKey == nil ? try? await FirstShell.scan(node, processes: workplace.processes) : nil
        if let expected = try (hostKey ?? (node.hostKey.isEmpty ? nil : node.hostKey)).map({ try HostKey($0) }) {
            if let shown, shown != expected { throw HostKeyError.other(shown.fingerprint, expected.fingerprint) }
            return expected
        }
        guard let shown else { throw HostKeyError.noAnswer }
        Terminal.note(
            """
            The machine at \(node.ipv4) shows the host key \(shown.fingerprint).
            Compare it on the provider's console: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub
            Type the fingerprint as it stands there, or anything else to stop:
            """)
        guard isatty(STDIN_FILENO) == 1, readLine()?.filter({ !$0.isWhitespace }) == shown.fingerprint else {
            throw CommandFailure(
                "The host key was not confirmed. Nothing was changed; --host-key gives it beforehand.", code: 2)
        }
        return shown
    }
}
