import Auth
import TestSupport
import Testing
import Vault
import VaultFormat

/// A passkey as the proof of a change.
extension PasskeyTests {
    @Test func aPasskeyProvesOnceWithEachChallenge() async throws {
        let (owner, passkey) = try await owner()
        let proof = try passkey.proof(node.accounts.passkeyChallenge().challenge)
        try await node.accounts.setRecovery(ada.recovery, proof: proof, as: owner)
        let again = await thrown { try await node.accounts.setRecovery(nil, proof: proof, as: owner) }
        let login = await thrown {
            try await node.login(passkey, assertion: proof.assertion)
        }
        let unsigned = await thrown {
            try await node.accounts.setRecovery(
                nil, proof: .init(kind: .passkey, secret: passkey.authKey, code: nil), as: owner)
        }
        #expect(again as? AuthError == .wrongProof)
        #expect(login as? AuthError == .badCredentials)
        #expect(unsigned as? AuthError == .wrongProof)
        #expect(try await node.kit(as: owner) != nil)
    }

    @Test func aProofByAnotherAccountsPasskeyIsWrong() async throws {
        let (owner, _) = try await owner()
        let bob = Person("bob@example.org")
        let other = try await node.addPasskey(proof: bob.proof(), as: try await node.owner(bob))
        let proof = try other.proof(node.accounts.passkeyChallenge().challenge)
        let error = await thrown { try await node.accounts.setRecovery(nil, proof: proof, as: owner) }
        #expect(error as? AuthError == .wrongProof)
    }

    @Test func wrongProofsByPasskeyAreLimitedToo() async throws {
        let (owner, passkey) = try await owner()
        var waiting = 0
        for _ in 0..<8 {
            let proof = try passkey.proof([1, 2, 3])
            let error = await thrown { try await node.accounts.setRecovery(nil, proof: proof, as: owner) }
            if case .tooManyAttempts? = error as? AuthError { waiting += 1 }
        }
        #expect(waiting == 3)
    }
}
