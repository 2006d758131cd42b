/// How a fresh Debian becomes a node, in order. Pure data: printed first, performed by `Provisioner`.
package struct ProvisionPlan: Equatable, Sendable {
    package enum Method: Equatable, Sendable {
        /// In place; for machines with little memory. The script is the operator's, who has read it.
        case infect(script: String, sha256: String, channel: String)
        /// Over kexec, and straight to the node's own system; needs 2 GB.
        case anywhere
    }

    package enum Step: String, Codable, CaseIterable, Sendable {
        case readiness, check, convert, secrets, system, tunnel, heartbeat
    }

    package let node: Node
    package let method: Method
    package let flake: String
    package let hostKey: HostKey
    package let steps: [Step]

    /// Leaves out what is done already.
    ///
    /// - Parameters:
    ///   - node: With its ipv4 and its public key.
    ///   - method: How to convert it.
    ///   - flake: Of nix/.
    ///   - hostKey: The one that was confirmed.
    ///   - done: Steps of an earlier run.
    package init(
        _ node: Node, method: Method, flake: String, hostKey: HostKey, done: Set<Step> = []
    ) {
        self.node = node
        self.method = method
        self.flake = flake
        self.hostKey = hostKey
        steps = Step.allCases.filter { step in
            // nixos-anywhere takes the secrets along and installs the system itself.
            let isPart = method != .anywhere || (step != .secrets && step != .system)
            return isPart && !done.contains(step)
        }
    }

    var system: String { "\(flake)#nixosConfigurations.\(node.name)" }

    package var lines: [String] {
        steps.enumerated().map { index, step in "\(index + 1). \(sentence(step))" }
    }

    package func sentence(_ step: Step) -> String {
        switch step {
        case .readiness: "check that the hub knows \(node.name)'s WireGuard key, and that its secrets are set"
        case .check: "ask root@\(node.ipv4) (host key \(hostKey.fingerprint)): Debian 12, x86_64, memory, disk"
        case .convert:
            switch method {
            case .infect(let script, let sha256, let channel):
                """
                send \(script) (SHA-256 \(sha256)) and run it there, apart from the connection, with NIX_CHANNEL=\(channel); \
                it ends with a reboot. DEBIAN AND EVERYTHING ON ITS DISK ARE REPLACED
                """
            case .anywhere:
                """
                nixos-anywhere --flake \(flake)#\(node.name) --copy-host-keys, with the secrets from memory (/dev/shm). \
                EVERYTHING ON THE DISK IS REPLACED
                """
            }
        case .secrets: "push the secrets of \(node.name)"
        case .system:
            "build \(system), copy it, and make it what the machine boots"
        case .tunnel:
            switch method {
            case .infect:
                "reboot it, which shuts port 22 to the public, and wait on the hub for a handshake of \(node.name)"
            case .anywhere: "wait on the hub for a handshake of \(node.name)"
            }
        case .heartbeat: "wait for a heartbeat at the monitor"
        }
    }
}
