import ArgumentParser
import FoundationEssentials
import SQLite
import Storage
import Vault

struct Audit: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Check or export the audit log.", subcommands: [Verify.self, Export.self])

    struct Verify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Follow the chain from the first line to the head, and compare the vaults with what it says.")

        @OptionGroup var options: DataOptions

        func run() async throws {
            let node = try Node(offline: options.directory)
            let report = try await AuditVerification(headKey: node.keys.auditHeadKey) {
                try node.audit.open($0)
            }.run(node.store.database)
            let head = report.head
            print("epoch \(head.epoch)  lines \(head.chain.sequence)  head \(Base64URL.encode(head.chain.hash))")
            guard report.findings.isEmpty else {
                for finding in report.findings { print("FOUND  \(finding)") }
                throw ExitCode(1)
            }
            print("The chain holds, and \(report.vaults) vaults are as it says.")
        }
    }

    struct Export: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print every line as JSON, oldest first, with the hash that chains it.",
            discussion:
                "Lines hold ids, addresses and actions; no name and no value. Lines of deleted vaults have no event.")

        @OptionGroup var options: DataOptions

        private struct Line: Encodable {
            var sequence: Int64
            var time: Int64
            var vault: String?
            var hash: String
            var body: String
            var event: AuditEvent?
        }

        func run() async throws {
            let node = try Node(offline: options.directory)
            try await node.record(AuditEvent(.export, by: .init(.operator_), reason: "audit"))
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            try await node.store.forEachAuditLine { stored in
                let line = Line(
                    sequence: stored.sequence, time: stored.line.time, vault: stored.line.vault?.text,
                    hash: Base64URL.encode(stored.hash), body: Base64URL.encode(stored.line.body),
                    event: try node.audit.open(stored.line))
                print(String(decoding: try encoder.encode(line), as: UTF8.self))
            }
        }
    }
}
