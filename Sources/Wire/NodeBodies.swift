/// `GET /.well-known/clavitor`
package struct NodeBody: Codable, Equatable, Sendable {
    /// The node's DNS name in lower case, to which clients bind their keys.
    package var origin: String
    package var version: String
    /// `open`, `invite` or `closed`.
    package var registration: String

    package init(origin: String, version: String, registration: String) {
        self.origin = origin
        self.version = version
        self.registration = registration
    }
}

/// `GET /.well-known/clavitor/nodes`: the nodes of the fleet, for choosing the nearest.
package struct NodesBody: Codable, Equatable, Sendable {
    package var nodes: [Node]

    package struct Node: Codable, Equatable, Sendable {
        package var name: String
        package var city: String
        package var url: String
        /// In degrees.
        package var latitude: Double
        package var longitude: Double

        package init(name: String, city: String, url: String, latitude: Double, longitude: Double) {
            self.name = name
            self.city = city
            self.url = url
            self.latitude = latitude
            self.longitude = longitude
        }
    }

    package init(nodes: [Node]) {
        self.nodes = nodes
    }
}

/// `GET /livez`, `GET /readyz`
package struct HealthBody: Codable, Equatable, Sendable {
    package var status: String
    /// The reasons why the node is not ready; empty when it is.
    package var reasons: [String]

    package init(status: String, reasons: [String]) {
        self.status = status
        self.reasons = reasons
    }
}
