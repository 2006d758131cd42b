import Foundation
import NIOHTTP1
import TestSupport
import Testing
import Wire

/// Nodes and a monitor as real processes, with time ten times faster.
@Suite(.timeLimit(.minutes(15))) struct MonitoredNodeTests {
    private static func arguments(_ monitor: ServedMonitor, _ name: String) throws -> [String] {
        [
            "--node-name", name, "--push-url-file", try monitor.addNode(name), "--push-ca-file", monitor.certificate,
            "--push-every", "3s",
        ]
    }

    @Test func aKilledNodeIsASEV2ThenASEV1AndRecovers() async throws {
        let monitor = try await ServedMonitor()
        let scratch = try Scratch()
        defer { scratch.remove() }
        let arguments = try Self.arguments(monitor, "tokyo")
        let node = try ServedNode(in: scratch, arguments: arguments)
        defer { node.kill() }
        let isUp = try await monitor.sees { $0.nodes.first?.state == "up" && ($0.nodes.first?.body?.seq ?? 0) > 3 }
        let body = try #require(try await monitor.fleet().nodes.first?.body)
        #expect(isUp)
        #expect(body.node == "tokyo" && body.dbIntegrity == "ok" && body.readOnly == false && body.auditHead != nil)
        #expect((body.ramMB ?? 0) > 0 && (body.diskMB ?? 0) > 0 && (body.uptimeS ?? 0) > 0 && body.dbSizeMB > 0)
        #expect((body.certDaysRemaining ?? 0) > 1)

        node.kill()
        let isSEV2 = try await monitor.sees {
            $0.incidents.contains { $0.key == "tokyo/silent" && $0.severity == "sev2" }
        }
        let first = try await monitor.fleet().incidents.first?.id
        // The monitor dies as well, and goes on where it was.
        try await monitor.kill9AndStartAgain()
        let isSEV1 = try await monitor.sees {
            $0.incidents.contains { $0.key == "tokyo/silent" && $0.severity == "sev1" }
        }
        let second = try await monitor.fleet().incidents.first?.id
        #expect(isSEV2 && isSEV1)
        #expect(first == second)

        try node.restart(arguments: arguments)
        let isOver = try await monitor.sees { $0.incidents.isEmpty && $0.nodes.first?.state == "up" }
        #expect(isOver)
        #expect(monitor.log.ranges(of: "\"kind\":\"opened\"").count == 1, "\(monitor.log)")
    }

    /// Who has the push URL does not have the key that signs.
    @Test func aHeartbeatThatTheNodeDidNotSignIsRefused() async throws {
        let monitor = try await ServedMonitor()
        let scratch = try Scratch()
        defer { scratch.remove() }
        let arguments = try Self.arguments(monitor, "tokyo")
        let node = try ServedNode(in: scratch, arguments: arguments)
        defer { node.stop() }
        _ = try await monitor.sees { ($0.nodes.first?.body?.seq ?? 0) > 1 }
        let file = try #require(arguments.firstIndex(of: "--push-url-file")).advanced(by: 1)
        let url = try String(contentsOfFile: arguments[file], encoding: .utf8).trimmingCharacters(
            in: .whitespacesAndNewlines)
        let forged = try await monitor.send(.GET, url + "?status=up")
        #expect(forged.status == 403)
        let isSeen = try await monitor.sees { fleet in
            fleet.incidents.contains { $0.key == "tokyo/heartbeat-key" && $0.severity == "sev1" }
        }
        #expect(isSeen)
        // A restart keeps the key, which follows from the node's own.
        node.stop()
        try node.restart(arguments: arguments)
        let boot = try await monitor.fleet().nodes.first?.body?.bootID
        let isBack = try await monitor.sees {
            ($0.nodes.first?.body?.bootID ?? boot) != boot && $0.nodes.first?.state == "up"
        }
        #expect(isBack)
    }

    @Test func aPlannedStopOpensNoIncident() async throws {
        let monitor = try await ServedMonitor()
        let scratch = try Scratch()
        defer { scratch.remove() }
        let node = try ServedNode(in: scratch, arguments: try Self.arguments(monitor, "tokyo"))
        let printer = try String(contentsOfFile: monitor.addNode("printer"), encoding: .utf8)
            .trimmingCharacters(in: .whitespacesAndNewlines)
        func isTokyo(_ state: String) async throws -> Bool {
            try await monitor.sees {
                $0.nodes.count == 2 && $0.nodes.contains { ($0.name, $0.state) == ("tokyo", state) }
            }
        }
        let isUp = try await isTokyo("up")
        node.stop()
        let isStopped = try await isTokyo("stopped")
        #expect(isUp && isStopped)
        // A heartbeat after the node's last one, and none after it: its incident shows that the limit has passed for both.
        #expect(try await monitor.send(.GET, printer + "?status=up").status == 200)
        _ = try await monitor.sees { !$0.incidents.isEmpty }
        let fleet = try await monitor.fleet()
        #expect(fleet.incidents.map(\.key) == ["printer/silent"])
    }

    /// The next scheduled heartbeat is up to an hour away.
    @Test func whatTakesAccessIsReportedAtOnce() async throws {
        let monitor = try await ServedMonitor()
        let scratch = try Scratch()
        defer { scratch.remove() }
        var arguments = try Self.arguments(monitor, "tokyo")
        arguments[arguments.count - 1] = "1h"
        let node = try ServedNode(in: scratch, arguments: arguments)
        defer { node.kill() }
        // Until it has read its list of nodes again, the monitor rejects the push.
        _ = try await monitor.sees { $0.nodes.count == 1 }
        // Includes a change of the password, which ends all sessions and agents.
        try await VaultUse(node).run(last: .ownersRead)
        let isReported = try await monitor.sees { ($0.nodes.first?.body?.auditSeq ?? 0) > 0 }
        #expect(isReported)
    }

    @Test func uptimeKumaPushesAreAccepted() async throws {
        let monitor = try await ServedMonitor()
        let file = try monitor.addNode("printer")
        let url = try String(contentsOfFile: file, encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines)
        _ = try await monitor.sees { $0.nodes.count == 1 }
        for method in [HTTPMethod.GET, .POST, .PUT] {
            let answer = try await monitor.send(method, url + "?status=up&msg=OK&ping=12")
            #expect(answer.status == 200)
            #expect(try answer.json(PushAnswer.self).ok)
        }
        let unauthenticated = try await monitor.send(.GET, "/api/push/nonsense?status=up")
        #expect(unauthenticated.status == 404)
        #expect(try unauthenticated.json(PushAnswer.self).ok == false)
        let huge = try await monitor.send(.POST, url, body: String(repeating: "x", count: 10_000_000))
        #expect(huge.status == 200 && huge.body.contains("at most 16384 bytes"))
        let wrong = try await monitor.send(.POST, url, body: #"{"node":"printer","ts":"soon"}"#)
        #expect(wrong.status == 200 && wrong.body.contains("ts has the wrong type"))
        let comma = try await monitor.send(.GET, url + "?status=up&ping=12,7")
        #expect(comma.status == 200 && comma.body.contains("milliseconds"))
        let other = try await monitor.send(.POST, url, body: #"<xml/>"#)
        #expect(other.status == 200 && other.body.contains("not a heartbeat"))
        let down = try await monitor.send(.GET, url + "?status=down&msg=no%20paper+left")
        #expect(down.status == 200)
        let isTold = try await monitor.sees { $0.incidents.contains { $0.key == "printer/down" } }
        #expect(isTold)
        let fleet = try await monitor.get("/api/v1/fleet").body
        #expect(fleet.contains("no paper left"))
        #expect(!monitor.log.contains(url.suffix(32)))
    }

    @Test func readingAndChangingRequireASession() async throws {
        let monitor = try await ServedMonitor()
        _ = try monitor.addNode("tokyo")
        for path in ["/api/v1/fleet", "/api/v1/nodes/tokyo", "/api/v1/incidents", "/api/v1/events", "/metrics"] {
            let answer = try await monitor.send(.GET, path)
            #expect(answer.status == 401, "\(path)")
        }
        let signIn = try await monitor.send(
            .POST, "/api/v1/login", body: #"{"name":"soc","password":"\#(ServedMonitor.password)"}"#)
        let cookie = try #require(signIn.headers.first(name: "Set-Cookie"))
        #expect(signIn.status == 200)
        #expect(["Secure", "HttpOnly", "SameSite=Strict"].allSatisfy(cookie.contains))
        struct Session: Decodable { var csrf: String }
        let csrf = try signIn.json(Session.self).csrf
        let pair = String(cookie.prefix { $0 != ";" })
        let body = #"{"nodes":["tokyo"],"reason":"deploy","minutes":10}"#
        _ = try await monitor.sees { $0.nodes.count == 1 }
        let forged = try await monitor.send(.POST, "/api/v1/maintenance", headers: ["Cookie": pair], body: body)
        #expect(forged.status == 403)
        let honest = try await monitor.send(
            .POST, "/api/v1/maintenance", headers: ["Cookie": pair, "X-CSRF-Token": csrf], body: body)
        #expect(honest.status == 201)
        #expect(try await monitor.fleet().nodes.first?.state == "maintenance")
        let out = try await monitor.send(.POST, "/api/v1/logout", headers: ["Cookie": pair, "X-CSRF-Token": csrf])
        let after = try await monitor.send(.GET, "/api/v1/fleet", headers: ["Cookie": pair])
        #expect(out.status == 204 && after.status == 401)
    }

    @Test func aReadOnlyTokenChangesNothing() async throws {
        let monitor = try await ServedMonitor()
        let token = try Program(name: "clavitor-monitor").run([
            "token", "add", "soc", "--read-only", "--data", monitor.data,
        ])
        .output.trimmingCharacters(in: .whitespacesAndNewlines)
        let bearer: HTTPHeaders = ["Authorization": "Bearer \(token)"]
        let read = try await monitor.send(.GET, "/metrics", headers: bearer)
        let change = try await monitor.send(
            .POST, "/api/v1/maintenance", headers: bearer, body: #"{"nodes":[],"reason":"none","minutes":1}"#)
        #expect(read.status == 200)
        #expect(change.status == 403 && change.body.contains("reads-only"))
    }

    @Test func aRemovedOperatorLosesAccess() async throws {
        let monitor = try await ServedMonitor()
        let program = Program(name: "clavitor-monitor")
        let before = try await monitor.get("/api/v1/fleet")
        let listed = try program.run(["operator", "list", "--data", monitor.data])
        let removed = try program.run(["operator", "remove", "soc", "--data", monitor.data])
        let again = try program.run(["operator", "remove", "soc", "--data", monitor.data])
        let after = try await monitor.get("/api/v1/fleet")
        let signIn = try await monitor.send(
            .POST, "/api/v1/login", body: #"{"name":"soc","password":"\#(ServedMonitor.password)"}"#)
        #expect(before.status == 200 && listed.output == "soc\n" && removed.status == 0)
        #expect(again.status != 0 && again.errors.contains("There is no operator soc."))
        #expect(after.status == 401 && signIn.status == 401)
    }

    @Test func failedSignInsAreRateLimited() async throws {
        let monitor = try await ServedMonitor()
        var statuses: [Int] = []
        for turn in 0..<7 {
            let answer = try await monitor.send(
                .POST, "/api/v1/login", body: #"{"name":"soc","password":"guess number \#(turn)"}"#)
            statuses.append(answer.status)
        }
        #expect(statuses == [401, 401, 401, 401, 401, 429, 429])
    }

    /// Parallel attempts are limited like sequential ones.
    @Test func parallelFailedSignInsAreRateLimited() async throws {
        let monitor = try await ServedMonitor()
        let unauthenticated = Visitor(monitor)
        let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
            for turn in 0..<25 {
                group.addTask {
                    try await unauthenticated.post(
                        "/api/v1/login", #"{"name":"soc","password":"guess number \#(turn)"}"#)
                }
            }
            return try await group.reduce(into: [Int: Int]()) { $0[$1, default: 0] += 1 }
        }
        #expect(statuses == [401: 5, 429: 20])
    }

    @Test func unauthenticatedClientsLearnNoNames() async throws {
        let monitor = try await ServedMonitor(hurry: 1)
        let url = try String(contentsOfFile: monitor.addNode("tokyo"), encoding: .utf8)
            .trimmingCharacters(in: .whitespacesAndNewlines)
        _ = try await monitor.sees { $0.nodes.count == 1 }
        _ = try await monitor.send(.GET, url)
        for path in ["/api/v1/status", "/badge.svg", "/status", "/livez"] {
            let answer = try await monitor.send(.GET, path)
            #expect(answer.status == 200)
            #expect(!answer.body.contains("tokyo"), "\(path)")
        }
        let status = try await monitor.send(.GET, "/api/v1/status")
        #expect(status.body.contains("\"asia\"") && status.body.contains("\"up\""))
    }

    @Test func checkExitsAsNagiosPluginsDo() async throws {
        let monitor = try await ServedMonitor()
        let url = try String(contentsOfFile: monitor.addNode("tokyo"), encoding: .utf8)
            .trimmingCharacters(in: .whitespacesAndNewlines)
        func check(_ port: Int) throws -> Program.Result {
            try Program(name: "clavitor-monitor").run([
                "check", "--url", "https://localhost:\(port)", "--token-file", monitor.scratch.file("token"),
                "--ca-file",
                monitor.certificate,
            ])
        }
        #expect(try check(monitor.port).status == 1, "a monitor without nodes, whose evaluation is paused, is not OK")
        _ = try await monitor.sees { $0.nodes.count == 1 }
        _ = try await monitor.send(.GET, url + "?status=up")
        var well = try check(monitor.port)
        try await eventually("evaluation begins", every: .milliseconds(200)) {
            well = try check(monitor.port)
            return !well.output.contains("evaluation is paused")
        }
        #expect(well.status == 0 && well.output.hasPrefix("OK"), "\(well.output)\(well.errors)")
        let first = well.output.split(separator: "\n").first ?? ""
        #expect(first == "OK - 1 of 1 nodes up | up=1;;;0;1 warning=0;;;0 sev2=0;;;0 sev1=0;;;0")
        _ = try await monitor.send(.GET, url + "?status=down&msg=why%7Cnot=1")
        _ = try await monitor.sees { !$0.incidents.isEmpty }
        let ill = try check(monitor.port)
        #expect(ill.status == 2)
        let line = ill.output.split(separator: "\n").first ?? ""
        #expect(
            line.hasPrefix("CRITICAL - 1 of 1 nodes up; SEV2 tokyo reports that it is down | up=1;;;0;1 "), "\(line)")
        #expect(ill.output.contains("why¦not=1") && ill.output.count { $0 == "|" } == 1)
        let gone = try check(1)
        #expect(gone.status == 3)
        #expect(gone.output == "UNKNOWN - https://localhost:1 cannot be reached: Connection refused\n")
        // Nothing of a library's own words, which hold the paths that it was built at.
        let unauthenticated = try Program(name: "clavitor-monitor").run([
            "check", "--url", "https://localhost:\(monitor.port)", "--token-file", monitor.scratch.file("token"),
        ])
        #expect(
            unauthenticated.output
                == "UNKNOWN - https://localhost:\(monitor.port) cannot be reached: its certificate is not trusted\n")
    }
}
