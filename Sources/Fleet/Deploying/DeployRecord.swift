import FoundationEssentials

/// An entry of the hub's deploy history.
package struct DeployRecord: Codable, Equatable, Sendable {
    package var deploy: String
    package var who: String
    /// The operator's host name.
    package var host: String
    /// Unix seconds.
    package var ended: Int64
    package var result: DeployResult
    package var version: String?
    /// The revision of nixpkgs; nil if unknown.
    package var revision: String?
    /// The outcome by node.
    package var nodes: [String: String]
    /// True for a rollback, otherwise nil.
    package var back: Bool?
    /// The first failure.
    package var why: String?

    package init(
        deploy: String, who: String, host: String, ended: Int64, result: DeployResult, version: String?,
        revision: String? = nil, nodes: [String: String], why: String?, isRollback: Bool = false
    ) {
        self.deploy = deploy
        self.who = who
        self.host = host
        self.ended = ended
        self.result = result
        self.version = version
        self.revision = revision
        self.nodes = nodes
        self.why = why
        back = isRollback ? true : nil
    }

    package var isRollback: Bool { back == true }

    /// One line of JSON.
    package func line() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }

    /// Parses the history. Skips unreadable lines, which another version of this program may have written.
    package static func read(_ text: String) -> [DeployRecord] {
        text.split(whereSeparator: \.isNewline).compactMap {
            try? JSONDecoder().decode(DeployRecord.self, from: Data($0.utf8))
        }
    }
}

/// The operator of a deploy, and their machine.
package struct DeployAuthor: Equatable, Sendable {
    package var name: String
    package var host: String

    /// Replaces line breaks, because both are stored in lines.
    package init(name: String, host: String) {
        self.name = String(name.map { $0.isNewline ? " " : $0 })
        self.host = String(host.map { $0.isNewline ? " " : $0 })
    }
}
