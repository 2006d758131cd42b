import ArgumentParser
import Encoding
import FoundationEssentials
import NodeCore
import SQLite
import ServerRuntime
import Storage
import Vault
import VaultFormat

struct Audit: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Verify or export the audit log.", subcommands: [Verify.self, Accept.self, Export.self])

    struct Verify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Verify the audit chain, and compare the vaults with the log.")

        @OptionGroup var options: DataOptions

        func run() async throws {
            guard
                case .report(let epoch, let lines, let head, let vaults, let findings) = try await options.directory
                    .ask(.verify)
            else { throw Failure.unexpectedAnswer }
            print("epoch \(epoch)  lines \(lines)  head \(head)")
            guard findings.isEmpty else {
                for finding in findings { print("FOUND  \(finding)") }
                throw ExitCode(1)
            }
            print("Audit chain OK; \(vaults) vaults match the log.")
        }
    }

    struct Accept: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Clear the damage mark of an intact database, so that the node accepts changes again.",
            discussion: """
                Checks the database and the audit log like `doctor`, and fails if anything is damaged: restore a backup then. \
                With --vault, accepts the records of one vault as the file has them, although another program changed them: its \
                sessions end and its agents are suspended. Only its owner can tell whether the rest is right, so prefer a backup. \
                Records the acceptance in the audit log. Stop the node first.
                """)

        @OptionGroup var options: DataOptions

        @Option(help: "Vault whose records to accept, as `audit verify` names it.")
        var vault: String?

        func run() async throws {
            let directory = options.directory
            try directory.requireVault()
            try directory.acquireLock()
            if let vault { return try await accept(vault, in: directory) }
            let mark = DamageMark(path: directory.damageMark)
            guard let reason = mark.reason else {
                print("Nothing to accept: there is no damage mark.")
                return
            }
            let findings = try Inspection(path: directory.database, keys: try directory.nodeKeys()).findings()
            guard findings.isEmpty else {
                for finding in findings { print("FOUND  \(finding)") }
                throw Failure("The database is still damaged. Restore a backup: `clavitor-node restore`.")
            }
            // Record first, then clear: the log must explain why the node is healthy again.
            let node = try Node(offline: directory)
            try await node.record(AuditEvent(.auditAccept, by: .init(.operator_), reason: reason))
            mark.clear()
            print("Accepted. Start the node.")
        }

        private func accept(_ text: String, in directory: DataDirectory) async throws {
            guard let vault = VaultID(text: text) else {
                throw ValidationError("--vault requires the 22 characters of a vault's id.")
            }
            let node = try Node(offline: directory)
            guard let finding = try await node.store.damagedVaults()[vault] else {
                print("Nothing to accept: the vault's records are those that the node wrote.")
                return
            }
            let isThere = try await node.store.acceptRecords(of: vault, audit: node.audit, reason: finding)
            print(
                isThere
                    ? "Accepted. Its sessions have ended and its agents are suspended. Start the node, and tell the owner."
                    : "Removed: the node has no such vault; another program put its state there. Start the node.")
        }
    }

    struct Export: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print all audit lines as JSON, oldest first, with their chain hashes.",
            discussion:
                "Lines contain ids, addresses and actions, but no names or values. Lines of deleted vaults have no event."
        )

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
            _ = try await options.directory.ask(.record(.auditExported))
            let node = try Node(offline: options.directory)
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
