import Auth
package import Hummingbird
import Logging
import NIOCore
import Vault

/// What is known of every request: where it comes from, and after authentication by whom.
package struct NodeContext: RequestContext {
    package var coreContext: CoreRequestContextStorage
    let connection: ClientConnection
    var caller: Caller?

    package init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        connection = ConnectionTable.shared.connection(of: source.channel)
    }

    package var maxUploadSize: Int { RequestLimits.body }

    /// Hummingbird's own, which it keeps in the logger alone; empty when the logger keeps nothing.
    var requestID: String { logger[metadataKey: "hb.request.id"]?.description ?? "" }
}

/// A request whose sender is known. Handlers take this type, so none can forget to check.
struct SignedInContext: ChildRequestContext {
    var coreContext: CoreRequestContextStorage
    let caller: Caller

    init(context: NodeContext) throws {
        guard let caller = context.caller else { throw AuthError.badToken }
        coreContext = context.coreContext
        self.caller = caller
    }

    var maxUploadSize: Int { RequestLimits.body }
}

/// How large requests may be, in bytes.
package enum RequestLimits {
    /// Holds an entry with every field full, and an L2 rekey of some thousand values.
    package static let body = 4 << 20
    /// Items of a page.
    static let page = 200
    static let standardPage = 50
}
