import ArgumentParser
import Files
import Fleet
import Glibc

/// Converts a fresh machine to a node.
struct ProvisionCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "provision", abstract: "Turn a fresh Linux machine into a node of the fleet.",
        discussion: """
            The machine needs an ipv4 in the inventory, and the operator's key in root's authorized_keys. It is converted in \
            place by nixos-infect, which needs little memory and supports Debian, Ubuntu and others: download the script, review \
            it, and pass its SHA-256. The system is built before the machine is changed. Progress is recorded: run the command \
            again to resume.
            """)

    @OptionGroup var options: OperatorOptions
    @OptionGroup var flake: FlakeOptions
    @Argument(help: "The node.") var node: String
    @Option(help: "The nixos-infect script.") var infect: String
    @Option(help: "The SHA-256 of that script, in hexadecimal.") var infectSha256: String
    @Option(help: "NIX_CHANNEL of nixos-infect. (default: the branch that flake.lock follows)") var channel: String?
    @Option(help: "The machine's host key, `ssh-ed25519 AAAA…`, instead of the prompt for its fingerprint.")
    var hostKey: String?
    @OptionGroup var restoring: BackupOptions
    @Flag(help: "Print the plan and stop.") var dryRun = false
    @Flag(help: "Discard the recorded progress, and start again.") var restart = false

    func validate() throws {
        guard infectSha256.count == 64 else {
            throw ValidationError("--infect-sha256 is 64 digits: `sha256sum FILE`, once you have read the file.")
        }
    }

    func run() async throws {
        let context = try OperatorContext(options)
        let node = try context.inventory.node(node)
        guard !node.ipv4.isEmpty else {
            throw CommandFailure(
                "\(node.name) has no address yet: clavitor-soc fleet set \(node.name) ipv4 192.0.2.1", code: 2)
        }
        try context.inventory.requireComplete([node])
        let draft = try draft(node, context)
        guard !dryRun else { return try describe(draft, context) }
        let folder = "\(context.state)/provision"
        try File.makeDirectory(folder)
        let journal = ProvisionJournal(folder: folder, node: node.name)
        let key = try await confirmedKey(node, context)
        let plan = ProvisionPlan(
            node, draft.script, flake: draft.flake, hostKey: key, backup: draft.backup,
            done: restart ? [] : try journal.done(on: key))
        for line in plan.lines { Terminal.line(line) }
        guard !plan.steps.isEmpty else { return }
        guard try File.tryLock("\(folder)/\(node.name).lock") else {
            throw ProvisionPreconditionError.underWay(node.name)
        }
        if restart { journal.reset() }
        try await perform(plan, journal, folder, context)
        Terminal.line("\(node.name) is a node of the fleet and serves \(node.url).")
    }

    /// Checks everything else before connecting to the machine.
    private func draft(_ node: Node, _ context: OperatorContext) throws -> ProvisionPlan {
        let flake = try flake.checked(context.file)
        guard let channel = try channel ?? flake.lock().branch else {
            throw CommandFailure("\(flake.lockPath) names no branch of nixpkgs; give --channel nixos-26.05", code: 2)
        }
        let script: InfectScript
        do { script = try InfectScript(infect, sha256: infectSha256, channel: channel) } catch let error
            as SystemCallError
        {
            throw CommandFailure("--infect: \(error)", code: 2)
        }
        return ProvisionPlan(
            node, script, flake: flake, hostKey: try hostKey.map { try HostKey($0) },
            backup: try restoring.backup(context.settings))
    }

    private func describe(_ plan: ProvisionPlan, _ context: OperatorContext) throws {
        let node = plan.node
        let disk = context.inventory.disk(of: node)
        for (key, value) in [
            ("node", "\(node.name), \(node.role.rawValue), \(node.tier) with \(node.provider)"),
            ("machine", "root@\(node.ipv4)"), ("domain", node.domain), ("WireGuard", node.address),
            ("disk", "\(disk?.disk ?? "-"), / on \(disk?.root ?? "-"), \(disk?.esp.map { "UEFI, \($0)" } ?? "BIOS")"),
            ("system", "\(plan.flake.folder), nixpkgs \(try plan.flake.lock().summary)"),
            ("channel", plan.script.channel),
        ] {
            Terminal.line("\(key)\(String(repeating: " ", count: 10 - key.count))\(value)")
        }
        for line in plan.lines { Terminal.line(line) }
    }

    private func perform(
        _ plan: ProvisionPlan, _ journal: ProvisionJournal, _ folder: String, _ context: OperatorContext
    ) async throws {
        var pinned = plan.node
        let key = plan.hostKey?.text ?? ""
        let knownHosts = "\(folder)/\(pinned.name).known_hosts"
        try File.replace(knownHosts, with: "\(pinned.name) \(key)\n", mode: 0o600)
        if pinned.hostKey != key {
            try context.file.edit { try $0.setting("host-key", of: pinned.name, to: key) }
            pinned.hostKey = key
        }
        let node = pinned
        let first = BootstrapShell(
            node, identity: context.settings.sshKey, knownHosts: knownHosts, processes: context.processes)
        let hub = node.role == .hub ? nil : try context.inventory.hub.map { NodeShell(try context.ssh, $0) }
        try await Interrupts.cancelling {
            // The hub's monitor is reached through the operator's tunnel, which does not work before the hub does.
            try await context.connected(withoutMonitor: node.role == .hub) { probe, monitor in
                try await Provisioner(
                    plan, inventory: context.inventory, journal: journal, first: first, hub: hub,
                    secrets: try context.secrets(), monitor: monitor, probe: probe, processes: context.processes,
                    folder: "\(folder)/\(node.name).restore", clock: ContinuousClock(), now: OperatorContext.now
                ).run { Terminal.note("… \($0)") }
                if monitor == nil { Terminal.note("Did not wait for a heartbeat: the monitor was not queried.") }
            }
        }
    }

    /// The key in the option or the inventory, or the machine's key after the operator has confirmed it.
    private func confirmedKey(_ node: Node, _ context: OperatorContext) async throws -> HostKey {
        let shown = hostKey == nil ? try? await BootstrapShell.scan(node, processes: context.processes) : nil
        if let expected = try (hostKey ?? (node.hostKey.isEmpty ? nil : node.hostKey)).map({ try HostKey($0) }) {
            if let shown, shown != expected { throw HostKeyError.other(shown.fingerprint, expected.fingerprint) }
            return expected
        }
        guard let shown else { throw HostKeyError.noAnswer }
        Terminal.note(
            """
            The machine at \(node.ipv4) shows the host key \(shown.fingerprint).
            Compare it on the provider's console: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub
            Type the fingerprint shown there, or anything else to stop:
            """)
        guard isatty(STDIN_FILENO) == 1, readLine()?.filter({ !$0.isWhitespace }) == shown.fingerprint else {
            throw CommandFailure(
                "The host key was not confirmed. Nothing was changed. --host-key sets it without a prompt.", code: 2)
        }
        return shown
    }
}
