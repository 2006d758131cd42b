import Auth
package import Hummingbird
import IPNetworks
import Logging
import NIOCore
import Vault
import VaultFormat

/// What is known of every request: where it comes from, and after authentication by whom.
package struct NodeContext: BodyContext {
    package var coreContext: CoreRequestContextStorage
    let connection: ClientConnection
    /// Random: a counter would show each client how busy the node is.
    let requestID: String
    let isHTTP2: Bool
    var principal: Principal?
    var known: Principal? { principal }
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

    var bodySender: BodyBudget.Sender {
        principal?.bodySender ?? Array((connection.address?.rateLimitPrefix.text ?? "").utf8)
    }
}

/// A request whose sender is known. Handlers take this type, so none can forget to check.
struct SignedInContext: ChildRequestContext, BodyContext {
    var coreContext: CoreRequestContextStorage
    let principal: Principal
    var known: Principal? { principal }
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
    var bodySender: BodyBudget.Sender { principal.bodySender }
}

extension Principal {
    /// An owner and all agents of the vault have a share each: what an agent sends keeps no owner from pausing it.
    var bodySender: BodyBudget.Sender { vault.bytes + [party == .owner ? 0 : 1] }
}

/// How large requests may be, in bytes.
package enum RequestLimits {
    /// Of a route that says nothing else.
    static let small = 16 << 10
    /// Where nobody is known yet.
    static let unknown = 4 << 10
    static let registration = 64 << 10
    /// Grants name entries and fields.
    static let agent = 256 << 10
    /// Holds an entry with most of its fields full, and an L2 rekey of some thousand values.
    package static let body = 4 << 20
    /// JSON values in a body: objects, list items, members.
    static let values = 2_048
    /// Four members and an object for each L2 value.
    static let rekeyValues = 65_536
    /// Items of a page.
    static let page = 200
    static let standardPage = 50
}
