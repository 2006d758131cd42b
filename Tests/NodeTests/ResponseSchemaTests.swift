import Foundation
import TestSupport
import Testing

/// Actual requests and responses against the served OpenAPI document.
@Suite(.timeLimit(.minutes(5))) struct ResponseSchemaTests {
    @Test func everyResponseMatchesItsSchema() async throws {
        let (records, document) = try await LiveNode.with { live in
            let visit = try await NodeAPIWalkthrough(live)
            try await visit.everybody()
            try await visit.entries()
            try await visit.agents()
            try await visit.refusals()
            try await visit.account()
            return (await visit.records, try await live.send("GET", "/openapi.json").text)
        }
        let scratch = try Scratch()
        let check = OpenAPICheck(document: URL(filePath: try scratch.write(document, to: "openapi.json")))
        #expect(try check.complaints(records) == [])
        // Not recorded: the document is compared with what OpenAPI asks of one.
        #expect(try check.untried(records) == ["GET /openapi.json 200"])
    }
}
