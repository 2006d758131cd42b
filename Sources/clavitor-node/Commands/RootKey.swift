import ArgumentParser
import Backup
import Files
import NodeCore
import RootKeySources
import Serving
import Storage
import Vault
import VaultFormat

struct RootKey: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "root-key", abstract: "Print, export or rotate the root key.",
        subcommands: [Generate.self, Print.self, Export.self, Rotate.self])

    struct Generate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print a new root key, which no node has: for `clavitor-soc secrets generate`.")

        func run() async throws { print(RootKeyText.text(.generate()), terminator: "") }
    }

    struct Print: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Print the root key, to be kept on paper.")

        @OptionGroup var options: DataOptions

        func run() async throws {
            let node = try Node(offline: options.directory)
            try await node.record(AuditEvent(.rootKeyExport, by: .init(.operator_), reason: "printed"))
            print(RootKeyText.text(node.keys.root), terminator: "")
        }
    }

    struct Export: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Encrypt the root key to age recipients.",
            discussion: "Keep it apart from the backups: together they are all that a thief needs to start guessing.")

        @OptionGroup var options: DataOptions

        @Option(help: "The file to write.")
        var to: String

        @Option(help: "An age recipient (repeatable).")
        var recipient: [String]

        func run() async throws {
            let node = try Node(offline: options.directory)
            let recipients = try recipient.map { try AgeRecipient($0) }
            let sealed = try AgeFile.encrypt(Array(RootKeyText.text(node.keys.root).utf8), to: recipients)
            let file = try OpenFile(creating: to)
            try file.write(sealed)
            try file.synchronize()
            try await node.record(
                AuditEvent(.rootKeyExport, by: .init(.operator_), reason: "to \(recipients.count) recipients"))
            print("Wrote \(to). `age -d -i KEY \(to)` gives the root key file.")
        }
    }

    struct Rotate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a new root key, re-box everything under it, destroy the old one.",
            discussion: """
                The node must not be serving. If this is interrupted, the next `rotate --resume` or `serve` finishes \
                it. Older backups still need the key of their time.
                """)

        @OptionGroup var options: DataOptions

        @Flag(help: "Finish an interrupted rotation and begin no new one.")
        var resume = false

        func run() async throws {
            let directory = options.directory
            let source = directory.rootKeySource
            guard source.isReplaceable else { throw RootKeySourceError.notReplaceable(source.location) }
            try directory.takeLock()
            let old = try source.load()
            let isUnderWay = old.ids.count > 1
            if resume, !isUnderWay {
                print("No rotation is under way.")
                return
            }
            let ring = isUnderWay ? old : old.adding()
            // On disk before the first box needs it.
            if !isUnderWay { try source.replace(with: ring) }
            let node = try Node(offline: directory)
            let rotation = RootKeyRotation(node.store.database, root: ring)
            let renewed = try await rotation.run()
            guard try await rotation.remaining() == 0 else { throw Failure("Boxes remain; run `rotate --resume`.") }
            try await node.record(AuditEvent(.rootKeyRotate, by: .init(.operator_), reason: "key \(ring.current)"))
            try source.replace(with: ring.retiringOthers())
            print("Root key \(ring.current) is in use; \(renewed) boxes were renewed and the old key is gone.")
            print("Keep a copy of the new one: `clavitor-node root-key print --data \(directory.path)`.")
        }
    }
}
