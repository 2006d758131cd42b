import Auth
import Crypto
import Hummingbird
import Vault
import Wire

/// Routes under `/api/v1/accounts`, `/account` and `/sessions`. Translates between HTTP and `Accounts`; decides nothing.
struct AccountRoutes {
    let accounts: Accounts
    let origin: String

    func add(toOpen router: Router<NodeContext>) {
        router.post("/api/v1/accounts/prelogin", use: prelogin)
        router.post("/api/v1/accounts", use: register)
        router.post("/api/v1/accounts/recover", use: recover)
        router.post("/api/v1/sessions", use: login)
    }

    func add(toSignedIn group: RouterGroup<SignedInContext>) {
        group.get("sessions", use: sessions)
        group.delete("sessions/:id", use: endSession)
        group.get("account", use: profile)
        group.delete("account", use: delete)
        group.put("account/password", use: changePassword)
        group.post("account/sign-out-everywhere", use: signOutEverywhere)
        group.put("account/recovery", use: setRecovery)
        group.delete("account/recovery", use: removeRecovery)
        group.post("account/totp", use: secondFactor)
        group.delete("account/totp", use: endSecondFactor)
        group.get("account/l2", use: l2Values)
        group.put("account/l2", use: rekeyL2)
    }

    // MARK: Without a session

    private func prelogin(_ request: Request, context: NodeContext) async throws -> Response {
        let body: PreloginRequestBody = try await request.json(in: context)
        let (kdf, salt) = try accounts.prelogin(try EmailAddress(wire: body.email))
        return try Response(PreloginBody(origin: origin, kdf: KDFBody(kdf), salt: Base64URL.encode(salt)))
    }

    private func register(_ request: Request, context: NodeContext) async throws -> Response {
        let body: RegistrationBody = try await request.json(in: context)
        guard let vault = VaultID(text: body.vault) else {
            throw Problem.malformed("vault", "is 16 bytes in base64url")
        }
        let registration = Accounts.Registration(
            email: try EmailAddress(wire: body.email), vault: vault, kdf: try KDF(wire: body.kdf),
            salt: try Base64URL.bytes(body.salt, "salt"), secrets: try .init(wire: body.authKey, body.l2, "authKey"),
            recovery: try body.recovery.map { try .init(wire: $0) }, invite: body.invite)
        try await accounts.register(registration, from: context.connection.address)
        return Response(status: .created)
    }

    private func login(_ request: Request, context: NodeContext) async throws -> Response {
        let body: LoginBody = try await request.json(in: context)
        return try await session(
            .init(
                email: try EmailAddress(wire: body.email), kind: .password,
                authKey: try SymmetricKey(wire: body.authKey, "authKey"), code: body.totp,
                device: try body.device.map { try Base64URL.bytes($0, "device") }),
            context)
    }

    private func recover(_ request: Request, context: NodeContext) async throws -> Response {
        let body: RecoverBody = try await request.json(in: context)
        return try await session(
            .init(
                email: try EmailAddress(wire: body.email), kind: .recovery,
                authKey: try SymmetricKey(wire: body.key, "key"), code: body.totp,
                device: try body.device.map { try Base64URL.bytes($0, "device") }),
            context)
    }

    private func session(_ login: Accounts.Login, _ context: NodeContext) async throws -> Response {
        try Response(SessionBody(try await accounts.login(login, from: context.connection.address)), status: .created)
    }

    // MARK: With one

    private func sessions(_: Request, context: SignedInContext) async throws -> Response {
        guard case .owner(let current, _) = context.caller.role else { throw VaultError.ownerOnly }
        let sessions = try await accounts.sessions(as: context.caller)
        return try Response(
            SessionListBody(
                sessions: sessions.map { session in
                    .init(
                        id: session.id.text, createdAt: session.created, lastUsedAt: session.lastUsed,
                        expiresAt: session.expires ?? 0, isCurrent: session.id == current)
                }))
    }

    private func endSession(_: Request, context: SignedInContext) async throws -> Response {
        let text = try context.parameters.require("id")
        let id = text == "current" ? nil : CredentialID(text: text)
        if id == nil, text != "current" { throw Problem("no-such-session", status: 404, title: "No such session") }
        try await accounts.end(id, as: context.caller)
        return .nothing
    }

    private func profile(_: Request, context: SignedInContext) async throws -> Response {
        let profile = try await accounts.profile(as: context.caller)
        return try Response(
            AccountBody(
                email: profile.email, vault: profile.vault.text, createdAt: profile.created,
                hasRecoveryKit: profile.hasRecoveryKit, hasSecondFactor: profile.hasSecondFactor))
    }

    private func delete(_: Request, context: SignedInContext) async throws -> Response {
        try await accounts.delete(as: context.caller)
        return .nothing
    }

    private func changePassword(_ request: Request, context: SignedInContext) async throws -> Response {
        let body: PasswordBody = try await request.json(in: context)
        let session = try await accounts.changePassword(
            try .init(wire: body.authKey, body.l2, "authKey"), recovery: try body.recovery.map { try .init(wire: $0) },
            as: context.caller)
        return try Response(SessionBody(session))
    }

    private func signOutEverywhere(_ request: Request, context: SignedInContext) async throws -> Response {
        let body: SignOutBody = try await request.json(in: context)
        let session = try await accounts.signOutEverywhere(
            authKey: try SymmetricKey(wire: body.authKey, "authKey"),
            recovery: try body.recovery.map { try .init(wire: $0) }, as: context.caller)
        return try Response(SessionBody(session))
    }

    private func setRecovery(_ request: Request, context: SignedInContext) async throws -> Response {
        let body: RecoveryBody = try await request.json(in: context)
        try await accounts.setRecovery(try .init(wire: body), as: context.caller)
        return .nothing
    }

    private func removeRecovery(_: Request, context: SignedInContext) async throws -> Response {
        try await accounts.setRecovery(nil, as: context.caller)
        return .nothing
    }

    private func secondFactor(_ request: Request, context: SignedInContext) async throws -> Response {
        let body: SecondFactorRequestBody = try await request.json(in: context)
        guard let code = body.code else {
            let secret = try await accounts.beginSecondFactor(as: context.caller)
            let uri = "otpauth://totp/Clavitor:\(origin)?secret=\(secret)&issuer=Clavitor"
            return try Response(SecondFactorBody(secret: secret, uri: uri))
        }
        let codes = try await accounts.confirmSecondFactor(code, as: context.caller)
        return try Response(SecondFactorBody(recoveryCodes: codes))
    }

    private func endSecondFactor(_: Request, context: SignedInContext) async throws -> Response {
        try await accounts.endSecondFactor(as: context.caller)
        return .nothing
    }

    private func l2Values(_: Request, context: SignedInContext) async throws -> Response {
        let values = try await accounts.l2Values(as: context.caller)
        return try Response(
            L2ValuesBody(
                envelopes: values.map { value in
                    .init(
                        entry: value.place.entry.text, field: value.place.field.text, version: value.place.version,
                        envelope: Base64URL.encode(value.box))
                }))
    }

    private func rekeyL2(_ request: Request, context: SignedInContext) async throws -> Response {
        let body: L2RekeyBody = try await request.json(in: context)
        var envelopes: [FieldPlace: [UInt8]] = [:]
        for envelope in body.envelopes {
            guard let entry = EntryID(text: envelope.entry), let field = FieldID(text: envelope.field) else {
                throw Problem.malformed("envelopes", "names something that is no id")
            }
            let place = FieldPlace(
                vault: context.caller.vault, entry: entry, field: field, tier: .l2, version: envelope.version)
            envelopes[place] = try Base64URL.bytes(envelope.envelope, "envelopes.envelope")
        }
        try await accounts.rekeyL2(
            wrappedKey: try Base64URL.bytes(body.l2.wrappedKey, "l2.wrappedKey"),
            recoveryWrappedKey: try body.recovery.map { try Base64URL.bytes($0.wrappedKey, "recovery.wrappedKey") },
            envelopes: envelopes, as: context.caller)
        return .nothing
    }
}

// MARK: Wire types

extension EmailAddress {
    init(wire text: String) throws(Problem) {
        guard let address = EmailAddress(text) else { throw .malformed("email", "is no e-mail address") }
        self = address
    }
}

extension KDF {
    init(wire body: KDFBody) throws(Problem) {
        guard body.type == "argon2id" else { throw .malformed("kdf.type", "must be argon2id") }
        self.init(memoryKiB: body.memoryKiB, iterations: body.iterations, parallelism: body.parallelism)
    }
}

extension KDFBody {
    init(_ kdf: KDF) {
        self.init(
            type: "argon2id", memoryKiB: kdf.memoryKiB, iterations: kdf.iterations, parallelism: kdf.parallelism)
    }
}

extension Accounts.Secrets {
    init(wire authKey: String, _ l2: L2Body, _ member: String) throws(Problem) {
        self.init(
            authKey: try SymmetricKey(wire: authKey, member),
            wrappedL2Key: try Base64URL.bytes(l2.wrappedKey, "l2.wrappedKey"))
    }

    init(wire recovery: RecoveryBody) throws(Problem) {
        try self.init(wire: recovery.key, recovery.l2, "recovery.key")
    }
}

extension SymmetricKey {
    init(wire text: String, _ member: String) throws(Problem) {
        let bytes = try Base64URL.bytes(text, member)
        guard bytes.count == 32 else { throw .malformed(member, "is 32 bytes in base64url") }
        self.init(data: bytes)
    }
}

extension Base64URL {
    static func bytes(_ text: String, _ member: String) throws(Problem) -> [UInt8] {
        guard let bytes = decode(text) else { throw .malformed(member, "is not base64url without padding") }
        return bytes
    }
}

extension SessionBody {
    init(_ session: Accounts.NewSession) {
        self.init(
            token: session.token.text, id: session.id.text, expiresAt: session.expires, vault: session.vault.text,
            l2: L2Body(wrappedKey: Base64URL.encode(session.wrappedL2Key)), device: Base64URL.encode(session.device))
    }
}
