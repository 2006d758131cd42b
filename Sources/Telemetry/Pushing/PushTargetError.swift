/// What is wrong with a file that should contain a push URL. Names the file, never its content.
package enum PushTargetError: Error, Equatable, Sendable, CustomStringConvertible {
    case unreadable(file: String)
    case notAURL(file: String)
    case hasUser(file: String)
    case notEncrypted(file: String)
    case notCertificates(file: String)

    package var description: String {
        switch self {
        case .unreadable(let file): "\(file) cannot be read; it must exist and be readable by the node"
        case .notAURL(let file):
            "the first line of \(file) is not a push URL such as https://monitor.example.net/api/push/TOKEN"
        case .hasUser(let file): "the push URL in \(file) must not contain a user name; the token is enough"
        case .notEncrypted(let file):
            "the push URL in \(file) must begin with https://; otherwise its token would be sent unencrypted"
        case .notCertificates(let file): "\(file) must contain certificates in PEM"
        }
    }
}
