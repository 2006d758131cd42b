import Foundation
import TestSupport
import Testing

/// What the node really takes and answers, against the OpenAPI document that it serves.
@Suite(.timeLimit(.minutes(5))) struct AnswerShapeTests {
    @Test func everyAnswerIsAsDescribed() async throws {
        let (records, document) = try await LiveNode.with { live in
            let visit = try await NodeVisit(live)
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
        let seen = Set(records.compactMap(\.outcome))
        let object = try #require(try JSONSerialization.jsonObject(with: Data(document.utf8)) as? [String: Any])
        let paths = try #require(object["paths"] as? [String: [String: [String: Any]]])
        for (path, operations) in paths where path != "/openapi.json" {
            for (method, operation) in operations {
                let responses = try #require(operation["responses"] as? [String: Any])
                for status in responses.keys where status.hasPrefix("2") {
                    let outcome = "\(method.uppercased()) \(path) \(status)"
                    #expect(seen.contains(outcome), "\(outcome) was not tried")
                }
            }
        }
    }
}
