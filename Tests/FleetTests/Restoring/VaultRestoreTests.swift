import Fleet
import Foundation
import TestSupport
import Testing

/// Restores a backup of the node's own program with a real sh.
@Suite(.timeLimit(.minutes(3))) struct VaultRestoreTests {
    private let scratch: Scratch
    private let node: Node
    private let age: AgeKey
    private let secrets: SecretStore
    private let backup: VaultBackup

    init() async throws {
        scratch = try Scratch()
        node = try sampleFleet(2).nodes[1]
        age = try AgeKey(in: scratch)
        let program = try age.program()
        secrets = SecretStore(
            scratch.file("secrets"), age: program,
            keys: KeyStore(try LocalSecretStore(scratch.file("keys"), age: program)))
        let path = "\(FleetSetupTests.programs)/clavitor-node"
        _ = try await Tool(path, ["init", "--quiet", "--data", scratch.file("old")])
        try await secrets.set(.rootKey, of: node, to: try await Tool("/bin/cat", [scratch.file("old/root.key")]).output)
        let made = try await Tool(
            path, ["backup", "--data", scratch.file("old"), "--to", scratch.file("b"), "--recipient", age.recipient]
        ).output
        backup = VaultBackup(path: String(made.prefix { $0 != " " }), identity: age.identity)
        try scratch.write(Array("{}".utf8), to: "flake.nix")
    }

    private func restore(_ backup: VaultBackup? = nil, replaces: Bool = false) async throws -> String {
        try await VaultRestore(
            node, backup ?? self.backup, secrets, dist: FleetSetupTests.programs,
            folder: scratch.file("work"), data: scratch.file("data"), processes: SystemProcesses()
        ).run(LocalShell(), replaces: replaces)
    }

    /// The audit chain and the vaults.
    private func verify() throws {
        try scratch.write(try scratch.read("old/root.key"), to: "root.key")
        _ = try Tool(
            "\(FleetSetupTests.programs)/clavitor-node",
            ["audit", "verify", "--data", scratch.file("data"), "--root-key", scratch.file("root.key")])
    }

    @Test func vaultsAreRestoredWithoutRemnants() async throws {
        #expect(try await restore() == "")
        try verify()
        #expect(!FileManager.default.fileExists(atPath: scratch.file("work")))
        let names = try FileManager.default.contentsOfDirectory(atPath: scratch.file("data")).filter {
            !$0.contains("clavitor.db-")
        }
        #expect(Set(names).subtracting(["clavitor.db", "lock"]).isEmpty, "\(names)")
        #expect(try scratch.mode("data/clavitor.db") == 0o600)
    }

    /// An initialized node's data is overwritten only on request.
    @Test func existingDataIsMovedAsideOnRequest() async throws {
        _ = try await Tool(
            "\(FleetSetupTests.programs)/clavitor-node", ["init", "--quiet", "--data", scratch.file("data")])
        let before = try scratch.read("data/clavitor.db")
        let error = await #expect(throws: LocalShell.Failed.self) { try await restore() }
        #expect(try #require(error).errors.contains("--replace"))
        #expect(try scratch.read("data/clavitor.db") == before)
        let said = try await restore(replaces: true)
        let aside = try #require(said.split(separator: " ").last).filter { !$0.isNewline }
        #expect(try Data(contentsOf: URL(filePath: "\(aside)/clavitor.db")) == Data(before))
        try verify()
    }

    @Test func aWrongRootKeyOrIdentityIsRejected() async throws {
        let other = try AgeKey(in: try Scratch())
        await #expect(throws: RestoreError.self) {
            try await restore(VaultBackup(path: backup.path, identity: other.identity))
        }
        let generated = try await Tool("\(FleetSetupTests.programs)/clavitor-node", ["root-key", "generate"]).output
        try await secrets.set(.rootKey, of: node, to: generated)
        let error = await #expect(throws: RestoreError.self) { try await restore() }
        #expect("\(try #require(error))".contains("root key"))
        #expect(!FileManager.default.fileExists(atPath: scratch.file("data/clavitor.db")))
    }

    @Test func aTruncatedFileIsNotInstalled() async throws {
        try FileManager.default.createDirectory(atPath: scratch.file("data"), withIntermediateDirectories: false)
        let half = try scratch.write(Array("half".utf8), to: "half")
        await #expect(throws: LocalShell.Failed.self) {
            try await LocalShell().send(
                half,
                to: .script(
                    RestoreScripts.place, [scratch.file("data"), "8", String(repeating: "0", count: 64), "keep"]),
                deadline: .seconds(30))
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.file("data")) == [])
    }

    @Test(.enabled(if: FileManager.default.fileExists(atPath: "/usr/bin/shellcheck")))
    func theScriptPassesShellcheck() throws {
        #expect(try Tool("/usr/bin/shellcheck", ["-s", "sh", "-"], input: RestoreScripts.place).output.isEmpty)
    }
}

/// `clavitor-node init --if-empty`, which a service runs at its first start.
@Suite(.timeLimit(.minutes(2))) struct InitIfEmptyTests {
    private let scratch: Scratch
    private var data: String { scratch.file("data") }

    init() throws {
        scratch = try Scratch()
        try scratch.write(
            Array(try Tool("\(FleetSetupTests.programs)/clavitor-node", ["root-key", "generate"]).output.utf8),
            to: "key"
        )
    }

    private func start() async throws -> ChildOutcome {
        try await SystemProcesses().run(
            ChildProcess(
                "\(FleetSetupTests.programs)/clavitor-node",
                ["init", "--if-empty", "--quiet", "--data", data, "--root-key", scratch.file("key")],
                deadline: .seconds(60)))
    }

    @Test func aNewDirectoryIsInitializedAndAnOldOneKept() async throws {
        #expect(try await start().status == 0)
        let made = try scratch.read("data/clavitor.db")
        #expect(!FileManager.default.fileExists(atPath: "\(data)/root.key"))
        let again = try await start()
        #expect(again.status == 0 && again.output.isEmpty)
        #expect(try scratch.read("data/clavitor.db") == made)
    }

    @Test func anInterruptedInitIsRepeated() async throws {
        try FileManager.default.createDirectory(atPath: data, withIntermediateDirectories: false)
        for name in ["lock", "clavitor.db.new", "clavitor.db.new-wal"] { try scratch.write([1], to: "data/\(name)") }
        #expect(try await start().status == 0)
    }

    /// Files that may be the remains of a vault, or an unfinished restore.
    @Test(arguments: [
        ".clavitor-restore-soc", "clavitor.db-wal", "certificates", "damaged", "reserve", "root.key", "replaced-1",
    ])
    func otherFilesPreventInit(_ name: String) async throws {
        try FileManager.default.createDirectory(atPath: data, withIntermediateDirectories: false)
        try scratch.write([1], to: "data/\(name)")
        let refused = try await start()
        #expect(refused.status != 0)
        #expect(refused.errors.contains(name) && refused.errors.contains("restore"), "\(refused.errors)")
        #expect(!FileManager.default.fileExists(atPath: "\(data)/clavitor.db"))
    }
}
