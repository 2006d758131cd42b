import Fleet
import Foundation
import TestSupport
import Testing

/// `age` with its own key.
struct AgeKey {
    let identity: String
    let recipient: String

    init(in scratch: Scratch) throws {
        identity = scratch.file("age-identity")
        _ = try Tool("/usr/bin/age-keygen", ["-o", identity])
        recipient = try Tool("/usr/bin/age-keygen", ["-y", identity]).output.filter { !$0.isWhitespace }
    }

    func program(reads: Bool = true) throws -> AgeProgram {
        try AgeProgram(
            recipients: [recipient], identity: reads ? identity : nil, processes: SystemProcesses())
    }
}

extension Scratch {
    /// Names and contents of all files below.
    func everythingBelow(_ folder: String) throws -> [UInt8] {
        let files = FileManager.default.enumerator(atPath: file(folder))?.compactMap { $0 as? String } ?? []
        return files.flatMap { name in
            Array(name.utf8) + ((try? [UInt8](Data(contentsOf: URL(filePath: file("\(folder)/\(name)"))))) ?? [])
        }
    }

    func mode(_ name: String) throws -> Int {
        let attributes = try FileManager.default.attributesOfItem(atPath: file(name))
        return (attributes[.posixPermissions] as? NSNumber)?.intValue ?? 0
    }
}

@Suite(.timeLimit(.minutes(3))) struct KeyStoreTests {
    let scratch: Scratch
    let node: Node

    init() throws {
        scratch = try Scratch()
        node = try sampleFleet(2).nodes[1]
    }

    private func store(_ age: AgeProgram? = nil) throws -> KeyStore {
        KeyStore(try LocalSecretStore(scratch.file("keys"), age: age))
    }

    @Test func aKeyIsGeneratedOnce() async throws {
        let store = try store()
        let publicKey = try await store.generate(node)
        var used = node
        used.publicKey = publicKey
        await #expect(throws: KeyStoreError.exists("n2")) { try await store.generate(used) }
        #expect(try await store.publicKeys(node).present == publicKey)
        #expect(try scratch.mode("keys") == 0o700)
        #expect(try scratch.mode("keys/n2.key") == 0o600)
    }

    @Test func rotationKeepsTheOldKeyUntilItIsReplaced() async throws {
        let store = try store()
        let old = try await store.generate(node)
        let new = try await store.rotate(node)
        let again = try await store.rotate(node)
        #expect(new != old)
        #expect(again == new)
        #expect(try await store.publicKeys(node).present == old)
        #expect(try await store.next(node).publicText == new)
        try store.promoteNext(node)
        #expect(try await store.publicKeys(node).present == new)
        #expect(try await store.publicKeys(node).next == nil)
    }

    @Test func aKeyFromAnotherMachineIsNotReplaced() async throws {
        var used = node
        used.publicKey = WireGuardKey().publicText
        let store = try store()
        for _ in 0..<2 {
            await #expect(throws: KeyStoreError.madeElsewhere("n2")) { try await store.generate(used) }
            await #expect(throws: KeyStoreError.madeElsewhere("n2")) { try await store.firstKey(of: used) }
            // Nor if another key with this name exists here.
            _ = try await store.generate(node)
        }
        try FileManager.default.removeItem(atPath: scratch.file("keys/n2.key"))
        await #expect(throws: KeyStoreError.madeElsewhere("n2")) { try await store.rotate(used) }
    }

    @Test func anExistingKeyIsReused() async throws {
        let store = try store()
        #expect(try await store.firstKey(of: node) == .new)
        let publicKey = try await store.generate(node)
        #expect(try await store.firstKey(of: node) == .reused(publicKey))
        #expect(try await store.generate(node) == publicKey)
    }

    @Test func rotationRequiresAKey() async throws {
        let store = try store()
        await #expect(throws: KeyStoreError.missing("n2")) { try await store.rotate(node) }
    }

    @Test func withAgeNoPlainTextIsStored() async throws {
        let store = try store(try AgeKey(in: scratch).program())
        let publicKey = try await store.generate(node)
        let key = try await store.present(node)
        let kept = try scratch.everythingBelow("keys")
        #expect(key.publicText == publicKey)
        #expect(!kept.holds(key.privateText.utf8))
        #expect(kept.holds("n2.key.age".utf8))
        #expect(kept.holds("BEGIN AGE ENCRYPTED FILE".utf8))
    }

    @Test func aPlainTextKeyIsEncryptedWhenItIsRead() async throws {
        let publicKey = try await store().generate(node)
        let plain = try await store().present(node).privateText
        let encrypting = try store(try AgeKey(in: scratch).program())
        for _ in 0..<2 { #expect(try await encrypting.publicKeys(node).present == publicKey) }
        #expect(try !scratch.everythingBelow("keys").holds(plain.utf8))
    }

    /// A key that only others can decrypt would be lost.
    @Test func aKeyThatCouldNotBeDecryptedIsNotEncrypted() async throws {
        let publicKey = try await store().generate(node)
        let writing = try store(try AgeKey(in: scratch).program(reads: false))
        for _ in 0..<2 { #expect(try await writing.publicKeys(node).present == publicKey) }
        let (mine, others) = (try Scratch(), try Scratch())
        let (ours, theirs) = (try AgeKey(in: mine), try AgeKey(in: others))
        let mistyped = try store(
            try AgeProgram(recipients: [theirs.recipient], identity: ours.identity, processes: SystemProcesses()))
        for _ in 0..<2 { #expect(try await mistyped.publicKeys(node).present == publicKey) }
    }

    @Test func keysAreNotStoredInAWorkTree() throws {
        try FileManager.default.createDirectory(atPath: scratch.file("tree/.git"), withIntermediateDirectories: true)
        try FileManager.default.createDirectory(atPath: scratch.file("tree/deep"), withIntermediateDirectories: true)
        try FileManager.default.createSymbolicLink(
            atPath: scratch.file("link"), withDestinationPath: scratch.file("tree/deep"))
        for folder in ["tree/keys", "tree/deep/keys", "link/keys", "tree/deep/../keys", "link/not/there/yet"] {
            #expect(throws: LocalSecretStoreError.self, "\(folder)") {
                try LocalSecretStore(scratch.file(folder), age: nil)
            }
        }
    }

    @Test func aDirectoryReadableByOthersIsRejected() throws {
        try FileManager.default.createDirectory(
            atPath: scratch.file("keys"), withIntermediateDirectories: false,
            attributes: [.posixPermissions: 0o755])
        #expect(throws: LocalSecretStoreError.open(scratch.file("keys"))) { try store() }
    }
}
