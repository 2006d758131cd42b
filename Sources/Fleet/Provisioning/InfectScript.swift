import Crypto
import Files

/// nixos-infect as the operator has read it: converts a machine to NixOS in place, also with little memory.
package struct InfectScript: Equatable, Sendable {
    package let path: String
    package let text: String
    /// In hexadecimal, of small letters.
    package let sha256: String
    /// Of nixpkgs, for the system between the provider's and the node's own: `nixos-26.05`.
    package let channel: String

    /// - Throws: `ProvisionRefusal.otherScript`, `SystemCallError`.
    package init(_ path: String, sha256 expected: String, channel: String) throws {
        text = try File.read(path, most: 1 << 20)
        sha256 = SHA256.hash(data: Array(text.utf8)).hexadecimal
        (self.path, self.channel) = (path, channel)
        guard sha256 == expected.lowercased() else {
            throw ProvisionRefusal.otherScript(path, shown: sha256, expected: expected)
        }
    }
}
