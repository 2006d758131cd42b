import Auth
package import Hummingbird
import IPNetworks
import Logging
import NIOCore
import Vault
import VaultFormat

/// The context of every request: its connection, and after authentication its principal.
package struct NodeContext: BodyContext {
    package var coreContext: CoreRequestContextStorage
    let connection: ClientConnection
    /// Random: a counter would show every client how busy the node is.
    let requestID: String
    let isHTTP2: Bool
    var principal: Principal?
    var authenticated: Principal? { principal }
    var body: [UInt8] = []
    var work: WorkQueue?

    package init(source: ApplicationRequestContextSource) {
        requestID = String(UInt64.random(in: .min ... .max), radix: 16)
        var logger = source.logger
        logger[metadataKey: "hb.request.id"] = .string(requestID)
        coreContext = CoreRequestContextStorage(
            source: ApplicationRequestContextSource(channel: source.channel, logger: logger))
        connection = ConnectionTable.shared.connection(of: source.channel)
        isHTTP2 = source.channel.parent?.parent != nil
    }

    package var maxUploadSize: Int { RequestLimits.body }

    var bodyClient: BodyBudget.Client {
        principal?.bodyClient ?? Array((connection.address?.rateLimitPrefix.text ?? "").utf8)
    }
}

/// The context of an authenticated request. Handlers take this type, so that none can forget the check.
struct SignedInContext: ChildRequestContext, BodyContext {
    var coreContext: CoreRequestContextStorage
    let principal: Principal
    var authenticated: Principal? { principal }
    var body: [UInt8]
    var work: WorkQueue?

    init(context: NodeContext) throws {
        guard let principal = context.principal else { throw AuthError.badToken }
        coreContext = context.coreContext
        body = context.body
        work = context.work
        self.principal = principal
    }

    var maxUploadSize: Int { RequestLimits.body }
    var bodyClient: BodyBudget.Client { principal.bodyClient }
}

extension Principal {
    /// The owner and the agents of a vault have separate shares, so that agents cannot keep the owner from pausing them.
    package var bodyClient: BodyBudget.Client { vault.bytes + [party == .owner ? 0 : 1] }
}

/// Limits of requests. Body sizes are in bytes.
package enum RequestLimits {
    /// The default of routes.
    static let small = 16 << 10
    /// Routes without authentication.
    static let unauthenticated = 4 << 10
    static let registration = 64 << 10
    /// Grants list entries and fields.
    static let agent = 256 << 10
    /// Enough for an entry with most fields full, and for the L2 values of an entry.
    package static let body = 4 << 20
    /// JSON values in a body: objects, list items and members.
    static let values = 2_048
    /// Three members and an object for each L2 value, of all versions.
    static let rekeyValues = 16_384
    /// Items per page.
    static let page = 200
    static let standardPage = 50
}
