import Files
import FoundationEssentials

/// Records the completed steps of a provision in a file, so that an interrupted provision can be resumed.
package struct ProvisionJournal: Sendable {
    private struct Entry: Codable {
        var step: ProvisionPlan.Step
        /// Unix seconds.
        var at: Int64
    }

    private struct Content: Codable {
        /// The host key of the machine.
        var hostKey: String
        var done: [Entry] = []
    }

    private let path: String

    /// - Parameters:
    ///   - folder: An existing directory.
    ///   - node: The node.
    package init(folder: String, node: String) {
        path = "\(folder)/\(node).json"
    }

    /// Steps that were completed on the machine with this host key; empty for another machine.
    package func done(on hostKey: HostKey) throws -> Set<ProvisionPlan.Step> {
        Set(try content(hostKey).done.map(\.step))
    }

    package func add(_ step: ProvisionPlan.Step, on hostKey: HostKey, at now: Int64) throws {
        var content = try content(hostKey)
        content.done.append(Entry(step: step, at: now))
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try File.replace(path, with: String(decoding: try encoder.encode(content), as: UTF8.self), mode: 0o600)
    }

    package func reset() { File.remove(path) }

    private func content(_ hostKey: HostKey) throws -> Content {
        guard File.exists(path) else { return Content(hostKey: hostKey.text) }
        let text = try File.read(path, most: 1 << 20)
        let content = try JSONDecoder().decode(Content.self, from: Data(text.utf8))
        return content.hostKey == hostKey.text ? content : Content(hostKey: hostKey.text)
    }
}
