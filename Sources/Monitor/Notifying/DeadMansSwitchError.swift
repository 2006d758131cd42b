package enum DeadMansSwitchError: Error, Equatable, CustomStringConvertible, Sendable {
    case notAURL
    case notEncrypted

    package var description: String {
        switch self {
        case .notAURL: "does not contain a URL. Put the complete push URL into its first line."
        case .notEncrypted: "contains an http URL. A push URL is a credential: use https."
        }
    }
}
