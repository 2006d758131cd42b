/// An operator's WireGuard configuration, for `wg-quick`.
package enum WireGuardText {
    /// Has the hub as the only peer: spokes are reached through its sshd.
    package static func text(_ entry: Inventory.Operator, _ key: WireGuardKey, hub: Node, port: Int) -> String {
        """
        # clavitor-soc begin: tunnel of \(entry.name) to \(hub.name). Contains a private key.
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
