/// The steps that turn a fresh machine into a node, in order. Pure data: printed first, then performed by `Provisioner`.
///
/// Everything that can fail on the operator's machine comes before the disk is replaced. Secrets are pushed last: the machine
/// then has its own system and the confirmed host key.
package struct ProvisionPlan: Equatable, Sendable {
    package enum Step: String, Codable, CaseIterable, Sendable {
        case readiness, check, build, convert, system, restore, secrets, tunnel, serving, heartbeat
    }

    package let node: Node
    package let script: InfectScript
    package let flake: Flake
    /// Nil in a plan that is only printed.
    package let hostKey: HostKey?
    /// The backup to restore; nil for a new node.
    package let backup: VaultBackup?
    package let steps: [Step]

    /// Plans the remaining steps.
    ///
    /// - Parameters:
    ///   - node: Must have an ipv4 and a public key.
    ///   - script: Converts the machine.
    ///   - flake: Has the node's system.
    ///   - hostKey: The confirmed host key.
    ///   - backup: For the replacement of a lost node.
    ///   - done: Steps completed by an earlier run.
    package init(
        _ node: Node, _ script: InfectScript, flake: Flake, hostKey: HostKey?, backup: VaultBackup? = nil,
        done: Set<Step> = []
    ) {
        (self.node, self.script, self.flake, self.hostKey, self.backup) = (node, script, flake, hostKey, backup)
        steps = Step.allCases.filter { step in
            switch step {
            case .restore: backup != nil && !done.contains(step)
            // The built system is needed until it is on the machine; a second build is free.
            case .build: !done.contains(.system)
            case .readiness, .check, .convert, .system, .secrets, .tunnel, .serving, .heartbeat: !done.contains(step)
            }
        }
    }

    package var lines: [String] {
        steps.enumerated().map { index, step in "\(index + 1). \(sentence(step))" }
    }

    package func sentence(_ step: Step) -> String {
        switch step {
        case .readiness: "check that the hub knows \(node.name)'s WireGuard key, and that its secrets are set"
        case .check:
            """
            query root@\(node.ipv4) (\(hostKey.map { "host key \($0.fingerprint)" } ?? "its host key is compared first")) for \
            its architecture, memory, disk, firmware and programs
            """
        case .build: "build the system of \(node.name) from \(flake.folder)"
        case .convert:
            """
            send \(script.path) (SHA-256 \(script.sha256)) and run it there, independently of the connection, with \
            NIX_CHANNEL=\(script.channel); it ends with a reboot. THE SYSTEM AND EVERYTHING ON ITS DISK ARE REPLACED
            """
        case .system: "copy the system to \(node.name), and make it the boot default"
        case .restore: "decrypt and verify \(backup?.path ?? "the backup") on this machine, and send the vaults"
        case .secrets: "push the secrets of \(node.name)"
        case .tunnel:
            "reboot it, which closes port 22 to the public, and wait on the hub for a handshake of \(node.name)"
        case .serving: "wait until \(node.url) is ready, with a certificate"
        case .heartbeat: "wait for a heartbeat at the monitor"
        }
    }
}
