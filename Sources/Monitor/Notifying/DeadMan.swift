/// The monitor's own heartbeat to somebody else's, who tells people when it stops: nobody watches the watcher here.
///
/// Speaks Uptime Kuma's push protocol; whatever else takes a request to a secret URL (healthchecks.io) understands it too.
package struct DeadMan: Sendable {
    private let url: Secret
    private let send: @Sendable (WebRequest) async throws -> WebAnswer

    /// - Parameters:
    ///   - text: A push URL, as the other monitor shows it.
    ///   - send: Does the request.
    /// - Throws: `DeadManError`, which shows nothing of the text.
    package init(
        url text: some StringProtocol, send: @escaping @Sendable (WebRequest) async throws -> WebAnswer
    ) throws(DeadManError) {
        guard let address = WebAddress(String(text)) else { throw .notAnAddress }
        guard address.isPrivate else { throw .notEncrypted }
        // Uptime Kuma shows its URL with these three, to be filled in.
        let parts = address.path.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let kept = (parts.count > 1 ? parts[1] : "").split(separator: "&").filter { item in
            !["status", "msg", "ping"].contains(item.prefix { $0 != "=" })
        }
        let query = kept.map { "\($0)&" }.joined()
        url = Secret("\(address.scheme.rawValue)://\(address.authority)\(parts.first ?? "/")?\(query)")
        self.send = send
    }

    /// `ills`: Why the monitor cannot do its work; empty when all is well.
    package func beat(_ ills: [String]) async throws {
        let words = ills.joined(separator: ", ").split(separator: " ").joined(separator: "%20")
        let query = ills.isEmpty ? "status=up&msg=OK" : "status=down&msg=\(words)"
        let answer = try await send(WebRequest(to: Secret(url.exposed + query), body: []))
        guard (200..<300).contains(answer.status) else {
            throw DeliveryFailure(.refused, "the monitor's own heartbeat was answered with \(answer.status)")
        }
    }
}

package enum DeadManError: Error, Equatable, CustomStringConvertible, Sendable {
    case notAnAddress
    case notEncrypted

    package var description: String {
        switch self {
        case .notAnAddress: "holds no URL. Put the whole push URL into its first line."
        case .notEncrypted: "holds a URL that begins with http. A push URL is a credential: use https."
        }
    }
}
