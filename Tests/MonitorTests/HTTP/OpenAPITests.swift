import Foundation
import Hummingbird
import Monitor
import SQLite
import TestSupport
import Testing
import WebAssets
import Wire

/// Compares the OpenAPI document with the actual routes and responses.
@Suite(.timeLimit(.minutes(5))) struct OpenAPITests {
    private static let file = Project.folder.appending(path: "Sources/CMonitorAssets/web/openapi.json")

    private struct Document: Decodable {
        struct Operation: Decodable { var operationId: String }
        var paths: [String: [String: Operation]]

        init() throws {
            let object = try JSONSerialization.jsonObject(with: Data(contentsOf: OpenAPITests.file))
            var document = try #require(object as? [String: Any])
            // A path also has the parameters shared by its operations.
            let paths = try #require(document["paths"] as? [String: [String: Any]])
            document["paths"] = paths.mapValues { $0.filter { $0.key != "parameters" } }
            self = try JSONDecoder().decode(
                Document.self, from: JSONSerialization.data(withJSONObject: ["paths": document["paths"]]))
        }

        /// Such as `GET /livez`.
        var operations: [String: Operation] {
            var operations: [String: Operation] = [:]
            for (path, methods) in paths {
                for (method, operation) in methods { operations["\(method.uppercased()) \(path)"] = operation }
            }
            return operations
        }
    }

    @Test func theDocumentListsExactlyTheRoutes() async throws {
        let routes = try await ServedMonitor.with { monitor in
            monitor.api.router().routes.map { "\($0.method.rawValue) \($0.path.described)" }
        }
        let pages = AssetCatalog.monitor.paths.map { "GET \(RouterPath($0).described)" }
        let described = try Document().operations.keys
        #expect(Set(routes).count == routes.count)
        #expect(Set(described) == Set(routes).subtracting(pages).union(["GET /openapi.json"]))
        #expect(Set(pages).isSubset(of: routes))
    }

    /// What sets no headers of its own gets the standard ones.
    @Test func everyResponseHasSecurityHeaders() async throws {
        let asset = try #require(AssetCatalog.monitor.paths.first { $0.hasSuffix("/dom.js") })
        try await ServedMonitor.with { monitor in
            for path in ["/", asset, "/openapi.json", "/livez", "/api/v1/fleet"] {
                let headers = try await monitor.send("GET", path).headers
                let policy = try #require(headers["content-security-policy"], "\(path)")
                let isPage = policy.contains("require-trusted-types-for 'script'")
                #expect(isPage == (path == "/") && policy.hasPrefix("default-src 'none'"), "\(path): \(policy)")
                #expect(isPage || policy == "default-src 'none'; frame-ancestors 'none'", "\(path): \(policy)")
                #expect(headers["cross-origin-resource-policy"] == "same-origin", "\(path)")
                #expect(headers["x-content-type-options"] == "nosniff" && headers["referrer-policy"] == "no-referrer")
                #expect(headers["strict-transport-security"] == "max-age=31536000")
            }
        }
    }

    @Test func operationIdsAreUnique() throws {
        let names = try Document().operations.values.map(\.operationId)
        #expect(Set(names).count == names.count)
    }

    @Test func theDocumentIsServedUnchanged() async throws {
        let answer = try await ServedMonitor.with { try await $0.send("GET", "/openapi.json") }
        #expect(answer.body == String(decoding: try Data(contentsOf: Self.file), as: UTF8.self))
        #expect(answer.headers["content-type"] == "application/json")
    }

    @Test func everyResponseMatchesTheDocument() async throws {
        let records = try await ServedMonitor.with(["tokyo", "seoul"]) { monitor in
            let visit = APIVisit(monitor)
            try await visit.tools()
            try await visit.pushes()
            try await visit.sessions()
            try await visit.fleet()
            try await visit.incidents()
            try await visit.plannedWork()
            try await visit.channels()
            try await visit.rejections()
            try await visit.aFailingStore()
            return visit.records
        }
        let check = OpenAPICheck(document: Self.file)
        #expect(try check.complaints(records) == [])
        #expect(try check.untried(records) == [])
    }

    /// Tests the comparison itself.
    @Test(arguments: [
        (#"{"method":"GET","path":"/api/v1/status","status":200,"type":"application/json","body":"{}"}"#, "required"),
        (
            #"{"method":"POST","path":"/api/v1/login","status":401,"type":"application/json","body":"{}"}"#,
            "the type is"
        ),
        (#"{"method":"GET","path":"/livez","status":201,"type":"text/plain","body":""}"#, "no such status"),
        (#"{"method":"GET","path":"/secret","status":200,"type":"text/plain","body":""}"#, "no such operation"),
        (
            #"{"schema":"PushTaken","body":"{\"ok\":true,\"time_ms\":1,\"more\":1}"}"#,
            "Additional properties are not allowed"
        ),
        (#"{"schema":"PushTaken","body":"{\"ok\":true,\"time_ms\":\"1\"}"}"#, "is not of type 'integer'"),
    ])
    func aWrongResponseIsDetected(_ line: String, _ complaint: String) throws {
        let complaints = try OpenAPICheck(document: Self.file).complaints(lines: line)
        #expect(complaints.count >= 1 && complaints.allSatisfy { $0.contains(complaint) }, "\(complaints)")
    }
}

extension RouterPath {
    /// As OpenAPI writes it.
    fileprivate var described: String {
        "/"
            + description.split(separator: "/").map { $0.hasPrefix(":") ? "{\($0.dropFirst())}" : String($0) }
            .joined(separator: "/")
    }
}
