package import Crypto
package import Vault

/// Registration, login and what keeps an account. The node never sees a password: it sees `authKey`, which the
/// client derives from it for this origin alone, and which opens the owner's holder or does not.
package struct Accounts: Sendable {
    let store: any AccountStore
    let keys: NodeKeys
    let audit: AuditSealer
    let locks: VaultLocks
    let limits: AbuseLimits
    let failures: FailureLog
    let settings: Settings
    let now: @Sendable () -> Int64
    /// Opened for addresses without an account, so that they take as long.
    private let dummy: StoredCredential

    package struct Settings: Sendable {
        package var registration: Registration
        /// Seconds.
        package var sessionLifetime: Int64
        /// Sessions per account; the oldest gives way.
        package var mostSessions = 50

        package enum Registration: String, Sendable, CaseIterable {
            case open, invite, closed
        }

        package init(registration: Registration, sessionLifetime: Int64) {
            self.registration = registration
            self.sessionLifetime = sessionLifetime
        }
    }

    package init(
        store: any AccountStore, keys: NodeKeys, audit: AuditSealer, locks: VaultLocks, limits: AbuseLimits,
        failures: FailureLog, settings: Settings, now: @escaping @Sendable () -> Int64
    ) {
        self.store = store
        self.keys = keys
        self.audit = audit
        self.locks = locks
        self.limits = limits
        self.failures = failures
        self.settings = settings
        self.now = now
        dummy = StoredCredential.make(
            .password, secret: SymmetricKey(size: .bits256), holder: .generate(), vault: .random(), created: 0,
            root: keys.root)
    }

    /// What a client needs before it can derive keys. The same for an address with and without an account.
    package func prelogin(_ email: EmailAddress) throws -> (kdf: KDF, salt: [UInt8]) {
        let account = try store.account(emailIndex: keys.emailIndex(email))
        return (account?.kdf ?? .standard, account?.salt ?? keys.preloginSalt(email))
    }

    // MARK: Registration

    package struct Registration: Sendable {
        package var email: EmailAddress
        package var vault: VaultID
        package var kdf: KDF
        package var salt: [UInt8]
        package var secrets: Secrets
        package var recovery: Secrets?
        package var invite: String?

        package init(
            email: EmailAddress, vault: VaultID, kdf: KDF, salt: [UInt8], secrets: Secrets, recovery: Secrets?,
            invite: String?
        ) {
            self.email = email
            self.vault = vault
            self.kdf = kdf
            self.salt = salt
            self.secrets = secrets
            self.recovery = recovery
            self.invite = invite
        }
    }

    /// What a password or a kit gives the node: a key that opens the holder, and the l2Key boxed under its twin.
    package struct Secrets: Sendable {
        /// 32 bytes.
        package var authKey: SymmetricKey
        package var wrappedL2Key: [UInt8]

        package init(authKey: SymmetricKey, wrappedL2Key: [UInt8]) {
            self.authKey = authKey
            self.wrappedL2Key = wrappedL2Key
        }
    }

    package func register(_ request: Registration, from address: IPAddress?) async throws {
        if settings.registration == .closed { throw AuthError.registrationClosed }
        let network = address?.neighbourhood
        try limits.admitRegistration(from: network)
        guard request.kdf == .standard else {
            throw AuthError.invalid("kdf", "must be what prelogin answered")
        }
        guard constantTimeEqual(request.salt, keys.preloginSalt(request.email)) else {
            throw AuthError.invalid("salt", "must be what prelogin answered")
        }
        try check(request.secrets)
        if let recovery = request.recovery { try check(recovery) }
        var steps: [AccountStep] = []
        if settings.registration == .invite {
            guard let text = request.invite, let invite = keys.openInvite(text, at: now()) else {
                throw AuthError.inviteNeeded
            }
            steps.append(.spendInvite(invite))
        }
        let vault = request.vault
        let time = now()
        let owner = HolderKey.generate()
        let auditKey = SymmetricKey(size: .bits256)
        steps += [
            .insertAccount(
                AccountRow(
                    vault: vault, emailIndex: keys.emailIndex(request.email),
                    email: keys.sealNodeTier(
                        Array(request.email.normalized.utf8), .email, vault: vault, id: vault.bytes),
                    kdf: request.kdf, salt: request.salt, owner: owner.id,
                    auditKey: keys.sealNodeTier(auditKey.bytes, .auditKey, vault: vault, id: vault.bytes),
                    created: time)),
            .vault(
                .insertHolder(
                    HolderRow(
                        id: owner.id, vault: vault, isOwner: true,
                        publicKey: try owner.storedPublicKey(vault: vault, isOwner: true, keys: keys)))),
            .vault(.insertCredential(credential(.password, request.secrets, owner, vault))),
            .vault(.putItem(.index, owner.id, indexKey(of: owner, vault))),
        ]
        if let recovery = request.recovery {
            steps.append(.vault(.insertCredential(credential(.recovery, recovery, owner, vault))))
        }
        let event = AuditEvent(.accountCreate, by: .init(.owner, owner.id), from: address?.text)
        try await store.commit(steps, [try audit.seal(event, vault: vault, key: auditKey)])
        limits.succeeded(.init(account: keys.emailIndex(request.email), network: network, device: nil))
    }

    private func indexKey(of owner: HolderKey, _ vault: VaultID) -> [UInt8] {
        let context = OwnerItem.index.context(vault: vault, holder: owner.id)
        return Box.seal(SymmetricKey(size: .bits256).bytes, key: owner.wrapKey, context: context)
    }

    func credential(
        _ kind: CredentialKind, _ secrets: Secrets, _ owner: HolderKey, _ vault: VaultID
    ) -> StoredCredential {
        StoredCredential.make(
            kind, secret: secrets.authKey, holder: owner, vault: vault, created: now(), l2Key: secrets.wrappedL2Key,
            root: keys.root)
    }

    func check(_ secrets: Secrets) throws(AuthError) {
        guard secrets.authKey.bitCount == 256 else { throw .invalid("authKey", "must be 32 bytes") }
        try check(wrappedL2Key: secrets.wrappedL2Key)
    }

    /// All that the node can tell of a box that the client made of its l2Key.
    func check(wrappedL2Key key: [UInt8]) throws(AuthError) {
        guard key.count == 32 + Box.overhead, (try? Box.keyID(of: key)) == 0 else {
            throw .invalid("l2.wrappedKey", "must be a box of 32 bytes with key id 0")
        }
    }

    // MARK: Login

    package struct Login: Sendable {
        package var email: EmailAddress
        package var kind: CredentialKind
        package var authKey: SymmetricKey
        package var code: String?
        package var device: [UInt8]?

        /// `kind`: `.password`, or `.recovery` for a kit.
        package init(
            email: EmailAddress, kind: CredentialKind, authKey: SymmetricKey, code: String?, device: [UInt8]?
        ) {
            self.email = email
            self.kind = kind
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
        package let wrappedL2Key: [UInt8]
        /// Shown at the next login, it spares this device what strangers do.
        package let device: [UInt8]
    }

    /// Opens a session for whoever has the password (or kit) and, where it is on, the second factor.
    package func login(_ request: Login, from address: IPAddress?) async throws -> NewSession {
        let index = keys.emailIndex(request.email)
        let account = try store.account(emailIndex: index)
        let stored = try account.flatMap { try store.credential(request.kind, of: $0.vault) }
        let attempt = AbuseLimits.Attempt(
            account: index, network: address?.neighbourhood,
            device: account.flatMap { knownDevice(request.device, $0.vault) })
        try limits.admit(attempt)

        let owner: HolderKey
        do {
            owner = try (stored ?? dummy).open(request.authKey, root: keys.root)
        } catch BoxError.wrongKeyOrContext {
            try await fail("password", attempt, account?.vault, address)
            throw AuthError.badCredentials
        }
        guard let account else { throw AuthError.badCredentials }
        // One at a time, so that a code is spent once and the sessions are counted.
        return try await locks.withLock(account.vault) {
            try limits.admit(attempt)
            return try await begin(request, owner, in: account.vault, attempt, from: address)
        }
    }

    /// The half of a login after the password. Under the vault's lock.
    private func begin(
        _ request: Login, _ owner: HolderKey, in vault: VaultID, _ attempt: AbuseLimits.Attempt,
        from address: IPAddress?
    ) async throws -> NewSession {
        // Read again: the password or the l2Key may have changed while this waited for its turn.
        guard let stored = try store.credential(request.kind, of: vault), stored.holder == owner.id else {
            throw AuthError.badCredentials
        }
        var steps: [AccountStep] = []
        if let box = try await store.item(.totp, of: owner.id) {
            guard let code = request.code else { throw AuthError.secondFactorNeeded }
            var factor = try SecondFactor(boxed: box, .totp, vault: vault, owner: owner)
            guard factor.accept(code, at: now()) else {
                try await fail("second-factor", attempt, vault, address)
                throw AuthError.secondFactorWrong
            }
            steps.append(.vault(.putItem(.totp, owner.id, try factor.boxed(.totp, vault: vault, owner: owner))))
        }
        limits.succeeded(attempt)
        let session = try await session(for: owner, in: vault, l2Key: stored, device: request.device)
        let action: AuditEvent.Action = request.kind == .recovery ? .accountRecover : .login
        let event = AuditEvent(
            action, by: .init(.owner, owner.id), from: address?.text, subject: session.new.id.text)
        try await store.commit(steps + session.steps, [try audit.seal(event, vault: vault)])
        return session.new
    }

    /// A session and the steps that store it.
    func session(
        for owner: HolderKey, in vault: VaultID, l2Key: StoredCredential, device: [UInt8]?
    ) async throws -> (new: NewSession, steps: [AccountStep]) {
        let token = Token(.session)
        let time = now()
        let expires = time + settings.sessionLifetime
        let credential = StoredCredential.make(
            .session, secret: token.secret, holder: owner, vault: vault, lookup: token.lookup, created: time,
            expires: expires, root: keys.root)
        let old = try await store.sessions(of: vault).sorted { $0.lastUsed < $1.lastUsed }
        let surplus = old.prefix(max(0, old.count - settings.mostSessions + 1))
        return (
            NewSession(
                token: token, id: credential.id, expires: expires, vault: vault,
                wrappedL2Key: try l2Key.openL2Key(root: keys.root) ?? [],
                device: knownDevice(device, vault) ?? newDevice(vault)),
            surplus.map { .deleteCredential($0.id) } + [.vault(.insertCredential(credential))]
        )
    }

    func fail(
        _ reason: String, _ attempt: AbuseLimits.Attempt, _ vault: VaultID?, _ address: IPAddress?
    ) async throws {
        limits.failed(attempt)
        let event = AuditEvent(
            .login, by: .init(.stranger), from: address?.text, outcome: .failed, reason: reason)
        try await failures.record(event, account: attempt.account, network: attempt.network, vault: vault)
    }

    private func newDevice(_ vault: VaultID) -> [UInt8] {
        let id = Array(SymmetricKey(size: .bits128).bytes)
        return id + keys.deviceCode(id, vault: vault)
    }

    private func knownDevice(_ device: [UInt8]?, _ vault: VaultID) -> [UInt8]? {
        guard let device, device.count == 32,
            constantTimeEqual(keys.deviceCode(Array(device.prefix(16)), vault: vault), device.suffix(16))
        else { return nil }
        return device
    }

    // MARK: Sessions

    package func sessions(as caller: Caller) async throws -> [StoredCredential] {
        try caller.requireOwner()
        return try await store.sessions(of: caller.vault)
    }

    /// Ends a session of the caller's own vault. Nil is the one that asks.
    package func end(_ id: CredentialID?, as caller: Caller) async throws {
        guard case .owner(let current, _) = caller.role else { throw VaultError.ownerOnly }
        let id = id ?? current
        guard try await store.sessions(of: caller.vault).contains(where: { $0.id == id }) else {
            throw AuthError.badToken
        }
        let event = caller.event(.logout, subject: id.text)
        try await store.commit([.deleteCredential(id)], [try audit.seal(event, vault: caller.vault)])
    }
}
