import ArgumentParser
import Backup
import Files
import NodeCore
import RootKeySources
import ServerRuntime
import Storage
import Vault
import VaultFormat

struct RootKey: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "root-key", abstract: "Print, export or rotate the root key.",
        subcommands: [Generate.self, Print.self, Export.self, Rotate.self])

    struct Generate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print a new root key without storing it, for `clavitor-soc secrets generate`.")

        func run() async throws { print(RootKeyText.text(.generate()), terminator: "") }
    }

    struct Print: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Print the root key, for a copy on paper.")

        @OptionGroup var options: DataOptions

        func run() async throws {
            print(try await options.directory.recordedRootKey(.rootKeyPrinted), terminator: "")
        }
    }

    struct Export: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Encrypt the root key to age recipients.",
            discussion: "Keep it apart from the backups: with both, passwords can be guessed.")

        @OptionGroup var options: DataOptions

        @Option(help: "Output file.")
        var to: String

        @Option(help: "age recipient (repeatable).")
        var recipient: [String]

        func run() async throws {
            let recipients = try recipient.map { try AgeRecipient($0) }
            let text = try await options.directory.recordedRootKey(.rootKeyEncrypted(recipients: recipients.count))
            let sealed = try AgeFile.encrypt(Array(text.utf8), to: recipients)
            let file = try OpenFile(creating: to)
            try file.write(sealed)
            try file.synchronize()
            print("Wrote \(to). `age -d -i KEY \(to)` decrypts it to a root key file.")
        }
    }

    struct Rotate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Generate a new root key, re-encrypt everything under it, and delete the old one.",
            discussion: """
                Stop the node first. If the rotation is interrupted, the next `rotate --resume` or `serve` completes \
                it. Older backups still require the root key that they were made under.
                """)

        @OptionGroup var options: DataOptions

        @Flag(help: "Complete an interrupted rotation; do not start a new one.")
        var resume = false

        func run() async throws {
            let directory = options.directory
            let source = directory.rootKeySource
            guard source.isReplaceable else { throw RootKeySourceError.notReplaceable(source.location) }
            try directory.acquireLock()
            let old = try source.load()
            let isInProgress = old.ids.count > 1
            if resume, !isInProgress {
                print("No rotation is in progress.")
                return
            }
            let ring = isInProgress ? old : old.adding()
            // On disk before anything is encrypted under it.
            if !isInProgress { try source.replace(with: ring) }
            let node = try Node(offline: directory)
            let rotation = RootKeyRotation(node.store, root: ring, audit: node.audit)
            let renewed = try await rotation.run()
            guard try await rotation.remaining() == 0 else {
                throw Failure("Some secret boxes are still under the old key; run `rotate --resume`.")
            }
            try await node.record(AuditEvent(.rootKeyRotate, by: .init(.operator_), reason: "key \(ring.current)"))
            try source.replace(with: ring.retiringOthers())
            print(
                "Root key \(ring.current) is in use; \(renewed) secret boxes were re-encrypted and the old key is deleted."
            )
            print("Keep a copy of the new one: `clavitor-node root-key print --data \(directory.path)`.")
        }
    }
}

extension DataDirectory {
    /// The root key's text, of which the audit log has a line. From its source where this process can read it, or else from the
    /// node.
    fileprivate func recordedRootKey(_ note: OperatorNote) async throws -> String {
        if let keys = try? rootKeySource.load() {
            // Only the key of this database is recorded as such.
            _ = try nodeKeys()
            _ = try await ask(.record(note))
            return RootKeyText.text(keys)
        }
        guard case .text(let text) = try await ask(.rootKey) else { throw Failure.unexpectedAnswer }
        return text
    }
}
