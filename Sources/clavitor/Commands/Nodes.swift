import ArgumentParser
import Console
import Wire

struct Nodes: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "List the fleet's nodes, nearest first, by the time that TCP and TLS take from here.")

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
        let sorted = measured.sorted {
            ($0.milliseconds ?? .infinity, $0.name) < ($1.milliseconds ?? .infinity, $1.name)
        }
        try workspace.show(sorted) {
            var table = Table("name", "city", "latency", "url")
            for node in sorted {
                table.add(
                    node.name, node.city, node.milliseconds.map { "\(Int($0.rounded())) ms" } ?? "no answer", node.url)
            }
            guard !table.isEmpty else { return "\(server.text) knows of no fleet." }
            guard let nearest = sorted.first, nearest.milliseconds != nil else { return table.text }
            return table.text + """

                The nearest is \(nearest.city). For a new vault: clavitor register --server \(nearest.url)
                A vault that there is stays where it is.
                """
        }
    }
}

private struct MeasuredNode: Encodable, Sendable {
    let name: String
    let city: String
    let url: String
    /// The best of three connections; nil for a node that did not answer.
    let milliseconds: Double?

    init(_ node: NodesBody.Node, trusting caFile: String?) async {
        name = node.name
        city = node.city
        url = node.url
        guard let address = ServerAddress(node.url) else {
            milliseconds = nil
            return
        }
        var best: Duration?
        for _ in 0..<3 {
            guard let time = await Handshake.time(to: address, trusting: caFile) else { break }
            best = min(best ?? time, time)
        }
        milliseconds = best.map { $0 / .milliseconds(1) }
    }
}
