import Crypto
import Files

/// nixos-infect as the operator has read it.
struct InfectScript: Equatable, Sendable {
    let text: String
    /// In hexadecimal, of small letters.
    let sha256: String

    /// - Throws: `ProvisionRefusal.otherScript`.
    init(_ path: String, sha256 expected: String) throws {
        text = try File.read(path, most: 1 << 20)
        sha256 = SHA256.hash(data: Array(text.utf8)).hexadecimal
        guard sha256 == expected.lowercased() else {
            throw ProvisionRefusal.otherScript(path, shown: sha256, expected: expected)
        }
    }
}

extension ProvisionPlan.Method {
    /// Asks what can be asked before the machine is.
    package func check() throws {
        guard case .infect(let path, let sha256, _) = self else { return }
        _ = try InfectScript(path, sha256: sha256)
    }
}
