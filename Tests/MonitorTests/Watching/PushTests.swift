import Foundation
import Monitor
import Testing
import Wire

/// Parsing of pushes.
@Suite struct PushTests {
    static let body = try! JSONEncoder().encode(Heartbeat.healthy("tokyo", at: 1_800_000_000))

    private static func beat(_ change: (inout Heartbeat) -> Void) throws -> [UInt8] {
        var body = Heartbeat.healthy("tokyo", at: 1_800_000_000)
        change(&body)
        return Array(try JSONEncoder().encode(body))
    }

    @Test func aMinimalHeartbeatIsAccepted() throws {
        let text = """
            {"node":"tokyo","ts":1709312400,"ram_mb":142,"ram_pct":27.7,"disk_mb":3200,"disk_pct":31.2,"cpu_pct":2.1,
             "db_size_mb":12,"db_integrity":"ok","active_sessions":3,"req_1h":847,"err_1h":2,"cert_days_remaining":62,
             "nix_gen":2,"uptime_s":864000}
            """
        let reading = try Push.read(status: "up", msg: "OK", ping: "12", body: Array(text.utf8), of: "tokyo")
        let beat = reading.beat
        #expect(reading.parseError == nil)
        #expect(beat.ping == 12 && beat.healthProblem == nil)
        #expect(beat.body?.ramPct == 27.7 && beat.body?.certDaysRemaining == 62 && beat.body?.uptimeS == 864_000)
    }

    struct Query: CustomTestStringConvertible {
        var testDescription: String { "\(status ?? "-") \(msg ?? "-") \(ping ?? "-")" }
        var status: String?
        var msg: String?
        var ping: String?
        var expected: Beat
    }

    /// As Uptime Kuma parses them.
    @Test(arguments: [
        Query(status: nil, msg: nil, ping: nil, expected: Beat()),
        Query(status: "up", msg: "OK", ping: "", expected: Beat()),
        Query(status: "up", msg: "OK", ping: "1.5", expected: Beat(ping: 1.5)),
        Query(status: "down", msg: nil, ping: nil, expected: Beat(healthProblem: "down")),
        Query(status: "nonsense", msg: "why", ping: "0", expected: Beat(healthProblem: "why", ping: 0)),
    ])
    func theQueryIsReadAsUptimeKumaReadsIt(_ query: Query) throws {
        let reading = try Push.read(status: query.status, msg: query.msg, ping: query.ping, body: [], of: "tokyo")
        #expect(reading == .init(beat: query.expected))
    }

    /// It is still a sign of life, and the error is shown.
    @Test(arguments: ["-1", "x", "1e12", "nan", "inf", "12,7", "23ms", " ", "0x1p3000", "-0.1"])
    func anInvalidPingIsIgnored(_ ping: String) throws {
        let reading = try Push.read(status: nil, msg: nil, ping: ping, body: [], of: "tokyo")
        #expect(reading.beat == Beat())
        #expect(reading.parseError?.contains("milliseconds") == true)
    }

    struct Bad: CustomTestStringConvertible {
        var testDescription: String
        var change: @Sendable (inout Heartbeat) -> Void
        var message: String
    }

    @Test(arguments: [
        Bad(
            testDescription: "a memory usage above 100 %", change: { $0.ramPct = 130 },
            message: "ram_pct must be between 0 and 100."),
        Bad(
            testDescription: "a negative disk usage", change: { $0.diskPct = -1 },
            message: "disk_pct must be between 0 and 100."),
        Bad(testDescription: "a huge file", change: { $0.dbSizeMB = 1e300 }, message: "db_size_mb is out of range."),
        Bad(testDescription: "negative requests", change: { $0.req1h = -5 }, message: "req_1h is out of range."),
        Bad(testDescription: "a negative sequence", change: { $0.seq = -1 }, message: "seq is out of range."),
        Bad(testDescription: "milliseconds", change: { $0.ts *= 1_000 }, message: "ts must be Unix time in seconds."),
        Bad(
            testDescription: "a very long text", change: { $0.certError = String(repeating: "x", count: 2_000) },
            message: "A text must have at most 1,000 bytes."),
        Bad(
            testDescription: "a certificate without expiry", change: { $0.certDaysRemaining = 1e9 },
            message: "cert_days_remaining is out of range."),
    ])
    func impossibleValuesAreIgnoredAndReported(_ bad: Bad) throws {
        let reading = try Push.read(status: "down", msg: "x", ping: "7", body: try Self.beat(bad.change), of: "tokyo")
        #expect(reading == .init(beat: Beat(healthProblem: "x", ping: 7), parseError: bad.message))
    }

    /// The token was copied to another node.
    @Test func anotherNodesHeartbeatIsRejected() throws {
        let body = try Self.beat { $0.node = "seoul" }
        do throws(PushRejection) {
            _ = try Push.read(status: nil, msg: nil, ping: nil, body: body, of: "tokyo")
            Issue.record("it was taken")
        } catch {
            #expect(error.status == 400 && error.text == "This token does not belong to seoul.")
        }
    }

    @Test(arguments: [
        ("[]", "it is not JSON"), ("{}", "node is missing"), ("nonsense", "it is not JSON"),
        ("\u{0}", "it is not JSON"),
        (#"{"node":7}"#, "node has the wrong type"), (#"{"node":"tokyo","ts":"now"}"#, "ts has the wrong type"),
        ("<heartbeat/>", "it is not JSON"), ("status=up&msg=OK", "it is not JSON"),
    ])
    func aBodyThatIsNoHeartbeatIsIgnoredAndReported(_ text: String, _ message: String) throws {
        let reading = try Push.read(status: nil, msg: nil, ping: "3", body: Array(text.utf8), of: "tokyo")
        #expect(reading.beat == Beat(ping: 3))
        #expect(reading.parseError?.contains(message) == true || text == "[]", "\(reading.parseError ?? "nothing")")
    }

    @Test func everyTruncationIsIgnored() throws {
        for length in 1..<Self.body.count {
            let reading = try Push.read(
                status: nil, msg: nil, ping: nil, body: Array(Self.body.prefix(length)), of: "tokyo")
            #expect(reading.beat.body == nil && reading.parseError != nil)
        }
    }

    @Test func everyMutationIsParsedOrRejected() {
        var random = RandomScheduleTests.Seeded(state: 5)
        for _ in 0..<5_000 {
            var bytes = Array(Self.body)
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            let reading = try? Push.read(status: nil, msg: nil, ping: nil, body: bytes, of: "tokyo")
            #expect(reading?.beat.body?.node ?? "tokyo" == "tokyo")
        }
    }

    @Test func tenMegabytesAreIgnored() throws {
        for body in [[UInt8](repeating: 0x20, count: 10_000_000), nil] {
            let reading = try Push.read(status: "down", msg: "why", ping: nil, body: body, of: "tokyo")
            #expect(
                reading
                    == .init(beat: Beat(healthProblem: "why"), parseError: "A heartbeat must have at most 16384 bytes.")
            )
        }
    }

    @Test func aPlannedStopIsNoHealthProblem() throws {
        let beat = try Push.read(
            status: "down", msg: "stopping", ping: nil, body: try Self.beat { $0.phase = .stopping }, of: "tokyo"
        ).beat
        #expect(beat.healthProblem == nil && beat.body?.phase == .stopping)
    }
}
