import Crypto
package import Foundation
import SwiftASN1
import Synchronization
package import X509

extension ScriptedCA {
    /// A leaf and the CA's own certificate.
    package func chain(
        _ names: [String], _ publicKey: Certificate.PublicKey, from: Date? = nil, lifetime: TimeInterval? = nil
    ) throws -> String {
        let (serial, standard) = state.withLock { state in
            state.serial += 1
            return (state.serial, state.behaviour.lifetime)
        }
        // Backdated by an hour, as Let's Encrypt does; to the second, as certificates are.
        let start = Date(timeIntervalSince1970: ((from ?? now()).timeIntervalSince1970 - 3_600).rounded())
        let end = start.addingTimeInterval(lifetime ?? standard)
        let subject = try DistinguishedName { CommonName("Scripted CA") }
        let keyID = SubjectKeyIdentifier(hash: key.publicKey)
        let root = try Certificate(
            version: .v3, serialNumber: .init(bytes: [1]), publicKey: key.publicKey,
            notValidBefore: start.addingTimeInterval(-86_400), notValidAfter: end.addingTimeInterval(86_400),
            issuer: subject, subject: subject, signatureAlgorithm: .ecdsaWithSHA256,
            extensions: try .init {
                Critical(BasicConstraints.isCertificateAuthority(maxPathLength: nil))
                keyID
            }, issuerPrivateKey: key)
        let bytes = (0..<8).map { UInt8(truncatingIfNeeded: serial >> UInt64(56 - 8 * $0)) }
        let leaf = try Certificate(
            version: .v3, serialNumber: .init(bytes: [0x42] + bytes), publicKey: publicKey, notValidBefore: start,
            notValidAfter: end, issuer: subject, subject: DistinguishedName(), signatureAlgorithm: .ecdsaWithSHA256,
            extensions: try .init {
                SubjectAlternativeNames(names.map { .dnsName($0) })
                try ExtendedKeyUsage([.serverAuth])
                AuthorityKeyIdentifier(keyIdentifier: keyID.keyIdentifier)
            }, issuerPrivateKey: key)
        let id = "\(encode(keyID.keyIdentifier)).\(encode(leaf.serialNumber.bytes))"
        state.withLock { $0.windows[id] = (start, end) }
        return try [leaf, root].map { try $0.serializeAsPEM().pemString + "\n" }.joined()
    }

    func encode(_ bytes: some Sequence<UInt8>) -> String {
        Data(bytes).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }
}
