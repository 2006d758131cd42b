import AsyncHTTPClient
import Foundation
import Monitor
import NIOCore
import NIOHTTP1
import SQLite
import TestSupport
import Testing
import Wire

/// Calls every route of a monitor, and records the responses.
final class APIVisit {
    private(set) var records: [AnswerRecord] = []
    private let monitor: ServedMonitor

    init(_ monitor: ServedMonitor) { self.monitor = monitor }

    private struct Unexpected: Error { var record: AnswerRecord }

    /// `route`: Such as `GET /api/v1/nodes/{name}`, with `value` for what is in braces.
    @discardableResult
    private func ask(
        _ route: String, _ value: String = "", query: String = "", as caller: [String: String]? = nil,
        sending body: String? = nil, gives status: Int = 200
    ) async throws -> ServedMonitor.Answer {
        let parts = route.split(separator: " ").map(String.init)
        let path = parts[1].replacing(/\{\w+\}/, with: value) + query
        let answer = try await monitor.send(
            parts[0], path, headers: caller ?? ["Authorization": "Bearer \(monitor.token)"], body: body)
        let record = AnswerRecord(
            method: parts[0], path: parts[1], status: answer.status, type: answer.headers["content-type"] ?? "",
            request: answer.status < 300 ? body : nil, body: answer.body)
        records.append(record)
        guard answer.status == status else { throw Unexpected(record: record) }
        return answer
    }

    func tools() async throws {
        for path in ["/livez", "/readyz", "/badge.svg", "/api/v1/status", "/openapi.json", "/metrics"] {
            try await ask("GET \(path)")
        }
    }

    func pushes() async throws {
        let (tokyo, seoul) = (monitor.tokens["tokyo"]?.text ?? "", monitor.tokens["seoul"]?.text ?? "")
        let route = "/api/push/{token}"
        try await ask("GET \(route)", tokyo)
        try await ask("HEAD \(route)", tokyo)
        for (seq, method) in ["POST", "PUT", "PATCH"].enumerated() {
            let body = try monitor.heartbeat("tokyo", seq: Int64(seq + 1))
            try await ask("\(method) \(route)", tokyo, query: "?status=down&msg=ill&ping=12.5", sending: body)
        }
        try await ask("POST \(route)", seoul, sending: try monitor.heartbeat("seoul"))
        try await ask("POST \(route)", seoul, sending: try monitor.heartbeat("seoul"), gives: 409)
        try await ask("POST \(route)", seoul, sending: try monitor.heartbeat("tokyo"), gives: 400)
        try await ask("GET \(route)", "nobody", gives: 404)
        for _ in 0..<17 { try await ask("GET \(route)", seoul) }
        try await ask("GET \(route)", seoul, gives: 429)
        try await ask("GET /api/v1/status")
    }

    func sessions() async throws {
        let password = "five words make a password"
        try await monitor.api.operators.set("anna", password: password)
        try await ask("POST /api/v1/login", sending: #"{"name":"anna"}"#, gives: 400)
        let right = #"{"name":"anna","password":"\#(password)"}"#
        let wrong = #"{"name":"anna","password":"x"}"#
        let answer = try await ask("POST /api/v1/login", as: [:], sending: right)
        struct Session: Decodable { var csrf: String }
        let csrf = try JSONDecoder().decode(Session.self, from: Data(answer.body.utf8)).csrf
        let cookie = String((answer.headers["set-cookie"] ?? "").prefix { $0 != ";" })
        try await ask("GET /api/v1/session", as: ["Cookie": cookie])
        try await ask("POST /api/v1/logout", as: ["Cookie": cookie], gives: 403)
        try await ask("POST /api/v1/logout", as: ["Cookie": cookie, "X-CSRF-Token": csrf], gives: 204)
        for _ in 0..<5 { try await ask("POST /api/v1/login", as: [:], sending: wrong, gives: 401) }
        try await ask("POST /api/v1/login", as: [:], sending: wrong, gives: 429)
    }

    /// With an open event stream, which receives a node's silence and a truncated audit chain.
    func fleet() async throws {
        let request = monitor.request("GET", "/api/v1/events", ["Authorization": "Bearer \(monitor.token)"], nil)
        let response = try await monitor.client.execute(request, timeout: .seconds(120))
        var news = response.body.makeAsyncIterator()
        var text = String(buffer: try await news.next() ?? ByteBuffer())
        for seq in 4...8 {
            await monitor.wait(30)
            try await monitor.push("tokyo", seq: Int64(seq)) { ($0.auditSeq, $0.auditHead) = (499, "older") }
        }
        await monitor.wait(2)
        while !text.contains("event: incidents\n") || !text.contains("event: nodes\n") {
            guard let piece = try await news.next() else { break }
            text += String(buffer: piece)
        }
        records.append(
            AnswerRecord(
                method: "GET", path: "/api/v1/events", status: Int(response.status.code),
                type: response.headers.first(name: "content-type"), body: text))
        for event in text.matches(of: /event: (nodes|incidents)\ndata: (.*)\n\n/) {
            let schema = event.1 == "nodes" ? "NodesEvent" : "IncidentsEvent"
            records.append(AnswerRecord(schema: schema, body: String(event.2)))
        }
        // The problem with the last push is shown as well.
        try await ask("POST /api/push/{token}", monitor.tokens["tokyo"]?.text ?? "", sending: "{}")
        try await ask("GET /api/v1/fleet")
        try await ask("GET /api/v1/nodes/{name}", "tokyo")
        try await ask("GET /api/v1/nodes/{name}/history", "tokyo")
        try await ask("GET /api/v1/nodes/{name}/history", "tokyo", query: "?days=30")
    }

    func incidents() async throws {
        try await ask("GET /api/v1/incidents", query: "?before=1000")
        struct List: Decodable { var incidents: [Incident] }
        let answer = try await ask("GET /api/v1/incidents")
        let incidents = try JSONDecoder().decode(List.self, from: Data(answer.body.utf8)).incidents
        let silent = try #require(incidents.first { $0.key == "seoul/silent" })
        let chain = try #require(incidents.first { $0.key == "tokyo/audit-chain" })
        let route = "POST /api/v1/incidents/{id}"
        try await ask("\(route)/acknowledge", "\(silent.id)", sending: #"{"note":"on it"}"#, gives: 204)
        try await ask("\(route)/acknowledge", "\(chain.id)", sending: "{}", gives: 204)
        try await ask("\(route)/accept", "\(silent.id)", gives: 409)
        try await ask("\(route)/accept", "\(chain.id)", gives: 204)
        for incident in incidents { try await ask("GET /api/v1/incidents/{id}", "\(incident.id)") }
    }

    func channels() async throws {
        try await ask("GET /api/v1/channels", gives: 200)
        try await ask("POST /api/v1/channels/{name}/test", "mail", gives: 200)
        try await ask("POST /api/v1/channels/{name}/test", "mail", gives: 429)
        try await ask("POST /api/v1/channels/{name}/test", "nobody", gives: 404)
        try await ask("POST /api/v1/channels/{name}/test", "mail", as: [:], gives: 401)
    }

    func plannedWork() async throws {
        struct Made: Decodable { var id: Int64 }
        for (path, body) in [
            ("silences", #"{"node":"seoul","rule":"silent","reason":"known","minutes":60}"#),
            ("silences", #"{"reason":"quiet, please","minutes":1}"#),
            ("maintenance", #"{"nodes":["tokyo"],"reason":"deploy","minutes":43200}"#),
            ("maintenance", #"{"nodes":[],"reason":"all of it","minutes":1}"#),
        ] {
            let answer = try await ask("POST /api/v1/\(path)", sending: body, gives: 201)
            try await ask("GET /api/v1/fleet")
            try await ask("GET /api/v1/incidents")
            let made = try JSONDecoder().decode(Made.self, from: Data(answer.body.utf8))
            try await ask("DELETE /api/v1/\(path)/{id}", "\(made.id)", gives: 204)
        }
        let plan = #""nodes":["tokyo"],"reason":"disks","minutes":60"#
        for time in [
            #""start":"2199-01-01T02:00","zone":"UTC""#, #""start":"2026-01-01T02:00","zone":"UTC","isWeekly":true"#,
        ] {
            let answer = try await ask("POST /api/v1/plans", sending: "{\(plan),\(time)}", gives: 201)
            try await ask("GET /api/v1/fleet")
            struct View: Decodable { var plan: Made }
            let made = try JSONDecoder().decode(View.self, from: Data(answer.body.utf8))
            try await ask("DELETE /api/v1/plans/{id}", "\(made.plan.id)", gives: 204)
        }
        for time in [
            #""start":"tomorrow","zone":"UTC""#, #""start":"2026-01-01T02:00","zone":"UTC""#,
            #""start":"2199-01-01T02:00","zone":"Mars/Olympus""#, #""start":"2199-01-01T02:00""#,
        ] {
            try await ask("POST /api/v1/plans", sending: "{\(plan),\(time)}", gives: 400)
        }
    }

    func rejections() async throws {
        for path in ["session", "fleet", "nodes/{name}", "nodes/{name}/history", "events", "incidents"] {
            try await ask("GET /api/v1/\(path)", "tokyo", as: [:], gives: 401)
        }
        try await ask("GET /metrics", as: [:], gives: 401)
        try await ask("POST /api/v1/silences", as: [:], sending: "{}", gives: 401)
        try await ask("DELETE /api/v1/maintenance/{id}", "1", as: [:], gives: 401)
        try await ask("GET /api/v1/nodes/{name}", "nobody", gives: 404)
        try await ask("GET /api/v1/nodes/{name}/history", "tokyo", query: "?days=0", gives: 400)
        for id in ["999", "x"] {
            try await ask("GET /api/v1/incidents/{id}", id, gives: 404)
            try await ask("POST /api/v1/incidents/{id}/acknowledge", id, sending: "{}", gives: 404)
            try await ask("POST /api/v1/incidents/{id}/accept", id, gives: 404)
        }
        try await ask("DELETE /api/v1/silences/{id}", "x", gives: 404)
        for body in ["nonsense", #"{"minutes":1}"#, #"{"reason":"","minutes":1}"#] {
            try await ask("POST /api/v1/silences", sending: body, gives: 400)
        }
        for body in [
            #"{"nodes":["nobody"],"reason":"r","minutes":1}"#, #"{"nodes":[],"reason":"r","minutes":43201}"#,
        ] {
            try await ask("POST /api/v1/maintenance", sending: body, gives: 400)
        }
        try await ask("POST /api/v1/maintenance", sending: String(repeating: " ", count: 70_000), gives: 413)
    }

    func aFailingStore() async throws {
        try await monitor.store.database.maintain { db in
            try db.script("CREATE TRIGGER beats BEFORE INSERT ON beat BEGIN SELECT RAISE(ABORT, 'disk full'); END")
            try db.script("CREATE TRIGGER news BEFORE INSERT ON incident BEGIN SELECT RAISE(ABORT, 'disk full'); END")
        }
        try await ask("POST /api/push/{token}", monitor.tokens["seoul"]?.text ?? "", sending: "", gives: 503)
        await monitor.wait(400)
        try await ask("GET /readyz", gives: 503)
        try await ask("GET /metrics")
    }
}
