package import Auth
package import Crypto
package import IPNetworks
package import Vault
package import VaultFormat

/// A user with the state of a client. Derives keys from the password by one hash instead of Argon2id, which would take a second
/// each time.
package struct Person: Sendable {
    package var email: EmailAddress
    package var vault = VaultID.random()
    package var password: String
    package var kit: Token?
    package var l2Key = SymmetricKey(size: .bits256)
    package var l2Generation = 1

    package init(_ address: String = "ada@example.org", password: String = "violet tractor", kit: Token? = nil) {
        email = EmailAddress(address)!
        self.password = password
        self.kit = kit
    }

    package var authKey: SymmetricKey { Self.key("auth", password) }

    package var l2: L2Key { L2Key(vault: vault, generation: l2Generation, key: l2Key) }

    package var secrets: Accounts.Secrets {
        .init(
            authKey: authKey, wrappedL2Key: l2.wrapped(by: Self.key("l2", password)), l2Generation: l2Generation)
    }

    /// The same person with the next generation of the l2Key, and another kit if there is one.
    package func nextL2Key() -> Person {
        var next = self
        next.l2Key = SymmetricKey(size: .bits256)
        next.l2Generation += 1
        if kit != nil { next.kit = Token(.recoveryKit) }
        return next
    }

    /// The kit, each time under a new id.
    package var recovery: Accounts.Kit? {
        kit.map { kit in
            .init(
                id: .random(),
                secrets: .init(
                    authKey: Self.kitKey(kit), wrappedL2Key: l2.wrapped(by: Self.key("l2", kit.text)),
                    l2Generation: l2Generation))
        }
    }

    /// The kit, or a random one.
    package var newRecovery: Accounts.Kit {
        recovery
            ?? .init(
                id: .random(),
                secrets: .init(
                    authKey: Self.kitKey(Token(.recoveryKit)), wrappedL2Key: l2.wrapped(by: .init(size: .bits256)),
                    l2Generation: l2Generation))
    }

    /// A proof with the password.
    package func proof(_ code: String? = nil) -> Accounts.Proof {
        .init(kind: .password, secret: authKey, code: code)
    }

    /// A proof with a kit.
    package static func proof(_ kit: Token, _ code: String? = nil) -> Accounts.Proof {
        .init(kind: .recovery, secret: kitKey(kit), code: code)
    }

    /// Opens the node's wrapped l2Key as a client does.
    package func openL2Key(_ box: [UInt8]?) throws -> SymmetricKey {
        try Box.openKey(box ?? [], key: Self.key("l2", password), context: l2Context)
    }

    /// The same with a kit.
    package func openL2Key(_ box: [UInt8], kit: Token) throws -> SymmetricKey {
        try Box.openKey(box, key: Self.key("l2", kit.text), context: l2Context)
    }

    package static func kitKey(_ kit: Token) -> SymmetricKey { key("auth", kit.text) }

    package func wrapped(under key: SymmetricKey) -> [UInt8] { l2.wrapped(by: key) }

    private var l2Context: Context {
        let generation = (0..<8).map { UInt8(truncatingIfNeeded: l2Generation >> (56 - 8 * $0)) }
        return Context("l2key", vault.bytes, generation)
    }

    private static func key(_ use: String, _ secret: String) -> SymmetricKey {
        SymmetricKey(data: SHA256.hash(data: Array("\(use) \(secret)".utf8)))
    }
}

extension TestVault {
    /// Registers with the values from prelogin.
    package func register(
        _ person: Person, invite: String? = nil, from address: IPAddress? = TestVault.home
    ) async throws {
        let (kdf, salt) = try accounts.prelogin(person.email)
        try await accounts.register(
            .init(
                email: person.email, vault: person.vault, kdf: kdf, salt: salt, secrets: person.secrets,
                recovery: person.recovery, invite: invite),
            from: address)
    }

    package func login(
        _ person: Person, code: String? = nil, device: [UInt8]? = nil, from address: IPAddress? = TestVault.home
    ) async throws -> Accounts.NewSession {
        try await accounts.login(
            .init(email: person.email, authKey: person.authKey, code: code, device: device),
            from: address)
    }

    /// Recovers with the current kit in two steps, as a client does, and sets `person`'s password and kit.
    package func recover(
        _ person: Person, kit: Token, code: String? = nil, keeping agents: [PrincipalID] = [],
        from address: IPAddress? = TestVault.home
    ) async throws -> Accounts.OwnerChange {
        let request = Accounts.Recovery(
            email: person.email, proof: .init(kind: .recovery, secret: Person.kitKey(kit), code: code), device: nil)
        _ = try await accounts.beginRecovery(request, from: address)
        return try await accounts.recover(
            request, person.secrets, .init(recovery: person.newRecovery, keep: [], agents: agents), from: address)
    }

    /// Changes the password to `new`'s, with a new kit.
    package func changePassword(
        _ old: Person, to new: Person, code: String? = nil, keeping agents: [PrincipalID]? = nil, as owner: Principal
    ) async throws -> Accounts.OwnerChange {
        try await accounts.changePassword(
            new.secrets, .init(recovery: new.newRecovery, keep: [], agents: agents), proof: old.proof(code), as: owner)
    }

    /// The same without a new kit: keeps kit and passkeys.
    package func changePassword(
        _ old: Person, to new: Person, code: String? = nil, keeping credentials: Set<CredentialID>,
        as owner: Principal
    ) async throws -> Accounts.OwnerChange {
        try await accounts.changePassword(
            new.secrets, .init(recovery: nil, keep: credentials, agents: nil), proof: old.proof(code), as: owner)
    }

    /// The id of the account's kit.
    package func kit(as owner: Principal) async throws -> CredentialID? {
        try await accounts.credentials(as: owner).first { $0.kind == .recovery }?.id
    }

    /// Begins a rekey with the next generation of the l2Key.
    package func beginRekey(_ old: Person, to new: Person, code: String? = nil, as owner: Principal) async throws {
        try await accounts.rekeyL2(
            .init(
                generation: new.l2Generation, wrappedKey: new.secrets.wrappedL2Key,
                previous: new.l2.sealed(previous: old.l2), kit: new.recovery),
            proof: old.proof(code), as: owner)
    }

    /// Every L2 value of every version of an entry, page by page.
    package func l2Values(of entry: EntryID, as owner: Principal) async throws -> [L2StoredValue] {
        var (values, last): ([L2StoredValue], L2Version?) = ([], nil)
        repeat {
            let page = try await entries.l2Values(of: entry, after: last, limit: 2, as: owner).values
            values += page.items
            last =
                page.hasMore
                ? page.items.last.map { L2Version(field: $0.value.place.field, version: $0.value.place.version) } : nil
        } while last != nil
        return values
    }

    package func signOutEverywhere(
        _ person: Person, code: String? = nil, keeping agents: [PrincipalID] = [], as owner: Principal
    ) async throws -> Accounts.OwnerChange {
        try await accounts.signOutEverywhere(
            .init(recovery: person.newRecovery, keep: [], agents: agents), proof: person.proof(code), as: owner)
    }

    /// Registers, logs in, and authenticates with the token.
    package func owner(_ person: Person = Person()) async throws -> Principal {
        try await register(person)
        return try await principal(try await login(person).token)
    }
}
