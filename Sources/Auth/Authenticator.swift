import Crypto
package import IPNetworks
import Synchronization
package import Vault
package import VaultFormat

/// Holders that were opened on one TLS connection: a second request on it need not open them again.
///
/// Lives and dies with the connection, five minutes at most for each holder.
package final class OpenHolders: Sendable {
    private let holders = Mutex<[String: Open]>([:])
    private static let seconds: Int64 = 300
    private static let most = 8

    /// A token's look-up, which takes two HMACs to derive, the row that it led to, and what it opened there.
    struct Open: Sendable {
        let lookup: [UInt8]
        let credential: StoredCredential
        let holder: HolderKey
        let until: Int64

        /// Whether a row is still the one that was opened: its box proves what stands beside it, and is not opened again.
        func isOf(_ row: StoredCredential) -> Bool {
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

/// Turns a token into a principal, or says why not.
package final class Authenticator: Sendable {
    private let store: any AccountStore
    private let keys: NodeKeys
    private let failures: FailureLog
    private let now: @Sendable () -> Int64
    private let sessionIdle: Int64
    private let policies = Mutex<[HolderID: (box: [UInt8], vault: VaultID, policy: AgentPolicy)]>([:])

    /// `sessionIdle`: Seconds without a request after which a session ends.
    package init(
        store: any AccountStore, keys: NodeKeys, failures: FailureLog, sessionIdle: Int64,
        now: @escaping @Sendable () -> Int64
    ) {
        self.store = store
        self.keys = keys
        self.failures = failures
        self.sessionIdle = sessionIdle
        self.now = now
    }

    /// The principal that a token stands for, here and now.
    ///
    /// `isRepeat`: Whether the answer may be one that was given before: a token that is used up by the first try still
    /// gets it.
    ///
    /// - Throws: `AuthError.badToken` and its siblings; `RootBoxError` when a row was tampered with.
    package func principal(
        token text: String, from address: IPAddress?, on connection: OpenHolders?, isRepeat: Bool = false
    ) async throws -> Principal {
        let open = connection?.open(text, at: now())
        let token = open == nil ? Token(text) : nil
        guard let lookup = open?.lookup ?? token?.lookup else {
            return try await refuse("malformed", nil, from: address, AuthError.badToken)
        }
        // The row is read every time: a token may have been revoked since.
        guard let presented = try store.token(lookup: lookup) else {
            return try await refuse("unknown", nil, from: address, AuthError.badToken)
        }
        let credential = presented.credential
        let role = try await role(of: presented, from: address, isRepeat: isRepeat)
        if let open, open.isOf(credential) {
            return Principal(
                vault: credential.vault, holder: open.holder, role: role, from: address,
                policyBox: presented.agent?.policy)
        }
        guard let token = token ?? Token(text) else { throw AuthError.badToken }
        do {
            let holder = try credential.open(token.secret, root: keys.root)
            connection?.keep(holder, credential, lookup, of: text, at: now())
            return Principal(
                vault: credential.vault, holder: holder, role: role, from: address, policyBox: presented.agent?.policy)
        } catch BoxError.wrongKeyOrContext {
            // A row under this look-up that another token made.
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
                try await store.commit([.deleteCredential(credential.id)], [])
                throw AuthError.sessionExpired
            }
            // Coarse, so that reading does not write more than once a minute.
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
            return .agent(policy)
        case .password, .recovery:
            throw AuthError.badToken
        }
    }

    /// Puts on record that an agent asked for what it may not have; the same within a minute is counted.
    package func denied(_ principal: Principal, _ reason: String) async throws {
        guard principal.party == .agents else { return }
        try await failures.record(
            principal.event(.denied, outcome: .denied, reason: reason), account: principal.holder.id.bytes,
            network: principal.from?.rateLimitPrefix, vault: principal.vault)
    }

    /// Opened once and kept while the row stays the same.
    private func policy(of agent: StoredAgent) throws -> AgentPolicy {
        if let known = policies.withLock({ $0[agent.holder] }), known.box == agent.policy, known.vault == agent.vault {
            return known.policy
        }
        let policy = try keys.policy(of: agent)
        policies.withLock { policies in
            if policies.count >= 1_000 { policies.removeAll() }
            policies[agent.holder] = (agent.policy, agent.vault, policy)
        }
        return policy
    }

    private func refuse<R>(
        _ reason: String, _ agent: StoredAgent?, from address: IPAddress?, _ error: any Error
    ) async throws -> R {
        let event = AuditEvent(
            .denied, by: .init(agent == nil ? .stranger : .agent, agent?.holder), from: address?.text, outcome: .denied,
            reason: reason)
        try await failures.record(
            event, account: agent?.holder.bytes ?? [], network: address?.rateLimitPrefix, vault: agent?.vault)
        throw error
    }
}
