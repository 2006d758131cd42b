import FoundationEssentials

/// The monitor's own heartbeat to somebody else's, who tells people when it stops: nobody watches the watcher here.
///
/// Speaks Uptime Kuma's push protocol; whatever else takes a request to a secret URL (healthchecks.io) understands it too.
package struct DeadMan: Sendable {
    private let urlFile: String
    private let send: @Sendable (WebRequest) async throws -> WebAnswer

    package init(urlFile: String, send: @escaping @Sendable (WebRequest) async throws -> WebAnswer) {
        self.urlFile = urlFile
        self.send = send
    }

    /// `isWell`: Whether incidents can be written down.
    package func beat(isWell: Bool) async throws {
        let text = String(decoding: try Data(contentsOf: URL(filePath: urlFile)), as: UTF8.self)
        let url = text.prefix { $0 != "\n" && $0 != "?" }
        let query = isWell ? "status=up&msg=OK" : "status=down&msg=the%20store%20fails"
        let answer = try await send(WebRequest(to: Secret("\(url)?\(query)"), body: []))
        guard (200..<300).contains(answer.status) else {
            throw DeliveryFailure(.refused, "the monitor's own heartbeat was answered with \(answer.status)")
        }
    }
}
