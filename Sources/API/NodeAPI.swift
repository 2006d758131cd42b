package import Auth
package import Crypto
package import Hummingbird
package import Vault
package import Wire

/// The HTTP API of a node: its dependencies and its routes.
package struct NodeAPI: Sendable {
    package var accounts: Accounts
    package var authenticator: Authenticator
    package var entries: Entries
    package var agents: Agents
    package var trail: AuditTrail
    package var tokens: AgentTokens
    package var idempotency: IdempotencyRecords
    package var counters: RequestCounters
    package var node: NodeBody
    package var nodes: NodesBody
    package var cursorKey: SymmetricKey
    /// Returns the reasons why the node is not ready; empty when it is ready.
    package var readiness: @Sendable () async -> [String]
    /// Called with stored data that fails authentication and with unhandled errors, which may be disk errors.
    package var onFault: @Sendable (any Error) -> Void

    package init(
        accounts: Accounts, authenticator: Authenticator, entries: Entries, agents: Agents, trail: AuditTrail,
        tokens: AgentTokens, idempotency: IdempotencyRecords, counters: RequestCounters, node: NodeBody,
        nodes: NodesBody,
        cursorKey: SymmetricKey,
        readiness: @escaping @Sendable () async -> [String], onFault: @escaping @Sendable (any Error) -> Void
    ) {
        self.accounts = accounts
        self.authenticator = authenticator
        self.entries = entries
        self.agents = agents
        self.trail = trail
        self.tokens = tokens
        self.idempotency = idempotency
        self.counters = counters
        self.node = node
        self.nodes = nodes
        self.cursorKey = cursorKey
        self.readiness = readiness
        self.onFault = onFault
    }

    /// The number of open TCP connections that have sent a request.
    package static var connections: Int { ConnectionTable.shared.count }

    /// The router with all routes, for the program and for tests.
    package func router() throws -> Router<NodeContext> {
        let bodies = BodyBudget()
        let cursors = Cursors(key: cursorKey)
        let router = Router(context: NodeContext.self, options: .autoGenerateHeadEndpoints)
        router.add(middleware: ResponseMiddleware(counters: counters, onFault: onFault))
        let open = router.group().add(middleware: BodyMiddleware(budget: bodies, work: entries.work))
        NodeRoutes(
            node: node, nodes: nodes, readiness: readiness, description: try OpenAPI.document(version: node.version)
        ).add(to: open)
        let accountRoutes = AccountRoutes(accounts: accounts, origin: node.origin, cursors: cursors)
        accountRoutes.add(toOpen: open)
        let signedIn = router.group("/api/v1")
            .add(middleware: AuthenticationMiddleware(authenticator: authenticator))
            .add(middleware: BodyMiddleware(budget: bodies, work: entries.work))
            .group(context: SignedInContext.self)
        accountRoutes.add(toSignedIn: signedIn)
        EntryRoutes(entries: entries, agents: agents, idempotency: idempotency, cursors: cursors).add(to: signedIn)
        L2Routes(entries: entries, cursors: cursors).add(to: signedIn)
        AgentRoutes(agents: agents, trail: trail, tokens: tokens, idempotency: idempotency, cursors: cursors).add(
            to: signedIn)
        return router
    }
}
