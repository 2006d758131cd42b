import CArgon2
import Crypto
import Secrets
import Wire

/// Argon2id parameters within the range that the client accepts: lower values weaken the password, higher ones exhaust the
/// machine.
struct KDFParameters: Equatable, Sendable {
    let memoryKiB: UInt32
    let iterations: UInt32
    let parallelism: UInt32

    init(_ body: KDFBody) throws(KDFRefusal) {
        guard body.type == "argon2id" else { throw .type(body.type) }
        guard (3...20).contains(body.iterations) else { throw .iterations(body.iterations) }
        guard (32 * 1_024...256 * 1_024).contains(body.memoryKiB) else { throw .memory(kibibytes: body.memoryKiB) }
        guard (1...16).contains(body.parallelism) else { throw .parallelism(body.parallelism) }
        memoryKiB = UInt32(body.memoryKiB)
        iterations = UInt32(body.iterations)
        parallelism = UInt32(body.parallelism)
    }

    /// Runs Argon2id version 1.3, which takes a tenth of a second and `memoryKiB`.
    func masterKey(of password: borrowing Password, salt: [UInt8]) throws(KDFRefusal) -> SecretBytes {
        guard salt.count == 16 else { throw .salt(bytes: salt.count) }
        var status = ARGON2_OK.rawValue
        let key = password.bytes.withBytes { password in
            SecretBytes(count: 32) { output in
                output.append(repeating: 0, count: 32)
                var key = output.mutableSpan
                status = unsafe password.withUnsafeBufferPointer { password in
                    unsafe key.withUnsafeMutableBufferPointer { key in
                        unsafe argon2id_hash_raw(
                            iterations, memoryKiB, parallelism, password.baseAddress, password.count, salt, salt.count,
                            key.baseAddress, key.count)
                    }
                }
            }
        }
        guard status == ARGON2_OK.rawValue else { throw .failed(code: status) }
        return key
    }
}

enum KDFRefusal: Error, Equatable, Sendable {
    case type(String)
    case iterations(Int)
    case memory(kibibytes: Int)
    case parallelism(Int)
    case salt(bytes: Int)
    case failed(code: Int32)
}

/// The keys derived from a password or recovery kit: the authKey for the node, and the wrap key that never leaves the client.
struct AccountKeys: Sendable {
    /// Authenticates the account to this origin only.
    let authKey: SymmetricKey
    /// Wraps the l2Key. Never leaves this machine.
    let l2WrapKey: SymmetricKey

    init(masterKey: borrowing SecretBytes, origin: String) {
        self.init(secret: SymmetricKey(masterKey), label: "", origin: origin)
    }

    init(kit: RecoveryKit, origin: String) {
        self.init(secret: kit.secret, label: "recovery/", origin: origin)
    }

    private init(secret: SymmetricKey, label: String, origin: String) {
        func derive(_ info: [UInt8]) -> SymmetricKey {
            HKDF<SHA256>.deriveKey(inputKeyMaterial: secret, info: info, outputByteCount: 32)
        }
        authKey = derive(Array("clavitor/1/\(label)auth".utf8) + [0] + Array(origin.utf8))
        l2WrapKey = derive(Array("clavitor/1/\(label)l2".utf8))
    }
}
