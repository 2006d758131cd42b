import ArgumentParser
import Console
import Wire

struct Nodes: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "List the fleet's nodes, nearest first, by the time that TCP and TLS take from here.",
        discussion: "Proposes the nearest whose /readyz answers; one that does not is no place for a new vault.")

    @OptionGroup(title: "Everywhere") var global: GlobalOptions

    func run() async throws {
        let workspace = try Workspace(global)
        let server = try workspace.someServer()
        let caFile = try workspace.caFile(for: server)
        let list = try await workspace.connected(to: server) { node in
            try await node.send(NodeRequest(.get, ".well-known/clavitor/nodes"), as: NodesBody.self).nodes
        }
        let measured = await withTaskGroup(of: MeasuredNode.self) { group in
            for node in list {
                group.addTask { await MeasuredNode(node, trusting: caFile) }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        let found = NearestNodes(measured)
        try workspace.show(found.nodes) {
            found.nodes.isEmpty ? "\(server.text) knows of no fleet." : found.text
        }
    }
}

/// The nodes of a fleet, nearest first. Their names are whatever the asked node says.
struct NearestNodes {
    let nodes: [MeasuredNode]

    init(_ nodes: [MeasuredNode]) {
        self.nodes = nodes.sorted {
            ($0.milliseconds ?? .infinity, $0.name) < ($1.milliseconds ?? .infinity, $1.name)
        }
    }

    /// For people: a table, and the nearest that would take a vault.
    var text: String {
        var table = Table("name", "city", "latency", "", "url")
        for node in nodes {
            let latency = node.milliseconds.map { "\(Int($0.rounded())) ms" } ?? "no answer"
            table.add(
                node.name, node.city, latency, node.milliseconds == nil || node.isReady ? "" : "not ready", node.url)
        }
        guard let nearest = nodes.first(where: \.isReady) else {
            return table.text + "\n\nNone is ready for a new vault now."
        }
        return table.text + """


            The nearest that is ready is \(nearest.city.printable). For a new vault: clavitor register --server \
            \(nearest.url.printable)
            A vault that there is stays where it is.
            """
    }
}

struct MeasuredNode: Encodable, Sendable {
    var name: String
    var city: String
    var url: String
    /// The best of three connections; nil for a node that did not answer.
    var milliseconds: Double?
    /// At the last of them.
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
            // A node that is not ready is not compared, and one that hangs is not waited for again.
            guard isReady else { break }
        }
        milliseconds = best.map { $0 / .milliseconds(1) }
    }
}

extension ServerAddress {
    /// Nothing in it means anything to the shell that it is copied into.
    fileprivate var isPlain: Bool {
        host.utf8.allSatisfy("abcdefghijklmnopqrstuvwxyz0123456789-.:".utf8.contains)
    }
}
