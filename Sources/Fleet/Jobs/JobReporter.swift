import AsyncHTTPClient
import Console
import FoundationEssentials

/// Tells the monitor how a scheduled job went, in the words of Uptime Kuma's push protocol.
package struct JobReporter: Sendable {
    private let url: PushURL
    private let exchange: HTTPSExchange

    /// - Parameters:
    ///   - url: The job's.
    ///   - exchange: Knows the monitor's address.
    package init(url: PushURL, exchange: HTTPSExchange) {
        (self.url, self.exchange) = (url, exchange)
    }

    /// Says that a job was done, or why it was not.
    ///
    /// - Parameter failure: In words, of which the monitor shows the first 200 letters; nil when all went well.
    /// - Throws: `MonitorError`.
    package func report(failure: String?) async throws {
        guard var parts = URLComponents(string: url.text), parts.scheme == "https" else {
            throw MonitorError.notUnderstood("its push URL is none")
        }
        parts.queryItems = [
            URLQueryItem(name: "status", value: failure == nil ? "up" : "down"),
            URLQueryItem(name: "msg", value: (failure ?? "OK").sanitizedLine(limit: 200)),
        ]
        let answer = try await exchange.ask(HTTPClientRequest(url: parts.string ?? url.text))
        guard answer.status == 200 else {
            throw MonitorError.refused(
                answer.status,
                answer.status == 404 ? "it does not know the job yet: deploy to the hub" : "no reason given")
        }
    }
}
