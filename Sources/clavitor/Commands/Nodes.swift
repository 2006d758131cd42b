import ArgumentParser
import Console
import Wire

struct Nodes: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "List the fleet's nodes by latency of a TCP and TLS handshake.",
        discussion: "Recommends the nearest node that is ready (/readyz).")

    @OptionGroup(title: "Global options") var global: GlobalOptions

    func run() async throws {
        let context = try CommandContext(global)
        let server = try context.someServer()
        let caFile = try context.caFile(for: server)
        let list = try await context.connected(to: server) { node in
            try await node.send(NodeRequest(.get, ".well-known/clavitor/nodes"), as: NodesBody.self).nodes
        }
        let measured = await withTaskGroup(of: MeasuredNode.self) { group in
            for node in list {
                group.addTask { await MeasuredNode(node, trusting: caFile) }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        let found = NearestNodes(measured)
        try context.show(found.nodes) {
            found.nodes.isEmpty ? "\(server.text) lists no nodes." : found.text
        }
    }
}

/// The nodes of a fleet, nearest first. The queried node chooses their names.
struct NearestNodes {
    let nodes: [MeasuredNode]

    init(_ nodes: [MeasuredNode]) {
        self.nodes = nodes.sorted {
            ($0.milliseconds ?? .infinity, $0.name) < ($1.milliseconds ?? .infinity, $1.name)
        }
    }

    /// A table, and the nearest node that is ready.
    var text: String {
        var table = Table("name", "city", "latency", "", "url")
        for node in nodes {
            let latency = node.milliseconds.map { "\(Int($0.rounded())) ms" } ?? "no answer"
            table.add(
                node.name, node.city, latency, node.milliseconds == nil || node.isReady ? "" : "not ready", node.url)
        }
        guard let nearest = nodes.first(where: \.isReady) else {
            return table.text + "\n\nNo node is ready for a new vault."
        }
        return table.text + """


            The nearest ready node is \(nearest.city.printable). For a new vault: clavitor register --server \
            \(nearest.url.printable)
            Existing vaults stay on their node.
            """
    }
}

struct MeasuredNode: Encodable, Sendable {
    var name: String
    var city: String
    var url: String
    /// The best of three connections; nil for a node that did not answer.
    var milliseconds: Double?
    /// The result of the last connection.
    var isReady: Bool

    private enum CodingKeys: String, CodingKey {
        case name, city, url, milliseconds
        case isReady = "ready"
    }
}

extension MeasuredNode {
    init(_ node: NodesBody.Node, trusting caFile: String?) async {
        self.init(name: node.name, city: node.city, url: node.url, milliseconds: nil, isReady: false)
        guard let address = ServerAddress(node.url), address.isPlain else { return }
        var best: Duration?
        for _ in 0..<3 {
            guard let answer = await Handshake.with(address, trusting: caFile) else { break }
            best = min(best ?? answer.time, answer.time)
            isReady = answer.isReady
            // A node that is not ready is not measured again.
            guard isReady else { break }
        }
        milliseconds = best.map { $0 / .milliseconds(1) }
    }
}

extension ServerAddress {
    /// Whether the address has no shell metacharacters, since it is printed as part of a command.
    fileprivate var isPlain: Bool {
        host.utf8.allSatisfy("abcdefghijklmnopqrstuvwxyz0123456789-.:".utf8.contains)
    }
}
