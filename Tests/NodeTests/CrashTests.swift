import AsyncHTTPClient
import Foundation
import Testing
import Wire

@Suite(.timeLimit(.minutes(15))) struct CrashTests {
    /// Writers write as fast as they can; the node is killed; whatever it acknowledged must be there.
    @Test func killedAtAnyInstantTheNodeLosesNothingThatItAcknowledged() async throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let node = try ServedNode(in: scratch)
        defer { node.stop() }
        var acknowledged: Set<String> = []
        var token: String?
        for round in 0..<4 {
            let live = LiveNode.Remote(url: node.url, certificate: node.certificate)
            let client = live.client()
            if token == nil { token = try await live.register(client) }
            let writers = try #require(token)
            let (acknowledgements, said) = AsyncStream<String>.makeStream()
            let ids = await withTaskGroup(of: Void.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        while let id = try? await live.create(client, token: writers) { said.yield(id) }
                    }
                }
                var ids: [String] = []
                var iterator = acknowledgements.makeAsyncIterator()
                // Later in each round, so that checkpoints too are interrupted at different points.
                while ids.count < 40 * (round + 1), let id = await iterator.next() { ids.append(id) }
                node.kill()
                await group.waitForAll()
                said.finish()
                while let id = await iterator.next() { ids.append(id) }
                return ids
            }
            try await client.shutdown()
            acknowledged.formUnion(ids)
            try node.restart()
        }
        let live = LiveNode.Remote(url: node.url, certificate: node.certificate)
        let client = live.client()
        let present = try await live.entries(client, token: try #require(token))
        try await client.shutdown()
        #expect(acknowledged.subtracting(present).isEmpty)
        node.stop()
        let verified = try Program(name: "clavitor-node").run(["audit", "verify", "--data", node.data])
        #expect(verified.status == 0, "\(verified.output)")
    }
}
