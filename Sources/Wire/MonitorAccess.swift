import Encoding
import FoundationEssentials

/// Whom a monitor knows by its configuration: the nodes of an inventory and the tools of its operators, by the hashes of
/// their tokens. Rendered by Nix from the inventory as JSON, read by `clavitor-monitor serve --access-file`.
package struct MonitorAccess: Codable, Equatable, Sendable {
    package struct Node: Codable, Equatable, Sendable {
        package var name: String
        package var region: String
        /// SHA-256 of the push token, in hexadecimal.
        package var token: String
        /// Seconds between its pushes, where it is a job that is done on a timer; nil for a node.
        package var every: Int64?

        package init(name: String, region: String, token: String, every: Int64? = nil) {
            (self.name, self.region, self.token, self.every) = (name, region, token, every)
        }
    }

    package struct Operator: Codable, Equatable, Sendable {
        package var name: String
        /// SHA-256 of the bearer token of the operator's tool, in hexadecimal.
        package var token: String

        package init(name: String, token: String) {
            (self.name, self.token) = (name, token)
        }
    }

    package var nodes: [Node]
    package var operators: [Operator]

    /// - Throws: `MonitorAccessError`; also when a hash is none.
    package init(json text: String) throws(MonitorAccessError) {
        do {
            self = try JSONDecoder().decode(MonitorAccess.self, from: Data(text.utf8))
        } catch {
            throw .unreadable
        }
        for (name, token) in nodes.map({ ($0.name, $0.token) }) + operators.map({ ($0.name, $0.token) })
        where Hexadecimal.decode(token)?.count != 32 {
            throw .notAHash(name)
        }
    }

    package init(nodes: [Node], operators: [Operator]) {
        (self.nodes, self.operators) = (nodes, operators)
    }
}

package enum MonitorAccessError: Error, Equatable, CustomStringConvertible, Sendable {
    case unreadable
    case notAHash(String)

    package var description: String {
        switch self {
        case .unreadable: "it is not a JSON object with nodes and operators"
        case .notAHash(let name): "the token of \(name) is not a SHA-256 in hexadecimal"
        }
    }
}
