import AsyncHTTPClient
import Console
import FoundationEssentials

/// Reports the result of a scheduled job to the monitor, with Uptime Kuma's push protocol.
package struct JobReporter: Sendable {
    private let url: PushURL
    private let exchange: HTTPSExchange

    /// - Parameters:
    ///   - url: The job's push URL.
    ///   - exchange: Must have the monitor's address.
    package init(url: PushURL, exchange: HTTPSExchange) {
        (self.url, self.exchange) = (url, exchange)
    }

    /// Reports success or failure.
    ///
    /// - Parameter failure: The reason, of which the monitor shows the first 200 characters; nil for success.
    /// - Throws: `MonitorError`.
    package func report(failure: String?) async throws {
        guard var parts = URLComponents(string: url.text), parts.scheme == "https" else {
            throw MonitorError.invalidResponse("the push URL must be an https URL")
        }
        parts.queryItems = [
            URLQueryItem(name: "status", value: failure == nil ? "up" : "down"),
            URLQueryItem(name: "msg", value: (failure ?? "OK").sanitizedLine(limit: 200)),
        ]
        let response = try await exchange.sendToMonitor(HTTPClientRequest(url: parts.string ?? url.text))
        guard response.status == 200 else {
            throw MonitorError.refused(
                response.status,
                response.status == 404 ? "it does not know the job yet: deploy to the hub" : "no reason given")
        }
    }
}
