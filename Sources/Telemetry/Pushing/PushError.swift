/// Why a beat was not delivered. No case can hold the push URL, and none holds what the other side wrote: some servers
/// repeat the address that they were asked for.
package enum PushError: Error, Equatable, Sendable, CustomStringConvertible {
    /// What the network, the name server or TLS said.
    case unreachable(String)
    case timedOut
    /// The push before has not come back.
    case stillUnderWay
    case redirected(Int)
    case refused(Int)
    /// A good status, and `ok: false` in the body.
    case notTaken
    /// JSON could not be made of the heartbeat.
    case notEncoded

    package var description: String {
        switch self {
        case .unreachable(let why): "the monitor cannot be reached: \(why)"
        case .timedOut: "the monitor did not answer in time"
        case .stillUnderWay: "the monitor has not answered the push before"
        case .redirected(let status):
            "the monitor answered \(status); redirects are not followed, so put the final address into the file"
        case .refused(404):
            "the monitor answered 404; compare the push URL with the monitor's, and see that the monitor is not paused"
        case .refused(let status): "the monitor answered \(status)"
        case .notTaken: "the monitor answered that it did not take the beat; its log should say why"
        case .notEncoded: "the heartbeat has a figure that JSON cannot say; this is a fault in the node"
        }
    }
}

/// What is wrong with a file that should hold a push URL. Names the file, never what is in it.
package enum PushTargetError: Error, Equatable, Sendable, CustomStringConvertible {
    case unreadable(file: String)
    case notAnAddress(file: String)
    case hasUser(file: String)
    case notEncrypted(file: String)
    case notCertificates(file: String)

    package var description: String {
        switch self {
        case .unreadable(let file): "\(file) cannot be read; it should be there and readable by the node"
        case .notAnAddress(let file):
            "the first line of \(file) is not a push URL such as https://monitor.example.net/api/push/TOKEN"
        case .hasUser(let file): "the push URL in \(file) has a user name; leave that out, the token is enough"
        case .notEncrypted(let file):
            "the push URL in \(file) does not begin with https://; its token would cross the network in the clear"
        case .notCertificates(let file): "\(file) holds no certificates in PEM"
        }
    }
}
