extension Inventory {
    /// Required or recommended values that are neither set nor disabled yet. The hub needs every WireGuard key, a spoke its own
    /// and the hub's. nix/fleet.nix reports the same, and builds nothing until they are set.
    package func missing(for node: Node) -> [String] {
        missingKeys(for: node) + missingDuties + (node.role == .hub ? missingNotifications : [])
    }

    /// Checks that nothing is missing for these nodes. Nix checks the same.
    ///
    /// - Throws: `DeployPreconditionError.notReady`.
    package func requireComplete(_ nodes: [Node]) throws(DeployPreconditionError) {
        var sentences: [String] = []
        for sentence in nodes.flatMap(missing) where !sentences.contains(sentence) { sentences.append(sentence) }
        guard sentences.isEmpty else { throw .notReady(sentences) }
    }

    private func missingKeys(for node: Node) -> [String] {
        let peers = node.role == .hub ? nodes : [node] + (hub.map { [$0] } ?? [])
        let keyless = peers.filter(\.publicKey.isEmpty).map(\.name)
        return broken([
            (
                !keyless.isEmpty,
                "no WireGuard key for \(keyless.joined(separator: ", ")): `clavitor-soc keys generate` makes them"
            ),
            (
                hub?.ipv4.isEmpty == true,
                "\(hub?.name ?? ""), the hub, has no ipv4: spokes dial an address, because a name would hang on DNS at boot"
            ),
            (operators.isEmpty, "no [[operator]]: nobody could sign in; `clavitor-soc begin` enters one"),
        ])
    }

    private var missingDuties: [String] {
        broken([
            (
                !breakGlass.isThere && breakGlass.enabled != false,
                """
                no break-glass key: nobody could sign in while the hub is down; `clavitor-soc break-glass enable` sets it, \
                `enabled = false` in [break-glass] declines it
                """
            ),
            (
                (backup?.recipients ?? []).isEmpty && backup?.enabled != false,
                """
                no [backup]: a lost disk would be the end of its vaults; `recipients` says who can open backups, \
                `enabled = false` declines them
                """
            ),
        ])
    }

    private var missingNotifications: [String] {
        broken([
            (
                channels.isEmpty && notifying?.enabled != false,
                """
                no [[channel]]: the monitor would notify nobody; `enabled = false` in [notify] declines it
                """
            )
        ])
    }
}
