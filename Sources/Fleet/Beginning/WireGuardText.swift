/// The configuration of an operator's side of the tunnel, for `wg-quick`.
package enum WireGuardText {
    /// Leads to the hub alone: spokes are reached through its sshd.
    package static func text(_ entry: Inventory.Operator, _ key: WireGuardKey, hub: Node, port: Int) -> String {
        """
        # clavitor-soc begin: \(entry.name)'s way to \(hub.name). Holds a private key.
        [Interface]
        PrivateKey = \(key.privateText)
        Address = \(entry.address)/32

        [Peer]
        PublicKey = \(hub.publicKey)
        Endpoint = \(hub.ipv4):\(port)
        AllowedIPs = \(hub.address)/32
        PersistentKeepalive = 25

        """
    }
}
