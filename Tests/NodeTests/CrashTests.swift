import AsyncHTTPClient
import Foundation
import TestSupport
import Testing
import Wire

@Suite(.timeLimit(.minutes(15))) struct CrashTests {
    /// The node is killed during concurrent writes; every acknowledged write must be present.
    @Test func aKilledNodeLosesNoAcknowledgedWrite() async throws {
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

    /// The first start is killed as soon as a file exists; the next start completes it.
    @Test(arguments: ["lock", "root.key.new", "root.key", "clavitor.db.new", "clavitor.db.new-wal", "clavitor.db"])
    func aFirstStartThatIsCutOffIsBegunAnew(_ name: String) async throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let file = scratch.file("data/\(name)")
        let first = try Program(name: "clavitor-node").start(
            ["serve", "--dev", "--data", scratch.file("data"), "--https", "127.0.0.1:0"])
        // Some files are there for less than a moment: then it is killed a little later.
        while first.isRunning, !FileManager.default.fileExists(atPath: file),
            !FileManager.default.fileExists(atPath: scratch.file("data/clavitor.db"))
        {
            await Task.yield()
        }
        first.kill()
        let node = try ServedNode(in: scratch)
        node.stop()
        #expect(try Program(name: "clavitor-node").run(["doctor", "--data", node.data]).status == 0)
        #expect(try FileManager.default.contentsOfDirectory(atPath: node.data).filter { $0.contains(".new") } == [])
    }
}
