import Fleet
import Foundation
import Monitor
import Testing

/// The SOC's tool describes for itself what it reads of the monitor. Here it reads a real one.
@Suite(.timeLimit(.minutes(5))) struct FleetClientTests {
    @Test func theToolReadsWhatTheMonitorWrites() async throws {
        try await ServedFace.with(["tokyo", "dallas", "sydney"]) { face in
            try await face.push("dallas")
            for number in Int64(1)...8 {
                try await face.push("tokyo", seq: number)
                await face.wait(20)
            }
            try await HTTPSExchange.connected(addresses: [:], caFile: face.certificate) { exchange in
                let client = MonitorClient(name: "localhost:\(face.port)", token: face.token, exchange: exchange)
                let lease = try await client.openLease(nodes: ["tokyo"], reason: "a test", minutes: 5)
                let (read, real) = (try await client.fleet(), face.api.watch.fleet())
                #expect(read.nodes.map(\.name) == real.nodes.map(\.name))
                #expect(read.nodes.map(\.state) == real.nodes.map(\.state.rawValue))
                #expect(read.nodes.map(\.lastBeat) == real.nodes.map(\.lastBeat))
                #expect(read.node("tokyo")?.body == real.nodes.first { $0.name == "tokyo" }?.body)
                #expect(read.incidents.map(\.key) == real.incidents.map(\.key))
                #expect(read.incidents.map(\.severity) == real.incidents.map(\.severity.rawValue))
                #expect(!read.incidents.isEmpty)
                #expect(read.timing.sev2 == real.timing.sev2)
                #expect((read.now, read.doubtful) == (real.now, real.doubtful))
                #expect(read.leases == [lease])
                try await client.closeLease(lease.id)
                try await client.closeLease(lease.id)
                #expect(try await client.fleet().leases.isEmpty)
            }
        }
    }
}
