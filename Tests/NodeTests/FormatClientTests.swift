import Foundation
import TestSupport
import Testing

/// A client that was written from docs/FORMAT.md alone does on a real node what a person does.
@Suite(.timeLimit(.minutes(10))) struct FormatClientTests {
    @Test func theDocumentSufficesForAClient() throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let node = try ServedNode(in: scratch)
        defer { node.stop() }
        // With the port in its settings, from which the origin of its pages follows.
        node.stop()
        try node.restart()
        let client = try Tool(
            ProcessInfo.processInfo.environment["CLAVITOR_PYTHON"] ?? "/usr/bin/python3",
            [Project.folder.appending(path: "Tests/Format/client.py").path, node.url, node.certificate], in: scratch.path)
        #expect(client.status == 0, "\(client.output)\n\(client.errors)")
        #expect(client.output.contains("everything is as the document says"))
    }
}
