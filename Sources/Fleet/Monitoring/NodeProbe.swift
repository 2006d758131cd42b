import AsyncHTTPClient
import Console
import FoundationEssentials
import NIOHTTP1
import Outbound
import Wire

/// Asks a node what clients would ask it. `HTTPSProbe` does, tests have others.
package protocol NodeProbe: Sendable {
    func health(of node: Node) async -> NodeHealth
}

/// How a node looks from outside.
package enum NodeHealth: Equatable, Sendable {
    /// With the version that it tells, if it does.
    case ready(version: String?)
    /// In words.
    case notReady(String)

    package var isReady: Bool {
        switch self {
        case .ready: true
        case .notReady: false
        }
    }
}

/// Over HTTPS, at the node's public address, with a certificate that is good for its name.
package struct HTTPSProbe: NodeProbe {
    let exchange: HTTPSExchange
    /// The way to the same names over IPv6; nil when no node has it.
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

    /// Each over a connection of its own, so that the certificate is the one that is served now.
    func request(_ url: String) -> HTTPClientRequest {
        var request = HTTPClientRequest(url: url)
        request.headers.add(name: "Connection", value: "close")
        return request
    }
}
