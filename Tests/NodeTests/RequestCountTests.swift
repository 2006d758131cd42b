import Foundation
import TestSupport
import Testing
import Wire

/// The number of requests of the command line, in a vault with more entries than a page.
@Suite(.timeLimit(.minutes(10))) struct RequestCountTests {
    /// The requests to the node, such as `GET /api/v1/entries`.
    private static func requests(of node: ServedNode, _ body: () throws -> Void) throws -> [String] {
        let before = try responses(node).count
        try body()
        return Array(try responses(node).dropFirst(before))
    }

    private static func responses(_ node: ServedNode) throws -> [String] {
        let log = try String(contentsOfFile: node.log, encoding: .utf8)
        return try log.split(separator: "\n").filter { $0.contains(#""responded""#) }.map { line in
            let words = try #require(JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
            let data = try #require(words["data"] as? [String: String])
            return "\(data["method"] ?? "?") \(data["route"] ?? "?")"
        }
    }

    private static let search = "POST /api/v1/entries/search"

    @Test func readingOneOrTenValuesTakesTwoRequests() throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let node = try ServedNode(in: scratch, arguments: ["--log-level", "debug"])
        defer { node.stop() }
        let (me, _) = try node.registered(scratch)
        let secret = try scratch.write("hunter2", to: "secret")
        for number in 1...120 {
            let added = try me.run(["add", "Entry \(number)", "--tag", "t", "--secret", "key=@\(secret)"])
            try #require(added.status == 0, "\(added.errors)")
        }
        let made = try me.run(["agent", "create", "robot", "--grant-tag", "t", "--json"])
        try #require(made.status == 0, "\(made.errors)")
        let robotsToken = try JSONDecoder().decode(AgentTokenBody.self, from: Data(made.output.utf8)).token
        // Without a home.
        let robot = Program(
            name: "clavitor",
            environment: [
                "CLAVITOR_SERVER": node.url, "CLAVITOR_CA_FILE": node.certificate,
                "CLAVITOR_TOKEN_FILE": try scratch.write(robotsToken, to: "token"),
            ])
        for (who, program) in [("owner", me), ("agent", robot)] {
            let read = try Self.requests(of: node) {
                let result = try program.run(["get", "Entry 120/key"])
                #expect(result.status == 0 && result.output.hasPrefix("hunter2"), "\(who): \(result.errors)")
            }
            #expect(read == [Self.search, "GET /api/v1/entries/{id}/fields/{field}"], "\(who)")
            let bindings = (111...120).flatMap { ["--env", "K\($0)=Entry \($0)/key"] }
            let run = try Self.requests(of: node) {
                let result = try program.run(["run"] + bindings + ["--", "sh", "-c", "printf %s \"$K111$K120\""])
                #expect(result.status == 0 && result.output == "hunter2hunter2", "\(who): \(result.errors)")
            }
            #expect(run == [Self.search, "POST /api/v1/values"], "\(who)")
        }
    }
}
