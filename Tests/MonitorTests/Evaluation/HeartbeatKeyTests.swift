import Crypto
import Encoding
import Foundation
import Monitor
import Testing
import Wire

/// The key that signs a node's heartbeats: the first one counts.
@Suite struct HeartbeatKeyTests {
    private var fleet = EvaluatedFleet()

    @discardableResult
    private mutating func beat(_ key: String?, body: Bool = true) -> FleetEvaluator.Reception {
        fleet.sequences["tokyo", default: 0] += 1
        var heartbeat = Heartbeat.healthy("tokyo", at: fleet.now.wall / 1_000)
        (heartbeat.bootID, heartbeat.seq) = ("boot", fleet.sequences["tokyo"])
        let beat = Beat(body: body ? heartbeat : nil, key: key)
        let (reception, changes) = fleet.evaluator.receive(beat, from: "tokyo", at: fleet.now)
        fleet.changes += changes
        return reception
    }

    private mutating func beats(_ key: String?, for seconds: Int) {
        for _ in 0..<(seconds / 30) {
            beat(key)
            fleet.wait(30)
        }
    }

    private var open: Set<String> { Set(fleet.evaluator.incidents.open.keys) }

    @Test(arguments: [nil, "other"], [true, false]) mutating func anotherKeyIsRefusedAndReported(
        _ key: String?, _ hasBody: Bool
    ) {
        beats("own", for: 120)
        #expect(open == [])
        #expect(beat(key, body: hasBody) == .otherKey)
        #expect(open == ["tokyo/heartbeat-key"])
        // Neither the node's own heartbeats nor a restart of the monitor end it.
        #expect(beat("own") == .accepted)
        fleet.restart()
        beats("own", for: 120)
        #expect(beat(key, body: hasBody) == .otherKey)
        #expect(open == ["tokyo/heartbeat-key"])
    }

    @Test mutating func forgedHeartbeatsAreNoSignOfLife() {
        beats("own", for: 120)
        beats(nil, for: 600)
        #expect(open == ["tokyo/heartbeat-key", "tokyo/silent"])
    }

    @Test mutating func anAcceptedIncidentTakesTheNextKey() throws {
        beats("own", for: 120)
        beat("new")
        let incident = try #require(fleet.evaluator.incidents.open["tokyo/heartbeat-key"]?.incident.id)
        fleet.changes += try fleet.evaluator.accept(incident, at: fleet.now)
        beats("new", for: 120)
        #expect(open == [])
        #expect(beat("own") == .otherKey)
    }

    /// Clients that speak only Uptime Kuma's protocol, and nodes before their first signed heartbeat.
    @Test mutating func withoutAKeyNothingChanges() {
        beats(nil, for: 120)
        #expect(open == [])
        beats("own", for: 60)
        #expect(open == [])
        #expect(beat(nil) == .otherKey)
    }

    @Test mutating func duringMaintenanceItIsReportedAfterwards() {
        beats("own", for: 120)
        fleet.changes += fleet.evaluator.add(
            MaintenanceWindow(id: 1, nodes: ["tokyo"], by: "soc", reason: "deploy", until: fleet.now.wall + 60_000),
            at: fleet.now)
        #expect(beat(nil) == .otherKey)
        #expect(open == [])
        beats("own", for: 120)
        #expect(open == ["tokyo/heartbeat-key"])
    }

    // MARK: Signatures

    private static let key = Curve25519.Signing.PrivateKey()

    private static func signed(_ change: (inout Heartbeat) -> Void = { _ in }) throws -> (
        body: [UInt8], signature: String
    ) {
        var beat = Heartbeat.healthy("tokyo", at: 1_800_000_000)
        beat.key = Base64URL.encode(Array(key.publicKey.rawRepresentation))
        change(&beat)
        let body = Array(try JSONEncoder().encode(beat))
        let signature = try key.signature(for: HeartbeatSignature.message(body))
        return (body, Base64URL.encode(Array(signature)))
    }

    private func read(_ body: [UInt8], _ signature: String?) throws -> Beat {
        try Push.read(status: nil, msg: nil, ping: nil, body: body, signature: signature, of: "tokyo").beat
    }

    @Test func aSignatureIsVerified() throws {
        let (body, signature) = try Self.signed()
        #expect(try read(body, signature).key == Base64URL.encode(Array(Self.key.publicKey.rawRepresentation)))
        let others = [nil, "", "x", String(signature.dropLast()), try Self.signed { $0.seq = 2 }.signature]
        for other in others {
            #expect(throws: PushRejection.badSignature) { try read(body, other) }
        }
        #expect(throws: PushRejection.badSignature) { try read(body + [0x20], signature) }
        let (unnamed, its) = try Self.signed { $0.key = nil }
        #expect(try read(unnamed, its).key == nil)
        for key in ["", "AAAA", String(repeating: "A", count: 43)] {
            let (body, signature) = try Self.signed { $0.key = key }
            #expect(throws: PushRejection.badSignature) { try read(body, signature) }
        }
    }
}
