/// Why a message was not delivered. Safe to log: contains the channel, its host, a status, and a little of the
/// response.
package struct DeliveryFailure: Error, Equatable, Sendable, CustomStringConvertible {
    package enum Kind: Equatable, Sendable {
        /// A later attempt may succeed.
        case temporary
        /// The service rejects the message; a repeated attempt will probably fail too.
        case rejected
    }

    package let kind: Kind
    package let description: String
    /// Seconds to wait that the service requests.
    package let retryAfter: Double?
    /// Whether this message may be the cause, so that the next one could succeed.
    package let mayBeMessageFault: Bool

    package init(_ kind: Kind, _ description: String, retryAfter: Double? = nil, mayBeMessageFault: Bool = false) {
        self.kind = kind
        self.description = description
        self.retryAfter = retryAfter
        self.mayBeMessageFault = mayBeMessageFault
    }
}
