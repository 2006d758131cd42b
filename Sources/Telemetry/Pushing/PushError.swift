/// Why a heartbeat was not delivered. No case contains the push URL or text of the other side: some servers repeat the
/// requested address.
package enum PushError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The error of the network, the name server or TLS.
    case unreachable(String)
    case timedOut
    /// The previous push is still in flight.
    case previousInFlight
    case redirected(Int)
    case rejected(Int)
    /// A success status with `ok: false` in the body.
    case notAccepted
    /// The heartbeat cannot be encoded as JSON.
    case notEncoded

    package var description: String {
        switch self {
        case .unreachable(let why): "the monitor cannot be reached: \(why)"
        case .timedOut: "the monitor did not respond in time"
        case .previousInFlight: "the monitor has not responded to the previous push"
        case .redirected(let status):
            "the monitor responded with status \(status); redirects are not followed, so put the final address into the file"
        case .rejected(404):
            "the monitor responded with status 404; compare the push URL with the monitor's, and check that the monitor is not paused"
        case .rejected(let status): "the monitor responded with status \(status)"
        case .notAccepted: "the monitor did not accept the heartbeat; see its log"
        case .notEncoded: "the heartbeat contains a value that JSON cannot represent; this is a bug in the node"
        }
    }
}
