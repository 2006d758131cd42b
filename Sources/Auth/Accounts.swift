package import Crypto
import Encoding
package import IPNetworks
package import Vault
package import VaultFormat

/// Registration, login and account management. The node never sees a password: it receives `authKey`, which the client derives
/// from it for this origin only, and which opens the owner's key holder.
package struct Accounts: Sendable {
    let store: any AccountStore
    let unit: UnitOfWork
    let keys: NodeKeys
    let limits: AbuseLimits
    let failures: FailureLog
    var operations: OperationBudget { unit.operations }
    /// Separate from the other operations, so that using those up does not keep the owner from signing in.
    let signIns: OperationBudget
    let settings: Settings
    let now: @Sendable () -> Int64
    /// Opened for addresses without an account or a kit, so that they take equally long.
    let dummyPassword: StoredCredential
    let dummyKit: StoredCredential
    let challenges: PasskeyChallenges

    private static let signInsPerDay = 5_000
    /// Attempts of all unknown devices while the disk is full: each failure writes a row.
    private let unknownDeviceAttempts: OperationBudget
    private static let unknownDeviceAttemptsPerDay = 2_000
    private static let allDevices = VaultID.random()
    /// The cost of a sign-in while the disk is full: twelve at once and ten a day, so that no tenant uses up the disk space that
    /// others need to sign in and revoke access.
    private static let signInOnFullDisk = 500

    package struct Settings: Sendable {
        package var registration: Registration
        /// Seconds.
        package var sessionLifetime: Int64
        package var quotas = Quotas()
        /// Whether the previous process did not shut down cleanly.
        package var isUnclean = false
        /// Where the node's pages come from, for passkeys.
        package var web = WebOrigin(name: "localhost")

        package enum Registration: String, Sendable, CaseIterable {
            case open, invite, closed
        }

        package init(registration: Registration, sessionLifetime: Int64) {
            self.registration = registration
            self.sessionLifetime = sessionLifetime
        }
    }

    package init(
        store: any AccountStore, unit: UnitOfWork, keys: NodeKeys, limits: AbuseLimits, failures: FailureLog,
        settings: Settings
    ) throws {
        self.store = store
        self.keys = keys
        self.unit = unit
        self.limits = limits
        self.failures = failures
        let now = unit.now
        self.now = now
        signIns = OperationBudget(perDay: Self.signInsPerDay, isUnclean: settings.isUnclean, now: now)
        unknownDeviceAttempts = OperationBudget(perDay: Self.unknownDeviceAttemptsPerDay, now: now)
        self.settings = settings
        dummyPassword = StoredCredential.make(
            .password, secret: SymmetricKey(size: .bits256), holder: .generate(), vault: .random(), created: 0,
            root: keys.root)
        dummyKit = try StoredCredential.makeSealable(
            .recovery, id: .random(), secret: SymmetricKey(size: .bits256), holder: .generate(), vault: .random(),
            created: 0, l2Key: nil, root: keys.root)
        challenges = PasskeyChallenges(keys: keys, now: now)
    }

    /// Returns what a client needs to derive keys. The answer does not reveal whether the address has an account.
    package func prelogin(_ email: EmailAddress) throws -> (kdf: KDF, salt: [UInt8]) {
        let account = try store.account(emailIndex: keys.emailIndex(email))
        return (account?.kdf ?? .standard, account?.salt ?? keys.preloginSalt(email))
    }

    func spendSignIn(_ vault: VaultID) throws {
        try signIns.spend(vault, count: store.roomForSignIns == .plenty ? 1 : Self.signInOnFullDisk)
    }

    /// Checks, before a secret is checked, that a failure could be recorded.
    ///
    /// - Throws: `VaultError.readOnly`, `VaultError.tooManyOperations`.
    func admitAttempt(fromKnownDevice isKnown: Bool) throws {
        switch store.roomForSignIns {
        case .plenty: break
        case .scarce: if !isKnown { try unknownDeviceAttempts.spend(Self.allDevices) }
        case .none: throw VaultError.readOnly(NodeHealth.Fault.diskFull.rawValue)
        }
    }

    // MARK: Registration

    package struct Registration: Sendable {
        package var email: EmailAddress
        package var vault: VaultID
        package var kdf: KDF
        package var salt: [UInt8]
        package var secrets: Secrets
        package var recovery: Kit?
        package var invite: String?

        package init(
            email: EmailAddress, vault: VaultID, kdf: KDF, salt: [UInt8], secrets: Secrets, recovery: Kit?,
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

    /// What a client derives from a password or a kit for the node: a key that opens the key holder, and the l2Key encrypted under
    /// its companion key.
    package struct Secrets: Sendable {
        /// 32 bytes.
        package var authKey: SymmetricKey
        package var wrappedL2Key: [UInt8]
        package var l2Generation: Int

        package init(authKey: SymmetricKey, wrappedL2Key: [UInt8], l2Generation: Int) {
            self.authKey = authKey
            self.wrappedL2Key = wrappedL2Key
            self.l2Generation = l2Generation
        }
    }

    /// A new recovery kit, whose id the client has chosen and printed.
    package struct Kit: Sendable {
        package var id: CredentialID
        package var secrets: Secrets

        package init(id: CredentialID, secrets: Secrets) {
            self.id = id
            self.secrets = secrets
        }
    }

    package func register(_ request: Registration, from address: IPAddress?) async throws {
        if settings.registration == .closed { throw AuthError.registrationClosed }
        // The commit would be refused, after the attempt was counted.
        guard store.roomForSignIns == .plenty else {
            throw VaultError.readOnly(NodeHealth.Fault.diskFull.rawValue)
        }
        let network = address?.rateLimitPrefix
        let cost = try limits.takeRegistration(from: network).map(Mutation.putAbuse)
        do {
            try await register(request, from: address, abuse: cost)
        } catch AuthError.inviteNeeded where request.invite != nil {
            try await store.commit(cost, [])
            throw AuthError.inviteNeeded
        } catch {
            limits.refundRegistration(from: network)
            throw error
        }
        limits.succeeded(.init(account: keys.emailIndex(request.email), network: network, device: nil))
    }

    private func register(
        _ request: Registration, from address: IPAddress?, abuse mutations: [Mutation]
    ) async throws {
        guard request.kdf == .standard else {
            throw AuthError.invalid("kdf", "must be the value from prelogin")
        }
        guard constantTimeEqual(request.salt, keys.preloginSalt(request.email)) else {
            throw AuthError.invalid("salt", "must be the value from prelogin")
        }
        try check(request.secrets)
        if let recovery = request.recovery { try check(recovery.secrets) }
        for secrets in [request.secrets, request.recovery?.secrets] where secrets.map({ $0.l2Generation != 1 }) ?? false
        {
            throw AuthError.invalid("l2.generation", "must be 1 for a new account")
        }
        // These bytes stand for the node's own records.
        guard request.vault != .node else { throw AuthError.invalid("vault", "must be 16 random bytes") }
        var mutations = mutations
        var nodeLines: [SealedAuditLine] = []
        if settings.registration == .invite {
            guard let text = request.invite else { throw AuthError.inviteNeeded }
            guard let invite = keys.openInvite(text, at: now()) else { throw AuthError.inviteNeeded }
            mutations.append(.redeemInvite(invite))
            nodeLines.append(
                try unit.audit.seal(AuditEvent(.inviteRedeem, by: .init(.node), from: address?.text), vault: nil))
        }
        let vault = request.vault
        let time = now()
        let owner = HolderKey.generate()
        let auditKey = SymmetricKey(size: .bits256)
        mutations += [
            .insertAccount(
                AccountRow(
                    vault: vault, emailIndex: keys.emailIndex(request.email),
                    email: keys.sealNodeTier(
                        Array(request.email.normalized.utf8), .email, vault: vault, id: vault.bytes),
                    kdf: request.kdf, salt: request.salt, owner: owner.id,
                    auditKey: keys.sealNodeTier(auditKey, .auditKey, vault: vault, id: vault.bytes),
                    l2: L2State(generation: 1, previous: nil),
                    created: time)),
            .insertHolder(
                HolderRow(
                    id: owner.id, vault: vault, principal: vault.owner,
                    publicKey: try owner.storedPublicKey(vault: vault, of: vault.owner, keys: keys))),
            .insertCredential(password(request.secrets, owner, vault)),
            .putItem(.index, owner.id, vault: vault, indexKey(of: owner, vault)),
        ]
        var creation = AuditEvent(.accountCreate, by: .init(.owner, vault.owner), from: address?.text)
        creation.holder = owner.id.text
        var events = [creation]
        if let recovery = request.recovery {
            mutations.append(.insertCredential(try kit(recovery, owner, vault)))
            events.append(
                AuditEvent(
                    .recoveryChange, by: .init(.owner, vault.owner), from: address?.text, subject: recovery.id.text,
                    reason: "set"))
        }
        let lines = try events.map { try unit.audit.seal($0, vault: vault, key: auditKey) }
        try await store.commit(mutations, nodeLines + lines)
    }

    private func indexKey(of owner: HolderKey, _ vault: VaultID) -> [UInt8] {
        let context = OwnerItem.index.context(vault: vault, holder: owner.id)
        return Box.seal(SymmetricKey(size: .bits256), key: owner.wrapKey, context: context)
    }

    func password(_ secrets: Secrets, _ owner: HolderKey, _ vault: VaultID) -> StoredCredential {
        StoredCredential.make(
            .password, secret: secrets.authKey, holder: owner, vault: vault, created: now(),
            l2Key: secrets.wrappedL2Key, root: keys.root)
    }

    func kit(_ kit: Kit, _ owner: HolderKey, _ vault: VaultID) throws -> StoredCredential {
        try StoredCredential.makeSealable(
            .recovery, id: kit.id, secret: kit.secrets.authKey, holder: owner, vault: vault, created: now(),
            l2Key: kit.secrets.wrappedL2Key, root: keys.root)
    }

    func check(_ secrets: Secrets) throws(AuthError) {
        guard secrets.authKey.bitCount == 256 else { throw .invalid("authKey", "must be 32 bytes") }
        try check(wrappedL2Key: secrets.wrappedL2Key, "l2.wrappedKey")
    }

    /// Checks length and header of the client's secret box of its l2Key, which the node cannot open.
    func check(wrappedL2Key key: [UInt8], _ member: String) throws(AuthError) {
        guard key.count == L2Key.wrappedCount, (try? Box.keyID(of: key)) == 0 else {
            throw .invalid(member, "must be a secret box of 32 bytes with key id 0")
        }
    }
}
