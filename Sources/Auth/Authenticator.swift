import Crypto
package import IPNetworks
import Synchronization
package import Vault
package import VaultFormat

/// A cache of the key holders that were opened on one TLS connection, so that later requests need not open them again.
///
/// Released with the connection. Each key holder stays for at most five minutes.
package final class OpenHolders: Sendable {
    private let holders = Mutex<[String: Open]>([:])
    private static let seconds: Int64 = 300
    private static let most = 8

    /// A token's look-up value, which takes two HMACs to derive, its credential row, and the key holder that it opened.
    struct Open: Sendable {
        let lookup: [UInt8]
        let credential: StoredCredential
        let holder: HolderKey
        let until: Int64

        /// Whether the row is the one that was opened. The secret box authenticates the other columns, so an equal row need not be
        /// opened again.
        func matches(_ row: StoredCredential) -> Bool {
            credential.id == row.id && credential.vault == row.vault && credential.holder == row.holder
                && credential.kind == row.kind && credential.box == row.box && credential.created == row.created
                && credential.expires == row.expires
        }
    }

    package init() {}

    func open(_ token: String, at now: Int64) -> Open? {
        holders.withLock { holders in
            guard let open = holders[token] else { return nil }
            guard now < open.until else {
                holders[token] = nil
                return nil
            }
            return open
        }
    }

    func keep(_ holder: HolderKey, _ credential: StoredCredential, _ lookup: [UInt8], of token: String, at now: Int64) {
        holders.withLock { holders in
            if holders.count >= Self.most { holders.removeAll() }
            holders[token] = Open(
                lookup: lookup, credential: credential, holder: holder, until: now + Self.seconds)
        }
    }
}

/// Authenticates tokens.
package final class Authenticator: Sendable {
    private let store: any AccountStore
    private let keys: NodeKeys
    private let audit: AuditSealer
    private let failures: FailureLog
    private let now: @Sendable () -> Int64
    private let sessionIdle: Int64
    private let policies = Mutex<[PrincipalID: (box: [UInt8], vault: VaultID, policy: AgentPolicy)]>([:])

    /// `sessionIdle`: Seconds without a request after which a session expires.
    package init(
        store: any AccountStore, keys: NodeKeys, audit: AuditSealer, failures: FailureLog, sessionIdle: Int64,
        now: @escaping @Sendable () -> Int64
    ) {
        self.store = store
        self.keys = keys
        self.audit = audit
        self.failures = failures
        self.sessionIdle = sessionIdle
        self.now = now
    }

    /// Returns the principal of a token.
    ///
    /// `isRepeat`: Whether the request may be a retry, whose stored response a token gets even when the first attempt used it up.
    ///
    /// - Throws: `AuthError.badToken` and other `AuthError`s; `RootBoxError` when a row was tampered with.
    package func principal(
        token text: String, from address: IPAddress?, on connection: OpenHolders?, isRepeat: Bool = false
    ) async throws -> Principal {
        let open = connection?.open(text, at: now())
        let token = open == nil ? Token(text) : nil
        guard let lookup = open?.lookup ?? token?.lookup else {
            return try await refuse("malformed", nil, from: address, AuthError.badToken)
        }
        // The row is read for every request: the token may have been revoked.
        guard let presented = try store.token(lookup: lookup) else {
            return try await refuse("unknown", nil, from: address, AuthError.badToken)
        }
        let credential = presented.credential
        let role = try await role(of: presented, from: address, isRepeat: isRepeat)
        if let open, open.matches(credential) {
            return Principal(
                vault: credential.vault, holder: open.holder, role: role, from: address,
                policyBox: presented.agent?.policy)
        }
        guard let token = token ?? Token(text) else { throw AuthError.badToken }
        do {
            let holder = try credential.open(token.secret, root: keys.root)
            connection?.keep(holder, credential, lookup, of: text, at: now())
            return Principal(
                vault: credential.vault, holder: holder, role: role, from: address,
                policyBox: presented.agent?.policy)
        } catch BoxError.wrongKeyOrContext {
            // The row with this look-up value belongs to another token.
            return try await refuse("foreign", nil, from: address, AuthError.badToken)
        }
    }

    private func role(
        of presented: PresentedToken, from address: IPAddress?, isRepeat: Bool
    ) async throws -> Principal.Role {
        let credential = presented.credential
        let time = now()
        switch credential.kind {
        case .session:
            guard time < credential.expires ?? 0, time - credential.lastUsed < sessionIdle else {
                var event = AuditEvent(.sessionExpire, by: .init(.node), subject: credential.id.text)
                event.count = 1
                try await store.commit(
                    [.deleteCredential(credential.id)], [try audit.seal(event, vault: credential.vault)])
                throw AuthError.sessionExpired
            }
            // Updated at most once a minute, so that reads rarely write.
            if time - credential.lastUsed >= 60 {
                try await store.commit([.touch(credential.id, at: time)], [])
            }
            return .owner(session: credential.id, since: credential.created)
        case .agent:
            guard let agent = presented.agent, agent.vault == credential.vault else { throw AuthError.badToken }
            let policy = try policy(of: agent)
            guard agent.state == .active else {
                return try await refuse(
                    agent.state == .paused ? "paused" : "suspended", agent, from: address,
                    AuthError.tokenRefused("\(agent.state)"))
            }
            if let refusal = policy.refusal(at: time, from: address) {
                return try await refuse(
                    refusal.rawValue, agent, from: address, AuthError.tokenRefused(refusal.rawValue))
            }
            if !isRepeat, let most = policy.maxUses, agent.uses >= most {
                return try await refuse("uses-exhausted", agent, from: address, VaultError.usesExhausted)
            }
            return .agent(agent.id, policy)
        case .password, .recovery, .passkey:
            throw AuthError.badToken
        }
    }

    /// Logs that an agent was denied an operation; repetitions within a minute are counted.
    package func denied(_ principal: Principal, _ reason: String) async throws {
        guard principal.party == .agents else { return }
        try await failures.record(
            principal.event(.denied, outcome: .denied, reason: reason), account: principal.id.bytes,
            network: principal.from?.rateLimitPrefix, vault: principal.vault)
    }

    /// Opens an agent's policy; cached while the row stays the same.
    private func policy(of agent: StoredAgent) throws -> AgentPolicy {
        if let known = policies.withLock({ $0[agent.id] }), known.box == agent.policy, known.vault == agent.vault {
            return known.policy
        }
        let policy = try keys.policy(of: agent)
        policies.withLock { policies in
            if policies.count >= 1_000 { policies.removeAll() }
            policies[agent.id] = (agent.policy, agent.vault, policy)
        }
        return policy
    }

    private func refuse<R>(
        _ reason: String, _ agent: StoredAgent?, from address: IPAddress?, _ error: any Error
    ) async throws -> R {
        let event = AuditEvent(
            .denied, by: .init(agent == nil ? .unauthenticated : .agent, agent?.id), from: address?.text,
            outcome: .denied,
            reason: reason)
        try await failures.record(
            event, account: agent?.id.bytes ?? [], network: address?.rateLimitPrefix, vault: agent?.vault)
        throw error
    }
}
