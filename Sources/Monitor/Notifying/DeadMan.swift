/// The monitor's own heartbeat to somebody else's, who tells people when it stops: nobody watches the watcher here.
///
/// Speaks Uptime Kuma's push protocol, and that of Healthchecks. To whatever else takes a request to a secret URL every
/// request says that all is well, so it gets none while something is wrong.
package struct DeadMan: Sendable {
    private let url: Secret
    /// Where it says that something is wrong; nil: by its silence.
    private let illURL: Secret?
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
        let path = parts.first ?? "/"
        let base = "\(address.scheme.rawValue)://\(address.authority)\(path)"
        url = Secret("\(base)?\(query)status=up&msg=OK")
        // https://healthchecks.io/docs/signaling_failures/
        let isHealthchecks = address.authority == "hc-ping.com" || path.hasPrefix("/ping/")
        illURL =
            isHealthchecks
            ? Secret("\(base)/fail?\(query)")
            : path.contains("/api/push/") ? Secret("\(base)?\(query)status=down&") : nil
        self.send = send
    }

    /// `ills`: Why the monitor cannot do its work; empty when all is well.
    package func beat(_ ills: [String]) async throws {
        let words = ills.joined(separator: ", ").split(separator: " ").joined(separator: "%20")
        let target = ills.isEmpty ? url : illURL.map { Secret("\($0.exposed)msg=\(words)") }
        guard let target else { return }
        let answer = try await send(WebRequest(to: target, body: []))
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
