package import Crypto
import Encoding
package import IPNetworks
import Secrets
package import Vault
package import VaultFormat

extension Accounts {
    package struct Login: Sendable {
        package var email: EmailAddress
        package var authKey: SymmetricKey
        package var code: String?
        package var device: [UInt8]?

        package init(email: EmailAddress, authKey: SymmetricKey, code: String?, device: [UInt8]?) {
            self.email = email
            self.authKey = authKey
            self.code = code
            self.device = device
        }
    }

    package struct NewSession: Sendable {
        package let token: Token
        package let id: CredentialID
        package let expires: Int64
        package let vault: VaultID
        /// Nil after a sign-in with a passkey that opens no L2 values.
        package let wrappedL2Key: [UInt8]?
        package let l2Generation: Int
        /// Sent at the next login, it exempts this device from the limits that other clients' failures use up.
        package let device: [UInt8]
    }

    /// Opens a session after checking the password and, when enabled, the second factor.
    package func login(_ request: Login, from address: IPAddress?) async throws -> NewSession {
        let identified = try await identify(
            request.email, .password, request.authKey, request.device, from: address)
        // Serialized per vault, so that a code is accepted once and the number of sessions is bounded.
        return try await unit.change(byProvenOwnerOf: identified.account.vault, isLong: false) { transaction in
            try limits.admit(identified.attempt)
            return try await begin(request, identified, from: address, in: &transaction)
        }
    }

    /// An account whose secret a request has proved.
    struct Identified {
        let account: AccountRow
        let owner: HolderKey
        /// The credential that was opened. Another may replace it while the request waits for the vault's lock.
        let credential: CredentialID
        let attempt: AbuseLimits.Attempt
    }

    /// Opens the account with an address and a secret. For an unknown address it takes equally long.
    func identify(
        _ email: EmailAddress, _ kind: CredentialKind, _ secret: SymmetricKey, _ device: [UInt8]?,
        from address: IPAddress?
    ) async throws -> Identified {
        let index = keys.emailIndex(email)
        let account = try store.account(emailIndex: index)
        let stored = try account.flatMap { try store.credential(kind, of: $0.vault) }
        let passed = account.flatMap { knownDevice(device, $0.vault, $0.owner, withCode: true) }
        let attempt = AbuseLimits.Attempt(
            account: index, network: address?.rateLimitPrefix,
            device: passed ?? account.flatMap { knownDevice(device, $0.vault, $0.owner, withCode: false) },
            hasPassedCode: passed != nil)
        try limits.admit(attempt)
        try admitAttempt(fromKnownDevice: attempt.device != nil)
        do {
            let opened = stored ?? (kind == .recovery ? dummyKit : dummyPassword)
            let owner = try opened.open(secret, root: keys.root)
            guard let account else { throw AuthError.badCredentials }
            return Identified(account: account, owner: owner, credential: opened.id, attempt: attempt)
        } catch BoxError.wrongKeyOrContext {
            try await fail("password", attempt, account?.vault, address, abuse: try limits.failed(attempt))
            throw AuthError.badCredentials
        }
    }

    /// Reads the opened credential again, under the vault's lock: it may have been replaced while the request waited.
    func present(_ kind: CredentialKind, of identified: Identified) throws -> StoredCredential {
        guard let stored = try store.credential(kind, of: identified.account.vault),
            stored.id == identified.credential, stored.holder == identified.owner.id
        else { throw AuthError.badCredentials }
        return stored
    }

    /// Checks the second factor after a correct secret. Nil when it is disabled.
    ///
    /// - Returns: The updated factor, which rejects the same code once it is stored.
    func acceptCode(
        _ code: String?, _ owner: HolderKey, in vault: VaultID, _ attempt: AbuseLimits.Attempt,
        from address: IPAddress?
    ) async throws -> SecondFactor? {
        guard let box = try store.items(of: owner.id, in: vault)[.totp] else { return nil }
        guard let code else { throw AuthError.secondFactorNeeded }
        try limits.admitCode(attempt)
        try admitAttempt(fromKnownDevice: true)
        var factor = try SecondFactor(sealed: box, .totp, vault: vault, owner: owner)
        guard factor.accept(code, at: now()) else {
            try await fail("second-factor", attempt, vault, address, abuse: try limits.failedCode(attempt))
            throw AuthError.secondFactorWrong
        }
        return factor
    }

    /// Completes a login after the password. Under the vault's lock.
    private func begin(
        _ request: Login, _ identified: Identified, from address: IPAddress?, in transaction: inout Transaction
    ) async throws -> NewSession {
        let (vault, owner, attempt) = (identified.account.vault, identified.owner, identified.attempt)
        let stored = try present(.password, of: identified)
        let factor = try await acceptCode(request.code, owner, in: vault, attempt, from: address)
        if let factor {
            transaction.write(
                .putItem(.totp, owner.id, vault: vault, try factor.sealed(.totp, vault: vault, owner: owner)))
        }
        try spendSignIn(vault)
        limits.succeeded(attempt)
        let session = try await session(
            for: owner, in: vault, l2Key: stored, device: request.device, withCode: factor != nil)
        transaction.write(session.mutations)
        try transaction.log(
            AuditEvent(.login, by: .init(.owner, vault.owner), from: address?.text, subject: session.new.id.text))
        return session.new
    }

    /// Creates a session and the mutations that store it.
    func session(
        for owner: HolderKey, in vault: VaultID, l2Key: StoredCredential, device: [UInt8]?, withCode: Bool
    ) async throws -> (new: NewSession, mutations: [Mutation]) {
        let token = Token(.session)
        let time = now()
        let expires = time + settings.sessionLifetime
        let credential = StoredCredential.make(
            .session, secret: token.secret, holder: owner, vault: vault, lookup: token.lookup, created: time,
            expires: expires, root: keys.root)
        guard let l2State = try store.l2State(of: vault) else { throw AuthError.badCredentials }
        let old = try await store.sessions(of: vault).sorted { $0.lastUsed < $1.lastUsed }
        let surplus = old.prefix(max(0, old.count - settings.quotas[.sessions] + 1))
        return (
            NewSession(
                token: token, id: credential.id, expires: expires, vault: vault,
                wrappedL2Key: try l2Key.openL2Key(root: keys.root), l2Generation: l2State.generation,
                device: knownDevice(device, vault, owner.id, withCode: withCode)
                    ?? newDevice(vault, owner.id, withCode: withCode)),
            surplus.map { .deleteCredential($0.id) } + [.insertCredential(credential)]
        )
    }

    func fail(
        _ reason: String, _ attempt: AbuseLimits.Attempt, _ vault: VaultID?, _ address: IPAddress?,
        abuse rows: [AbuseRow]
    ) async throws {
        let event = AuditEvent(
            .login, by: .init(.unauthenticated), from: address?.text, outcome: .failed, reason: reason)
        try await failures.record(
            event, account: attempt.account, network: attempt.network, vault: vault, abuse: rows)
    }

    private func newDevice(_ vault: VaultID, _ owner: HolderID, withCode: Bool) -> [UInt8] {
        let id = Array(SymmetricKey(size: .bits128).bytes)
        return id + keys.deviceCode(id, vault: vault, owner: owner, withCode: withCode)
    }

    func knownDevice(
        _ device: [UInt8]?, _ vault: VaultID, _ owner: HolderID, withCode: Bool
    ) -> [UInt8]? {
        guard let device, device.count == 32 else { return nil }
        let code = keys.deviceCode(Array(device.prefix(16)), vault: vault, owner: owner, withCode: withCode)
        return constantTimeEqual(code, Array(device.suffix(16))) ? device : nil
    }

    /// The mutations with which a kit or passkey notes its use. One that was sealed to a new key holder is boxed.
    func use(
        of credential: StoredCredential, _ secret: SymmetricKey, opening owner: HolderKey
    ) throws -> [Mutation] {
        let touch = Mutation.touch(credential.id, at: now())
        guard let box = try credential.boxed(owner, under: secret, root: keys.root) else { return [touch] }
        return [touch, .boxCredential(credential.id, from: credential.box, to: box)]
    }

    // MARK: Sessions

    package func sessions(as principal: Principal) async throws -> [StoredCredential] {
        try principal.authorize(.listSessions, at: now())
        return try await store.sessions(of: principal.vault)
    }

    /// Ends a session of the principal's vault; nil stands for the requesting session.
    package func end(_ id: CredentialID?, as principal: Principal) async throws {
        let permit = try principal.authorize(.endSession, at: now())
        let id = try id ?? principal.requireSession()
        // Of concurrent requests only one logs a line, and a session that has ended meanwhile ends no other.
        try await unit.change(permit) { transaction in
            guard try await store.sessions(of: principal.vault).contains(where: { $0.id == id }) else {
                throw AuthError.noSuchSession
            }
            transaction.write(.deleteCredential(id))
            try transaction.log(principal.event(.logout, subject: id.text))
        }
    }
}
