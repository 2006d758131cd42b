import Crypto
import Encoding
import FoundationEssentials
import OneTimePasswords
import Secrets
import Vault
import VaultFormat

/// The second factor: TOTP seed, step of the last accepted code, and recovery codes, encrypted under the owner's wrap key.
struct SecondFactor: Codable, Sendable {
    private var seed: [UInt8]
    private var lastStep: Int64
    /// SHA-256 of each unused recovery code, which carries 80 random bits.
    private var codes: [[UInt8]]

    static func generate() -> SecondFactor {
        SecondFactor(seed: Array(SymmetricKey(size: SymmetricKeySize(bitCount: 160)).bytes), lastStep: 0, codes: [])
    }

    var secret: String { Base32.encode(seed) }

    /// Checks a code. An accepted code is used up.
    mutating func accept(_ code: String, at time: Int64) -> Bool {
        if let step = TOTP(secret: seed).accepts(code.filter { !$0.isWhitespace }, at: time, after: lastStep) {
            lastStep = step
            return true
        }
        let digest = Self.digest(code)
        guard let index = codes.firstIndex(where: { constantTimeEqual($0, digest) }) else { return false }
        codes.remove(at: index)
        return true
    }

    /// Generates ten recovery codes, which replace the old ones.
    mutating func makeRecoveryCodes() -> [String] {
        let fresh = (0..<10).map { _ in
            Base32.encode(Array(SymmetricKey(size: SymmetricKeySize(bitCount: 80)).bytes)).lowercased()
        }
        codes = fresh.map(Self.digest)
        return fresh.map { "\($0.prefix(4))-\($0.dropFirst(4).prefix(4))-\($0.dropFirst(8).prefix(4))-\($0.suffix(4))" }
    }

    private static func digest(_ code: String) -> [UInt8] {
        Array(SHA256.hash(data: Array(code.lowercased().filter { $0.isLetter || $0.isNumber }.utf8)))
    }

    func sealed(_ item: OwnerItem, vault: VaultID, owner: HolderKey) throws -> [UInt8] {
        let plaintext = Array(try JSONEncoder().encode(self))
        return Box.seal(plaintext, key: owner.wrapKey, context: item.context(vault: vault, holder: owner.id))
    }

    init(sealed: [UInt8], _ item: OwnerItem, vault: VaultID, owner: HolderKey) throws {
        let plaintext = try Box.open(sealed, key: owner.wrapKey, context: item.context(vault: vault, holder: owner.id))
        self = try JSONDecoder().decode(SecondFactor.self, from: Data(plaintext))
    }

    private init(seed: [UInt8], lastStep: Int64, codes: [[UInt8]]) {
        self.seed = seed
        self.lastStep = lastStep
        self.codes = codes
    }
}
