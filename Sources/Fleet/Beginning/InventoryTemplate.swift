/// The first inventory of a fleet: its hub, and what the other tables hold until somebody fills them in.
package enum InventoryTemplate {
    /// - Parameters:
    ///   - hub: Its role and its WireGuard address are made right.
    ///   - monitor: The monitor's name.
    ///   - disk: Of the hub's provider.
    /// - Returns: TOML.
    /// - Throws: `InventoryError`.
    package static func text(hub: Node, monitor: String, disk: NodeDisk) throws -> String {
        var hub = hub
        (hub.role, hub.address) = (.hub, "10.84.0.1")
        let esp = disk.esp.map { "\nesp = \(TOMLLines.quoted($0))" } ?? ""
        let head = """
            # The fleet: the one inventory. Nix makes the machines from it, clavitor-soc the plans. No secret stands here.

            [fleet]
            network = "10.84.0.0/24"           # WireGuard, for management alone: .1 hub, .2-.199 spokes, .200-.254 operators
            port = 51820                       # of the hub, UDP
            monitor = \(TOMLLines.quoted(monitor))   # resolves to the hub's WireGuard address, on the nodes themselves
            acme-contact = []

            # A second sshd in every system, for the day when the hub is lost; nothing starts it. `clavitor-soc break-glass` sets
            # these; enabled = false declines it.
            [break-glass]
            ssh-key = ""
            from = []

            # Backups that each machine makes; enabled = false declines them.
            [backup]
            recipients = []
            every = "1d"
            keep = "3,7,4,6"
            target = "/var/backups/clavitor"

            # Whom the monitor notifies: tables [[channel]] and [[route]], as in docs/OPERATIONS.md; enabled = false declines it.
            # dead-man = false: without a dead man's switch.
            [notify]

            # What a provider's images have; `lsblk` on a new machine tells.
            [provider.\(hub.provider)]
            disk = \(TOMLLines.quoted(disk.disk))
            root = \(TOMLLines.quoted(disk.root))\(esp)

            # Dollars a month.
            [tier.\(hub.tier)]
            memory-mb = 512
            usd = 0.0

            """
        return try InventoryText(head).first(hub).text
    }
}
