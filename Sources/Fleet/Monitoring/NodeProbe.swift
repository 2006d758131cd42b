import AsyncHTTPClient
import Console
import FoundationEssentials
import NIOHTTP1
import Outbound
import Wire

/// Probes a node as a client would.
package protocol NodeProbe: Sendable {
    func health(of node: Node) async -> NodeHealth
}

/// The result of a probe from outside.
package enum NodeHealth: Equatable, Sendable {
    /// With the reported version, if any.
    case ready(version: String?)
    /// With the reason.
    case notReady(String)

    package var isReady: Bool {
        switch self {
        case .ready: true
        case .notReady: false
        }
    }
}

/// Probes over HTTPS, at the node's public address; the certificate must be valid for its name.
package struct HTTPSProbe: NodeProbe {
    let exchange: HTTPSExchange
    /// The client for IPv6; nil if no node has IPv6.
    let ipv6: HTTPSExchange?

    package init(exchange: HTTPSExchange, ipv6: HTTPSExchange? = nil) {
        self.exchange = exchange
        self.ipv6 = ipv6
    }

    package func health(of node: Node) async -> NodeHealth {
        guard !node.ipv4.isEmpty else { return .notReady("it has no ipv4 in the inventory") }
        do {
            let ready = try await exchange.send(request("\(node.url)/readyz"))
            guard ready.status == 200 else {
                let reasons = (try? JSONDecoder().decode(HealthBody.self, from: Data(ready.body)))?.reasons ?? []
                let why = reasons.prefix(5).joined(separator: ", ").sanitizedLine()
                return .notReady("/readyz answers \(ready.status)\(why.isEmpty ? "" : ": \(why)")")
            }
            let facts = try await exchange.send(request("\(node.url)/.well-known/clavitor"))
            return .ready(version: (try? JSONDecoder().decode(NodeBody.self, from: Data(facts.body)))?.version)
        } catch {
            return .notReady("\(TransportFault(error))")
        }
    }

    /// Each request uses a new connection, so that the probe sees the currently served certificate.
    func request(_ url: String) -> HTTPClientRequest {
        var request = HTTPClientRequest(url: url)
        request.headers.add(name: "Connection", value: "close")
        return request
    }
}
