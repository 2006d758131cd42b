import Auth
import Crypto
import Encoding
import HTTPServing
import Hummingbird
import Vault
import VaultFormat
import Wire

/// Routes under `/api/v1/accounts`, `/account` and `/sessions`. Translates between HTTP and `Accounts`; decides nothing.
struct AccountRoutes {
    let accounts: Accounts
    let origin: String
    let cursors: Cursors

    func add(toOpen router: RouterGroup<NodeContext>) {
        router.post("/api/v1/accounts/prelogin", use: prelogin)
        router.post("/api/v1/accounts", use: register)
        router.post("/api/v1/accounts/recover/begin", use: beginRecovery)
        router.post("/api/v1/accounts/recover", use: recover)
        router.post("/api/v1/sessions", use: login)
        router.post("/api/v1/passkeys/challenge", use: passkeyChallenge)
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
        group.get("account/credentials", use: credentials)
        group.post("account/passkeys", use: addPasskey)
        group.patch("account/passkeys/:id", use: renamePasskey)
        group.delete("account/passkeys/:id", use: removePasskey)
        group.post("account/totp", use: setUpSecondFactor)
        group.delete("account/totp", use: endSecondFactor)
        group.get("account/l2", use: l2Status)
        group.put("account/l2", use: rekeyL2)
    }

    // MARK: Without a session

    private func prelogin(_: Request, context: NodeContext) async throws -> Response {
        let body: PreloginRequestBody = try await context.json()
        let (kdf, salt) = try accounts.prelogin(try EmailAddress(wire: body.email))
        return try Response(json: PreloginBody(origin: origin, kdf: KDFBody(kdf), salt: Base64URL.encode(salt)))
    }

    private func register(_: Request, context: NodeContext) async throws -> Response {
        let body: RegistrationBody = try await context.json()
        guard let vault = VaultID(text: body.vault) else {
            throw Problem.malformed("vault", "must be 16 bytes in base64url")
        }
        let registration = Accounts.Registration(
            email: try EmailAddress(wire: body.email), vault: vault, kdf: try KDF(wire: body.kdf),
            salt: try Base64URL.bytes(body.salt, "salt"), secrets: try .init(wire: body.authKey, body.l2, "authKey"),
            recovery: try body.recovery.map { try .init(wire: $0) }, invite: body.invite)
        try await accounts.register(registration, from: context.connection.address)
        return Response(status: .created)
    }

    private func login(_: Request, context: NodeContext) async throws -> Response {
        let body: LoginBody = try await context.json()
        let device = try body.device.map { try Base64URL.bytes($0, "device") }
        let session: Accounts.NewSession
        if let passkey = body.passkey {
            guard body.email == nil, body.authKey == nil, body.totp == nil else {
                throw Problem.malformed("passkey", "must not be sent together with email, authKey or totp")
            }
            session = try await accounts.login(
                try .init(wire: passkey, device: device), from: context.connection.address)
        } else {
            guard let email = body.email else { throw Problem.malformed("email", "is required without passkey") }
            guard let authKey = body.authKey else { throw Problem.malformed("authKey", "is required without passkey") }
            session = try await accounts.login(
                .init(
                    email: try EmailAddress(wire: email), authKey: try SymmetricKey(wire: authKey, "authKey"),
                    code: body.totp, device: device),
                from: context.connection.address)
        }
        return try Response(json: SessionBody(session), status: .created)
    }

    private func passkeyChallenge(_: Request, context _: NodeContext) async throws -> Response {
        let (challenge, relyingParty) = accounts.passkeyChallenge()
        return try Response(
            json: PasskeyChallengeBody(challenge: Base64URL.encode(challenge), rpId: relyingParty))
    }

    private func beginRecovery(_: Request, context: NodeContext) async throws -> Response {
        let body: RecoveryBeginBody = try await context.json()
        let begun = try await accounts.beginRecovery(
            try recovery(body.email, body.proof, body.device), from: context.connection.address)
        return try Response(
            json: RecoveryBegunBody(
                vault: begun.vault.text,
                l2: L2Body(generation: begun.l2Generation, wrappedKey: Base64URL.encode(begun.wrappedL2Key))))
    }

    private func recover(_: Request, context: NodeContext) async throws -> Response {
        let body: RecoverBody = try await context.json()
        let change = try await accounts.recover(
            try recovery(body.email, body.proof, body.device), try .init(wire: body.authKey, body.l2, "authKey"),
            try .init(recovery: body.recovery, keep: body.keep, agents: body.keepAgents),
            from: context.connection.address)
        return try Response(json: OwnerChangeBody(change), status: .created)
    }

    private func recovery(_ email: String, _ proof: ProofBody, _ device: String?) throws -> Accounts.Recovery {
        guard proof.kind == "recovery" else { throw Problem.malformed("proof.kind", "must be recovery") }
        return Accounts.Recovery(
            email: try EmailAddress(wire: email), proof: try .init(wire: proof),
            device: try device.map { try Base64URL.bytes($0, "device") })
    }

    // MARK: With a session

    private func sessions(_: Request, context: SignedInContext) async throws -> Response {
        let sessions = try await accounts.sessions(as: context.principal)
        return try Response(
            json: SessionListBody(
                sessions: sessions.map { session in
                    .init(
                        id: session.id.text, createdAt: session.created, lastUsedAt: session.lastUsed,
                        expiresAt: session.expires ?? 0, isCurrent: session.id == context.principal.session)
                }))
    }

    private func endSession(_: Request, context: SignedInContext) async throws -> Response {
        let text = try context.parameters.require("id")
        let id = text == "current" ? nil : CredentialID(text: text)
        if id == nil, text != "current" { throw AuthError.noSuchSession }
        try await accounts.end(id, as: context.principal)
        return .noContent
    }

    private func profile(_: Request, context: SignedInContext) async throws -> Response {
        let profile = try await accounts.profile(as: context.principal)
        return try Response(
            json: AccountBody(
                email: profile.email, vault: profile.vault.text, createdAt: profile.created,
                hasRecoveryKit: profile.hasRecoveryKit, hasSecondFactor: profile.hasSecondFactor,
                usage: Dictionary(
                    uniqueKeysWithValues: VaultUsage.counted.map { ($0.rawValue, profile.usage[$0]) }),
                quotas: Dictionary(uniqueKeysWithValues: Quota.allCases.map { ($0.rawValue, profile.quotas[$0]) })))
    }

    private func delete(_: Request, context: SignedInContext) async throws -> Response {
        try await accounts.delete(as: context.principal)
        return .noContent
    }

    private func changePassword(_: Request, context: SignedInContext) async throws -> Response {
        let body: PasswordBody = try await context.json()
        let change = try await accounts.changePassword(
            try .init(wire: body.authKey, body.l2, "authKey"),
            try .init(recovery: body.recovery, keep: body.keep, agents: body.keepAgents),
            proof: try .init(wire: body.proof), as: context.principal)
        return try Response(json: OwnerChangeBody(change))
    }

    private func signOutEverywhere(_: Request, context: SignedInContext) async throws -> Response {
        let body: SignOutBody = try await context.json()
        let change = try await accounts.signOutEverywhere(
            try .init(recovery: body.recovery, keep: body.keep, agents: body.keepAgents),
            proof: try .init(wire: body.proof), as: context.principal)
        return try Response(json: OwnerChangeBody(change))
    }

    private func setRecovery(_: Request, context: SignedInContext) async throws -> Response {
        let body: KitBody = try await context.json()
        try await accounts.setRecovery(
            try .init(wire: body.recovery), proof: try .init(wire: body.proof), as: context.principal)
        return .noContent
    }

    private func removeRecovery(_: Request, context: SignedInContext) async throws -> Response {
        let body: ProvenBody = try await context.json()
        try await accounts.setRecovery(nil, proof: try .init(wire: body.proof), as: context.principal)
        return .noContent
    }

    private func credentials(_: Request, context: SignedInContext) async throws -> Response {
        let credentials = try await accounts.credentials(as: context.principal)
        return try Response(json: CredentialListBody(credentials: credentials.map(CredentialBody.init)))
    }

    private func addPasskey(_: Request, context: SignedInContext) async throws -> Response {
        let body: PasskeyEnrolmentBody = try await context.json()
        let made = try await accounts.addPasskey(
            try .init(wire: body), proof: try .init(wire: body.proof), as: context.principal)
        return try Response(json: CredentialBody(made), status: .created)
    }

    private func renamePasskey(_: Request, context: SignedInContext) async throws -> Response {
        let body: PasskeyNameBody = try await context.json()
        try await accounts.renamePasskey(try passkey(context), to: body.name, as: context.principal)
        return .noContent
    }

    private func removePasskey(_: Request, context: SignedInContext) async throws -> Response {
        let body: ProvenBody = try await context.json()
        try await accounts.removePasskey(
            try passkey(context), proof: try .init(wire: body.proof), as: context.principal)
        return .noContent
    }

    private func passkey(_ context: SignedInContext) throws -> CredentialID {
        guard let id = CredentialID(text: try context.parameters.require("id")) else { throw AuthError.noSuchPasskey }
        return id
    }

    private func setUpSecondFactor(_: Request, context: SignedInContext) async throws -> Response {
        let body: SecondFactorRequestBody = try await context.json()
        guard let code = body.code else {
            let secret = try await accounts.beginSecondFactor(as: context.principal)
            let uri = "otpauth://totp/Clavitor:\(origin)?secret=\(secret)&issuer=Clavitor"
            return try Response(json: SecondFactorBody(secret: secret, uri: uri))
        }
        guard let proof = body.proof else { throw Problem.malformed("proof", "is required") }
        let codes = try await accounts.confirmSecondFactor(code, proof: try .init(wire: proof), as: context.principal)
        return try Response(json: SecondFactorBody(recoveryCodes: codes))
    }

    private func endSecondFactor(_: Request, context: SignedInContext) async throws -> Response {
        let body: ProvenBody = try await context.json()
        try await accounts.endSecondFactor(proof: try .init(wire: body.proof), as: context.principal)
        return .noContent
    }

    private func l2Status(_ request: Request, context: SignedInContext) async throws -> Response {
        let (cursor, limit) = try request.page()
        let after = try cursors.decode(cursor, count: 2, "l2", context.principal).flatMap { EntryID(numbers: $0) }
        return try await .large(for: context) {
            let (state, entries) = try await accounts.l2Status(after: after, limit: limit, as: context.principal)
            let last = entries.hasMore ? entries.items.last : nil
            return L2StatusBody(
                generation: state.generation, previous: state.previous.map(Base64URL.encode),
                entries: entries.items.map(\.text), next: cursors.encode(last.map(\.numbers), "l2", context.principal))
        }
    }

    private func rekeyL2(_: Request, context: SignedInContext) async throws -> Response {
        let body: L2RekeyBody = try await context.json()
        let next = Accounts.NextL2Key(
            generation: body.l2.generation, wrappedKey: try Base64URL.bytes(body.l2.wrappedKey, "l2.wrappedKey"),
            previous: try Base64URL.bytes(body.previous, "previous"), kit: try body.recovery.map { try .init(wire: $0) }
        )
        try await accounts.rekeyL2(next, proof: try .init(wire: body.proof), as: context.principal)
        return .noContent
    }
}
