import Fleet
import Foundation
import Synchronization
import TestSupport
import Testing

/// A remote shell that runs commands on this machine.
struct LocalShell: RemoteShell {
    struct Failed: Error { var errors: String }

    func run(_ command: RemoteCommand, input: String?, deadline: Duration) async throws -> String {
        let outcome = try await SystemProcesses().run(
            ChildProcess("sh", ["-c", command.description], input: input, deadline: deadline))
        guard outcome.status == 0 else { throw Failed(errors: outcome.errors) }
        return outcome.output
    }

    func send(_ path: String, to command: RemoteCommand, deadline: Duration) async throws -> String {
        var child = ChildProcess("sh", ["-c", command.description], deadline: deadline)
        child.inputFile = path
        let outcome = try await SystemProcesses().run(child)
        guard outcome.status == 0 else { throw Failed(errors: outcome.errors) }
        return outcome.output
    }
}

/// Records commands, and can truncate the input.
final class RecordingShell: RemoteShell {
    let commands = Mutex<[String]>([])
    private let keeps: Int

    init(keeps: Int = .max) { self.keeps = keeps }

    func run(_ command: RemoteCommand, input: String?, deadline: Duration) async throws -> String {
        commands.withLock { $0.append(command.description) }
        return try await LocalShell().run(
            command, input: input.map { String($0.prefix(keeps)) }, deadline: deadline)
    }

    func send(_ path: String, to command: RemoteCommand, deadline: Duration) async throws -> String {
        commands.withLock { $0.append(command.description) }
        return try await LocalShell().send(path, to: command, deadline: deadline)
    }
}

@Suite(.timeLimit(.minutes(3))) struct SecretStoreTests {
    static let url = "https://monitor.example.org/api/push/canary-t0ken"
    let scratch: Scratch
    let node: Node
    let keys: KeyStore
    let store: SecretStore

    init() throws {
        scratch = try Scratch()
        node = try sampleFleet(2).nodes[1]
        let age = try AgeKey(in: scratch).program()
        keys = KeyStore(try LocalSecretStore(scratch.file("keys"), age: age))
        store = SecretStore(scratch.file("secrets"), age: age, keys: keys)
    }

    private func pushed(_ name: String) -> String? {
        try? String(contentsOfFile: scratch.file("root\(name)"), encoding: .utf8)
    }

    @Test func secretsArePushedAndStoredEncrypted() async throws {
        try await store.set(.pushURL, of: node, to: Self.url)
        try await store.set(.rootKey, of: node, to: "1 clv_root_r00t 'with' $quotes\nand a line\n")
        let shell = RecordingShell()
        let names = try await store.push([.pushURL, .rootKey], to: node, shell, root: scratch.file("root"))
        #expect(names == [.pushURL, .rootKey])
        #expect(pushed("/etc/clavitor/push-url") == Self.url + "\n")
        #expect(pushed("/etc/clavitor/root.key") == "1 clv_root_r00t 'with' $quotes\nand a line\n")
        #expect(try scratch.mode("root/etc/clavitor/push-url") == 0o600)
        #expect(try scratch.mode("root/etc/clavitor") == 0o755)
        #expect(try !scratch.everythingBelow("secrets").holds("canary".utf8))
        #expect(!shell.commands.withLock { $0.joined() }.contains("canary"))
    }

    @Test func aSecretIsReplacedWithItsMode() async throws {
        let path = scratch.file("root/etc/clavitor/push-url")
        try FileManager.default.createDirectory(
            atPath: scratch.file("root/etc/clavitor"), withIntermediateDirectories: true)
        try Data("old".utf8).write(to: URL(filePath: path))
        try FileManager.default.setAttributes([.posixPermissions: 0o666], ofItemAtPath: path)
        try await store.set(.pushURL, of: node, to: Self.url)
        _ = try await store.push(nil, to: node, LocalShell(), root: scratch.file("root"))
        #expect(pushed("/etc/clavitor/push-url") == Self.url + "\n")
        #expect(try scratch.mode("root/etc/clavitor/push-url") == 0o600)
    }

    @Test func aTruncatedSecretReplacesNothing() async throws {
        try await store.set(.pushURL, of: node, to: Self.url)
        _ = try await store.push([.pushURL], to: node, LocalShell(), root: scratch.file("root"))
        try await store.set(.pushURL, of: node, to: Self.url + "-new")
        await #expect(throws: LocalShell.Failed.self) {
            try await store.push([.pushURL], to: node, RecordingShell(keeps: 20), root: scratch.file("root"))
        }
        #expect(pushed("/etc/clavitor/push-url") == Self.url + "\n")
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: scratch.file("root/etc/clavitor")) == ["push-url"])
    }

    /// A rotation tests the next key before it is in effect.
    @Test func aPendingKeyIsNotPushed() async throws {
        let present = try await keys.generate(node)
        let next = try await keys.rotate(node)
        _ = try await store.push(nil, to: node, LocalShell(), root: scratch.file("root"))
        #expect(try WireGuardKey(pushed("/etc/wireguard/private.key") ?? "").publicText == present)
        #expect(try scratch.mode("root/etc/wireguard") == 0o700)
        let kept = try await keys.publicKeys(node)
        #expect((kept.present, kept.next) == (present, next))
    }

    @Test func theListHasNamesAndTimesOnly() async throws {
        try await store.set(.pushURL, of: node, to: Self.url)
        let list = try store.list(node)
        #expect(list.map(\.name) == ["push-url"])
        #expect(list[0].isSet.hasPrefix("20"))
        #expect(!list[0].isSet.contains("canary"))
    }

    @Test func anEmptyPushIsReported() async throws {
        await #expect(throws: NodeSecretError.nothing("n2")) {
            try await store.push(nil, to: node, LocalShell(), root: scratch.file("root"))
        }
    }

    @Test func settingRequiresARecipient() async throws {
        let store = SecretStore(scratch.file("plain"), age: nil, keys: keys)
        await #expect(throws: AgeSettingsError.noRecipients) { try await store.set(.pushURL, of: node, to: Self.url) }
        #expect(try scratch.everythingBelow("plain").isEmpty)
    }

    @Test func pushingRequiresAnIdentity() async throws {
        let other = try Scratch()
        let age = try AgeKey(in: other).program(reads: false)
        let store = SecretStore(scratch.file("secrets"), age: age, keys: keys)
        try await store.set(.pushURL, of: node, to: Self.url)
        await #expect(throws: AgeSettingsError.noIdentity) {
            try await store.push([.pushURL], to: node, LocalShell(), root: scratch.file("root"))
        }
    }

    struct InvalidSecret: CustomTestStringConvertible {
        var testDescription: String
        var secret: NodeSecret
        var text: String
    }

    @Test(arguments: [
        InvalidSecret(testDescription: "an http URL", secret: .pushURL, text: "http://m/api/push/x"),
        InvalidSecret(testDescription: "a URL with a space", secret: .pushURL, text: "https://m/api/push/x y"),
        InvalidSecret(testDescription: "an empty text", secret: .rootKey, text: " \n"),
        InvalidSecret(testDescription: "no certificate", secret: .monitorCA, text: "hello"),
        InvalidSecret(
            testDescription: "a certificate with its key", secret: .monitorCA,
            text: "-----BEGIN CERTIFICATE-----\n-----BEGIN PRIVATE KEY-----\n"),
        InvalidSecret(
            testDescription: "a certificate for a key", secret: .monitorKey, text: "-----BEGIN CERTIFICATE-----"),
        InvalidSecret(testDescription: "an invalid WireGuard key", secret: .privateKey, text: "x"),
    ])
    func invalidSecretsAreRejected(_ example: InvalidSecret) {
        let error = #expect(throws: NodeSecretError.self) { try example.secret.checked(example.text) }
        #expect(!"\(error, default: "")".contains("m/api/push/x"))
    }

    @Test func onlyKnownNamesAreAccepted() {
        for name in ["../root.key", "channel-phone", "channel-../x-url", "channel--url", "channel-Phone-url", ""] {
            let error = #expect(throws: NodeSecretError.self) { try NodeSecret(name: name) }
            #expect("\(error, default: "")".contains("push-url"))
        }
        #expect(throws: Never.self) { try NodeSecret(name: "channel-phone-url") }
    }

    @Test(.enabled(if: FileManager.default.fileExists(atPath: "/usr/bin/shellcheck")))
    func theScriptPassesShellcheck() throws {
        let words = SecretPush.command(.rootKey, "x").words
        #expect(try Tool("/usr/bin/shellcheck", ["-s", "sh", "-"], input: words[2]).output.isEmpty)
    }

    /// For tests on a development machine.
    @Test(.enabled(if: getuid() == 0 && FileManager.default.fileExists(atPath: "/usr/bin/setpriv")))
    func anotherUserOwnsTheFile() async throws {
        try FileManager.default.createDirectory(
            atPath: scratch.file("open"), withIntermediateDirectories: false, attributes: [.posixPermissions: 0o777])
        try FileManager.default.setAttributes([.posixPermissions: 0o777], ofItemAtPath: scratch.file("open"))
        let command = SecretPush.command(.pushURL, Self.url, root: scratch.file("open"))
        let user = ["--reuid", "65534", "--regid", "65534", "--clear-groups", "--"]
        let outcome = try await SystemProcesses().run(
            ChildProcess("setpriv", user + command.words, input: Self.url, deadline: .seconds(120)))
        #expect(outcome.status == 0, "\(outcome.errors)")
        let path = scratch.file("open/etc/clavitor/push-url")
        #expect(try String(contentsOfFile: path, encoding: .utf8) == Self.url)
        #expect(try FileManager.default.attributesOfItem(atPath: path)[.ownerAccountID] as? Int == 65_534)
    }
}
