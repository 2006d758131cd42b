import Foundation
import TestSupport
import Testing

/// Types the tour of the API as a reader would.
@Suite(.timeLimit(.minutes(5))) struct APITourTests {
    private static let password = "tundra copper walnut sextant harvest Orbit7"

    /// The blocks of the document, in their order.
    private static func blocks() throws -> [String] {
        let text = try String(contentsOf: Project.folder.appending(path: "docs/API-TOUR.md"), encoding: .utf8)
        return text.matches(of: /```sh\n((?:[^`]|`(?!``))*)```/).map { String($0.1) }
    }

    @Test func theTourRunsAsItStands() throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let node = try ServedNode(in: scratch)
        defer { node.stop() }
        let blocks = try Self.blocks()
        #expect(blocks.count == 8)
        var script = blocks.joined(separator: "\n")
        // The place of the programs, the node and its certificate are this machine's; a password has no terminal here.
        for (documented, here) in [
            ("export PATH=$PWD/.build/debug:$PATH", "export PATH=\(Program.folder.path):/usr/bin:/bin"),
            ("https://localhost:8443", node.url), ("ca=run/dev-cert.pem", "ca=\(node.certificate)"),
            ("--email alice@example.com", "--email alice@example.com --password-stdin < password"),
        ] {
            #expect(script.contains(documented))
            script = script.replacing(documented, with: here)
        }
        _ = try scratch.write("\(Self.password)\n\(Self.password)\n", to: "password")
        let tour = try Tool(
            "/usr/bin/env", ["-i", "HOME=\(scratch.folder.path)", "bash", "-euo", "pipefail", "-c", script],
            in: scratch.folder.path)
        #expect(tour.status == 0, "\(tour.errors)")
        #expect(!tour.output.contains("alice\""), "an agent saw a field that it was not granted")
        for expected in [
            #""value":"sk-live-12345""#, "no-such-field", "owner-only", "limit must be an integer from 1 to 200",
            "verb-missing", "New certificate", "bad-token",
        ] {
            #expect(tour.output.contains(expected), "\(expected) is missing in:\n\(tour.output)\n\(tour.errors)")
        }
        let ids = tour.output.matches(of: /^\{"id":"([\w-]{22})"\}$/.anchorsMatchLineEndings()).map { $0.1 }
        #expect(ids.count == 2 && Set(ids).count == 1, "a repeated deposit is another one: \(tour.output)")
    }
}
