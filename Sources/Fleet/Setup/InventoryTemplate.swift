/// The first inventory of a fleet: its hub, and default values in the other tables.
package enum InventoryTemplate {
    /// - Parameters:
    ///   - hub: Its role and its WireGuard address are overwritten.
    ///   - monitor: The monitor's name.
    ///   - disk: The disk layout of the hub's provider.
    /// - Returns: TOML.
    /// - Throws: `InventoryError`.
    package static func text(hub: Node, monitor: String, disk: NodeDisk) throws -> String {
        var hub = hub
        (hub.role, hub.address) = (.hub, "10.84.0.1")
        let esp = disk.esp.map { "\nesp = \(TOMLLines.quoted($0))" } ?? ""
        let head = """
            # The fleet's inventory, used by Nix and by clavitor-soc. It has no secrets.

            [fleet]
            network = "10.84.0.0/24"           # WireGuard, for management only: .1 hub, .2-.199 spokes, .200-.254 operators
            port = 51820                       # of the hub, UDP
            monitor = \(TOMLLines.quoted(monitor))   # resolves to the hub's WireGuard address on the nodes
            acme-contact = []

            # A second sshd in every system, not started by default, for the loss of the hub. Set by `clavitor-soc break-glass`;
            # enabled = false declines it.
            [break-glass]
            ssh-key = ""
            from = []

            # Backups on each machine; enabled = false declines them.
            [backup]
            recipients = []
            every = "1d"
            keep = "3,7,4,6"
            target = "/var/backups/clavitor"

            # Notifications of the monitor: tables [[channel]] and [[route]], see docs/OPERATIONS.md; enabled = false declines
            # them. dead-man = false: no dead man's switch.
            [notify]

            # Disk layout of the provider's images; see `lsblk` on a new machine.
            [provider.\(hub.provider)]
            disk = \(TOMLLines.quoted(disk.disk))
            root = \(TOMLLines.quoted(disk.root))\(esp)

            # Dollars per month.
            [tier.\(hub.tier)]
            memory-mb = 512
            usd = 0.0

            """
        return try InventoryText(head).first(hub).text
    }
}
