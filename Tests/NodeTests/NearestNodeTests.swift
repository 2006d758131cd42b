import Foundation
import TestSupport
import Testing
import Wire

/// New users are directed to the nearest node; existing vaults stay.
@Suite(.timeLimit(.minutes(5))) struct NearestNodeTests {
    @Test func theNearestNodeIsRecommendedAndVaultsStay() throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let node = try ServedNode(in: scratch)
        defer { node.stop() }
        node.stop()
        // Nobody serves on the other one's port.
        let fleet = NodesBody(nodes: [
            .init(name: "far", city: "Far", url: "https://localhost:1", latitude: 0, longitude: 0),
            .init(name: "near", city: "Near", url: node.url, latitude: 1, longitude: 1),
        ])
        let list = try scratch.write(String(decoding: try JSONEncoder().encode(fleet), as: UTF8.self), to: "nodes.json")
        try node.restart(arguments: ["--nodes", list])

        let me = node.person(scratch, "me")
        let place = ["--server", node.url, "--ca-file", node.certificate]
        let nodes = try me.run(["nodes"] + place)
        #expect(nodes.status == 0, "\(nodes.errors)")
        let lines = nodes.output.split(separator: "\n")
        let near = try #require(lines.firstIndex { $0.contains("near") && $0.contains(" ms") })
        let far = try #require(lines.firstIndex { $0.contains("far") && $0.contains("no answer") })
        #expect(near < far)
        #expect(nodes.output.contains("clavitor register --server \(node.url)"))

        let password = try scratch.write("tulip-anvil-orbit-mango", to: "password")
        let registered = try me.run(
            ["register", "--email", "me@example.com", "--password-file", password] + place)
        #expect(registered.status == 0, "\(registered.errors)")
        node.stop()
        let gone = try me.run(["ls"])
        #expect(gone.status == 7)
        #expect(gone.errors.contains("Your vault is on this node and on no other"), "\(gone.errors)")
    }
}
