import API
import Foundation
import Hummingbird
import NodeCore
import RootKeySources
import Testing

@testable import clavitor_node

/// The OpenAPI document against the actual routes.
@Suite struct OpenAPIDocumentTests {
    @Test func describesExactlyTheRoutes() async throws {
        try await LiveNode.with { live in
            let routes = try live.node.api.router().routes.map { route in
                let path = route.path.description.split(separator: "/").map { part in
                    part.hasPrefix(":") ? "{\(part.dropFirst())}" : String(part)
                }
                return "\(route.method.rawValue) /\(path.joined(separator: "/"))"
            }
            let answer = try await live.send("GET", "/openapi.json")
            let document = try #require(try JSONSerialization.jsonObject(with: Data(answer.body)) as? [String: Any])
            #expect(document["openapi"] as? String == "3.1.0")
            let paths = try #require(document["paths"] as? [String: [String: Any]])
            let described = paths.flatMap { path, methods in methods.keys.map { "\($0.uppercased()) \(path)" } }
            #expect(Set(described) == Set(routes))
            #expect(described.count == routes.count)
        }
    }

    @Test func everyReferenceResolves() async throws {
        try await LiveNode.with { live in
            let text = String(decoding: try await live.send("GET", "/openapi.json").body, as: UTF8.self)
            let document = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
            let components = try #require(document["components"] as? [String: [String: Any]])
            let references = text.matches(of: /#\/components\/(\w+)\/(\w+)/)
            #expect(references.count > 40)
            for reference in references {
                #expect(components[String(reference.1)]?[String(reference.2)] != nil, "\(reference.0)")
            }
        }
    }
}
