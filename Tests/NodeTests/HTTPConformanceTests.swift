import Foundation
import Testing
import Wire

/// Methods, `Host`, chunked encoding and media types of HTTP.
@Suite(.timeLimit(.minutes(15))) struct HTTPConformanceTests {
    struct Method: CustomTestStringConvertible, Sendable {
        let method: String
        let path: String
        let status: Int
        var allow: String?
        var testDescription: String { "\(method) \(path)" }
    }

    @Test(arguments: [
        Method(method: "PUT", path: "/livez", status: 405, allow: "GET, HEAD"),
        Method(method: "POST", path: "/openapi.json", status: 405, allow: "GET, HEAD"),
        Method(method: "DELETE", path: "/api/v1/entries", status: 405, allow: "GET, HEAD, POST"),
        Method(method: "GET", path: "/api/v1/entries/search", status: 405, allow: "POST"),
        Method(method: "POST", path: "/api/v1/entries/AAAA", status: 405, allow: "DELETE, GET, HEAD, PATCH, PUT"),
        Method(method: "OPTIONS", path: "/api/v1/sessions", status: 405, allow: "GET, HEAD, POST"),
        Method(method: "PATCH", path: "/api/v1/account/totp", status: 405, allow: "DELETE, POST"),
        Method(method: "GET", path: "/nothing", status: 404),
        Method(method: "GET", path: "/api/v1/entries/a/b/c/d/e", status: 404),
        Method(method: "HEAD", path: "/livez", status: 200),
        Method(method: "HEAD", path: "/openapi.json", status: 200),
        Method(method: "HEAD", path: "/api/v1/entries", status: 401),
        Method(method: "HEAD", path: "/nothing", status: 404),
    ])
    func methods(_ example: Method) async throws {
        for http2 in [false, true] {
            try await LiveNode.with(http2: http2) { live in
                let answer = try await live.send(example.method, example.path)
                #expect(answer.status == example.status)
                #expect(answer.headers["allow"] == example.allow)
                #expect(answer.headers["content-security-policy"] != nil)
                if example.method == "HEAD" {
                    #expect(answer.body.isEmpty)
                    let whole = try await live.send("GET", example.path)
                    #expect(answer.headers["content-type"] == whole.headers["content-type"])
                }
            }
        }
    }

    struct Raw: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let text: String
        let status: String
    }

    private static let close = "Connection: close\r\n"
    private static func chunked(_ chunks: String) -> String {
        "POST /api/v1/accounts/prelogin HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n\(chunks)"
    }

    @Test(arguments: [
        Raw(testDescription: "one Host", text: "GET /livez HTTP/1.1\r\nHost: x\r\n\(close)\r\n", status: "200"),
        Raw(testDescription: "no Host", text: "GET /livez HTTP/1.1\r\n\(close)\r\n", status: "400"),
        Raw(testDescription: "an empty Host", text: "GET /livez HTTP/1.1\r\nHost:\r\n\(close)\r\n", status: "400"),
        Raw(
            testDescription: "two Hosts", text: "GET /livez HTTP/1.1\r\nHost: x\r\nHost: y\r\n\(close)\r\n",
            status: "400"),
        Raw(
            testDescription: "the same Host twice", text: "GET /livez HTTP/1.1\r\nHost: x\r\nHost: x\r\n\(close)\r\n",
            status: "400"),
        Raw(testDescription: "a chunk size that is no number", text: chunked("zz\r\n{}\r\n0\r\n\r\n"), status: "400"),
        Raw(testDescription: "a chunk size that is negative", text: chunked("-1\r\n{}\r\n0\r\n\r\n"), status: "400"),
        Raw(
            testDescription: "a chunk size beyond 64 bits", text: chunked("fffffffffffffffff\r\n{}\r\n"), status: "400"),
        Raw(testDescription: "a chunk longer than it says", text: chunked("1\r\n{}{}{}\r\n0\r\n\r\n"), status: "400"),
        Raw(testDescription: "no line end after a chunk", text: chunked("2\r\n{}xx0\r\n\r\n"), status: "400"),
    ])
    func malformedRequestsAreRejected(_ example: Raw) async throws {
        try await LiveNode.with { live in
            let answer = try await LoadTests.Connection(live, saying: example.text).untilClosed()
            #expect(answer.hasPrefix("HTTP/1.1 \(example.status) "), "\(answer.prefix(300))")
            #expect(answer.components(separatedBy: "HTTP/1.1 ").count == 2, "one answer: \(answer)")
            if example.status == "400" { #expect(answer.contains("application/problem+json"), "\(answer)") }
        }
    }

    @Test(arguments: [
        ("application/json", 201), ("application/json; charset=utf-8", 201), ("APPLICATION/JSON", 201),
        ("text/plain", 415), ("application/x-www-form-urlencoded", 415), ("application/jsonp", 415), ("", 415),
        ("multipart/form-data; boundary=application/json", 415),
    ])
    func contentTypes(_ type: String, _ status: Int) async throws {
        try await LiveNode.with { live in
            let person = try await Person.register(live)
            let answer = try await live.send(
                "POST", "/api/v1/entries", token: person.token, headers: ["content-type": type],
                json: EntryWriteBody(title: "x", type: "note"))
            #expect(answer.status == status)
        }
    }
}
