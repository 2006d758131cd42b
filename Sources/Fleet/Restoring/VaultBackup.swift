/// An encrypted backup of a node's vaults on this machine, and the file with the age identity that decrypts it.
package struct VaultBackup: Equatable, Sendable {
    package var path: String
    package var identity: String

    package init(path: String, identity: String) {
        (self.path, self.identity) = (path, identity)
    }
}
