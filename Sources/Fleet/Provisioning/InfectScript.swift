import Crypto
import Encoding
import Files

/// The script nixos-infect in the version that the operator has reviewed: converts a machine to NixOS in place, even with
/// little memory.
package struct InfectScript: Equatable, Sendable {
    package let path: String
    package let text: String
    /// In lower-case hexadecimal.
    package let sha256: String
    /// The nixpkgs channel of the intermediate system, such as `nixos-26.05`.
    package let channel: String

    /// - Throws: `ProvisionPreconditionError.otherScript`, `SystemCallError`.
    package init(_ path: String, sha256 expected: String, channel: String) throws {
        text = try File.read(path, most: 1 << 20)
        sha256 = Hexadecimal.encode(SHA256.hash(data: Array(text.utf8)))
        (self.path, self.channel) = (path, channel)
        guard sha256 == expected.lowercased() else {
            throw ProvisionPreconditionError.otherScript(path, shown: sha256, expected: expected)
        }
    }
}
