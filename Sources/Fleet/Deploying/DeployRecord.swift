import FoundationEssentials

/// A line of the hub's history: who did what, when, and what came of it.
package struct DeployRecord: Codable, Equatable, Sendable {
    package var deploy: String
    package var who: String
    /// The operator's machine.
    package var host: String
    /// Unix seconds.
    package var ended: Int64
    package var result: DeployResult
    package var version: String?
    /// Of nixpkgs; nil where it is not known.
    package var revision: String?
    /// With what came of each.
    package var nodes: [String: String]
    /// That it led back; else nil.
    package var back: Bool?
    /// The first reason, when it did not go well.
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
    func line() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }

    /// Lines that cannot be read are left out: they are of another version of this program.
    package static func read(_ text: String) -> [DeployRecord] {
        text.split(whereSeparator: \.isNewline).compactMap {
            try? JSONDecoder().decode(DeployRecord.self, from: Data($0.utf8))
        }
    }
}

/// Who deploys, and from which machine.
package struct DeployAuthor: Equatable, Sendable {
    package var name: String
    package var host: String

    /// Nothing in either that would end a line.
    package init(name: String, host: String) {
        self.name = String(name.map { $0.isNewline ? " " : $0 })
        self.host = String(host.map { $0.isNewline ? " " : $0 })
    }
}
