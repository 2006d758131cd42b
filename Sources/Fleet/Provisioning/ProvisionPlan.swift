/// How a fresh machine becomes a node, in order. Pure data: printed first, performed by `Provisioner`.
///
/// Everything that can fail on the operator's machine comes before the disk is replaced. Secrets go last: the machine then
/// has its own system, and the host key that was compared.
package struct ProvisionPlan: Equatable, Sendable {
    package enum Step: String, Codable, CaseIterable, Sendable {
        case readiness, check, build, convert, system, restore, secrets, tunnel, serving, heartbeat
    }

    package let node: Node
    package let script: InfectScript
    package let flake: Flake
    /// Nil in a plan that is only shown: nothing was asked yet.
    package let hostKey: HostKey?
    /// What its vaults are restored from; nil for a new node.
    package let backup: VaultBackup?
    package let steps: [Step]

    /// Leaves out what is done already.
    ///
    /// - Parameters:
    ///   - node: With its ipv4 and its public key.
    ///   - script: What converts it.
    ///   - flake: Has its system.
    ///   - hostKey: The one that was confirmed.
    ///   - backup: For a node that is lost.
    ///   - done: Steps of an earlier run.
    package init(
        _ node: Node, _ script: InfectScript, flake: Flake, hostKey: HostKey?, backup: VaultBackup? = nil,
        done: Set<Step> = []
    ) {
        (self.node, self.script, self.flake, self.hostKey, self.backup) = (node, script, flake, hostKey, backup)
        steps = Step.allCases.filter { step in
            switch step {
            case .restore: backup != nil && !done.contains(step)
            // What is built is needed until it is there, and is built once.
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
            ask root@\(node.ipv4) (\(hostKey.map { "host key \($0.fingerprint)" } ?? "its host key is compared first")) for \
            its architecture, memory, disk, firmware and programs
            """
        case .build: "build the system of \(node.name) from \(flake.folder)"
        case .convert:
            """
            send \(script.path) (SHA-256 \(script.sha256)) and run it there, apart from the connection, with \
            NIX_CHANNEL=\(script.channel); it ends with a reboot. THE SYSTEM AND EVERYTHING ON ITS DISK ARE REPLACED
            """
        case .system: "copy the system to \(node.name), and make it what the machine boots"
        case .restore: "open \(backup?.path ?? "the backup") here, check it, and send the vaults"
        case .secrets: "push the secrets of \(node.name)"
        case .tunnel:
            "reboot it, which shuts port 22 to the public, and wait on the hub for a handshake of \(node.name)"
        case .serving: "wait until \(node.url) is ready, with a certificate"
        case .heartbeat: "wait for a heartbeat at the monitor"
        }
    }
}
