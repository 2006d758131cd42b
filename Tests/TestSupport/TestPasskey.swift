package import Auth
package import Crypto
import Encoding
package import IPNetworks
import Storage
package import Vault
package import VaultFormat

/// An authenticator with one passkey, as a browser uses it.
package struct TestPasskey: Sendable {
    package let id = CredentialID.random()
    package let credentialID = (0..<16).map { _ in UInt8.random(in: .min ... .max) }
    /// What the client derives from the passkey's PRF.
    package let authKey = SymmetricKey(size: .bits256)
    package var name = "MacBook"
    private let key = P256.Signing.PrivateKey()

    package init() {}

    package var assertionKey: AssertionKey {
        AssertionKey(algorithm: .es256, spki: Array(key.publicKey.derRepresentation))
    }

    /// Signs a challenge.
    package func assertion(
        _ challenge: [UInt8], type: String = "webauthn.get", origin: String = "https://localhost",
        crossOrigin: Bool = false, relyingParty: String = "localhost", flags: UInt8 = 0x05
    ) throws -> PasskeyAssertion {
        let client =
            #"{"type":"\#(type)","challenge":"\#(Base64URL.encode(challenge))","origin":"\#(origin)","#
            + #""crossOrigin":\#(crossOrigin)}"#
        let data = Array(SHA256.hash(data: Array(relyingParty.utf8))) + [flags, 0, 0, 0, 0]
        let signed = data + Array(SHA256.hash(data: Array(client.utf8)))
        return PasskeyAssertion(
            clientDataJSON: Array(client.utf8), authenticatorData: data,
            signature: Array(try key.signature(for: signed).derRepresentation))
    }

    /// An enrolment. `wrappedL2Key`: Nil for a passkey that opens no L2 values.
    package func enrolment(_ wrappedL2Key: [UInt8]? = nil) -> Accounts.NewPasskey {
        .init(
            id: id, authKey: authKey, wrappedL2Key: wrappedL2Key, l2Generation: wrappedL2Key == nil ? nil : 1,
            key: assertionKey,
            details: .init(name: name, credentialID: credentialID, transports: ["internal"]))
    }

    /// A proof with an assertion of a challenge.
    package func proof(_ challenge: [UInt8]) throws -> Accounts.Proof {
        .init(kind: .passkey, secret: authKey, code: nil, assertion: try assertion(challenge))
    }
}

extension TestVault {
    /// Enrols a passkey.
    package func addPasskey(
        _ name: String = "MacBook", l2Key: [UInt8]? = nil, proof: Accounts.Proof, as owner: Principal
    ) async throws -> TestPasskey {
        var passkey = TestPasskey()
        passkey.name = name
        _ = try await accounts.addPasskey(passkey.enrolment(l2Key), proof: proof, as: owner)
        return passkey
    }

    /// Signs in with a passkey. `assertion`: That of a new challenge by default.
    package func login(
        _ passkey: TestPasskey, assertion: PasskeyAssertion? = nil, credentialID: [UInt8]? = nil,
        device: [UInt8]? = nil, from address: IPAddress? = TestVault.home
    ) async throws -> Accounts.NewSession {
        try await accounts.login(
            .init(
                authKey: passkey.authKey,
                assertion: try assertion ?? passkey.assertion(accounts.passkeyChallenge().challenge),
                credentialID: credentialID, device: device),
            from: address)
    }

    /// The suite of the inner secret box of a credential: 1 boxed, 2 sealed.
    package func form(of id: CredentialID) async throws -> UInt8? {
        let vaults = try await store.vaults()
        for vault in vaults {
            guard let row = try await store.kitAndPasskeys(of: vault).first(where: { $0.id == id }) else { continue }
            return try root.open(row.box, context: row.outerContexts.box)[1]
        }
        return nil
    }
}
