import AsyncHTTPClient
import Console
import FoundationEssentials
import Outbound

/// Tells the monitor how a scheduled job went, in the words of Uptime Kuma's push protocol.
package struct JobReporter: Sendable {
    private let url: String
    private let exchange: HTTPSExchange

    /// - Parameters:
    ///   - url: The job's push URL. A credential.
    ///   - exchange: Knows the monitor's address.
    package init(url: String, exchange: HTTPSExchange) {
        (self.url, self.exchange) = (url, exchange)
    }

    /// Says that a job was done, or why it was not.
    ///
    /// - Parameter failure: In words, of which the monitor shows the first 200 letters; nil when all went well.
    /// - Throws: `MonitorError`.
    package func report(failure: String?) async throws {
        guard var parts = URLComponents(string: url), parts.scheme == "https" else {
            throw MonitorError.notUnderstood("its push URL is none")
        }
        parts.queryItems = [
            URLQueryItem(name: "status", value: failure == nil ? "up" : "down"),
            URLQueryItem(name: "msg", value: (failure ?? "OK").quotation(most: 200)),
        ]
        let answer: (status: Int, body: [UInt8])
        do {
            answer = try await exchange.send(HTTPClientRequest(url: parts.string ?? url))
        } catch {
            try Task.checkCancellation()
            throw MonitorError.unreachable("\(TransportFault(error))")
        }
        guard answer.status == 200 else {
            throw MonitorError.refused(
                answer.status,
                answer.status == 404 ? "it does not know the job yet: deploy to the hub" : "no reason given")
        }
    }
}
