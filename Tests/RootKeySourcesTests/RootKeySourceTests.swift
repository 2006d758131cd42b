import Files
import RootKeySources
import TestSupport
import Testing
import VaultFormat

@Suite struct RootKeySourceTests {
    private let scratch: Scratch

    init() throws { scratch = try Scratch() }

    /// Encrypts with one key ring and decrypts with the other.
    private func isSame(_ left: RootKeys, _ right: RootKeys) -> Bool {
        left.ids == right.ids
            && (try? right.open(left.seal([1, 2, 3], context: Context("test")), context: Context("test"))) == [1, 2, 3]
    }

    @Test func aFileRoundTrips() throws {
        let file = RootKeyFile(path: scratch.file("root.key"))
        #expect(!file.exists)
        #expect(throws: RootKeySourceError.missing(file.location)) { _ = try file.load() }
        let keys = RootKeys.generate()
        try file.replace(with: keys)
        #expect(isSame(keys, try file.load()))
        #expect(FileStatus.mode(file.location) == 0o400)
        let two = keys.adding()
        try file.replace(with: two)
        #expect(isSame(two, try file.load()))
        #expect(try file.load().current == 2)
    }

    @Test func aCredentialIsReadAndNeverWritten() throws {
        try scratch.write(Array(RootKeyText.text(.generate()).utf8), to: "root-key")
        let folder = String(scratch.file("root-key").dropLast("/root-key".count))
        let credential = RootKeyCredential(directory: folder)
        let keys = try credential.load()
        #expect(throws: RootKeySourceError.notReplaceable(credential.location)) {
            try credential.replace(with: .generate())
        }
        #expect(isSame(keys, try credential.load()))
        #expect(!credential.isReplaceable)
    }

    @Test func everyTruncationIsRejectedOrHasFewerKeys() throws {
        let text = RootKeyText.text(RootKeys.generate().adding())
        let whole = try #require(RootKeyText.parse(text))
        #expect(whole.ids == [1, 2])
        let firstLine = try #require(text.firstIndex(of: "\n"))
        for end in text.indices {
            guard let ring = RootKeyText.parse(String(text[..<end])) else { continue }
            // The last line without its end is the same key.
            #expect(ring.ids == [1] && end <= text.index(firstLine, offsetBy: 3) || ring.ids == [1, 2])
        }
    }

    @Test(arguments: [
        "", "# nothing\n", "1", "1 clv_root_", "x clv_root_0", "-1 clv_root_0", "4294967296 clv_root_0", "1 2 3",
        "\u{0}", "1 clv_agt_0",
    ])
    func whatIsNoKeyIsRefused(_ text: String) throws {
        #expect(RootKeyText.parse(text) == nil)
        let file = RootKeyFile(path: scratch.file("root.key"))
        try scratch.write(Array(text.utf8), to: "root.key")
        #expect(throws: RootKeySourceError.malformed(file.location)) { _ = try file.load() }
    }

    @Test func aDuplicateNumberIsRejected() {
        let line = RootKeyText.text(.generate())
        #expect(RootKeyText.parse(line + line) == nil)
    }

    @Test func otherTokensAreNotRootKeys() {
        #expect(RootKeyText.parse("1 \(Token(.agent).text)") == nil)
        #expect(RootKeyText.parse("1 \(Token(.rootKey).text)") != nil)
    }
}
