import AsyncHTTPClient
import Foundation
import Monitor
import NIOCore
import Testing

/// What a session permits, and for how long.
@Suite(.timeLimit(.minutes(5))) struct SessionTests {
    @Test func anOpenStreamEndsWithItsToken() async throws {
        try await ServedMonitor.with { monitor in
            let operators = monitor.api.operators
            let token = try await operators.makeToken(for: "soc", purpose: "a page")
            let request = monitor.request("GET", "/api/v1/events", ["Authorization": "Bearer \(token)"], nil)
            let response = try await monitor.client.execute(request, timeout: .seconds(120))
            var pieces = response.body.makeAsyncIterator()
            try await monitor.push("tokyo")
            await monitor.api.watch.tick()
            var before = ""
            while !before.contains("tokyo"), let piece = try await pieces.next() { before += String(buffer: piece) }
            #expect(before.contains("tokyo"))
            let id = try #require(try await operators.tokens().first { $0.purpose == "a page" }?.id)
            try await operators.endToken(id)
            monitor.clock.advance(20)
            try await monitor.push("tokyo", seq: 2)
            await monitor.api.watch.tick()
            var after = ""
            while let piece = try await pieces.next() { after += String(buffer: piece) }
            #expect(!after.contains("tokyo"))
        }
    }

    /// A browser that ever opened a push URL learns HSTS.
    @Test(arguments: ["GET", "POST", "HEAD"]) func pushResponsesRequireHTTPS(_ method: String) async throws {
        try await ServedMonitor.with { monitor in
            let answer = try await monitor.send(method, "/api/push/nobody")
            #expect(answer.headers["strict-transport-security"] == "max-age=31536000", "\(answer.status)")
        }
    }

    @Test(arguments: ["/livez", "/readyz", "/", "/badge.svg", "/openapi.json", "/api/v1/fleet", "/metrics"])
    func headIsLikeGetWithoutABody(_ path: String) async throws {
        try await ServedMonitor.with { monitor in
            let headers = ["Authorization": "Bearer \(monitor.token)"]
            let (get, head) = (
                try await monitor.send("GET", path, headers: headers),
                try await monitor.send("HEAD", path, headers: headers)
            )
            #expect(get.status == 200 && head.status == 200)
            #expect(head.headers["content-type"] == get.headers["content-type"])
            #expect(head.body.isEmpty && !get.body.isEmpty)
            // No body is left over for the next response on the connection.
            #expect(try await monitor.send("GET", "/livez").body == "ok\n")
        }
    }
}
