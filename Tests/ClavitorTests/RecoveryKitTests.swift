import Crypto
import Secrets
import Testing
import VaultFormat

@testable import clavitor

@Suite struct RecoveryKitTests {
    @Test(arguments: [[UInt8](repeating: 0, count: 32), [UInt8](repeating: 0xff, count: 32), Array(0..<32)])
    func aKitReadsWhatItWrote(_ secret: [UInt8]) throws {
        let kit = RecoveryKit(secret: SymmetricKey(data: secret))
        #expect(kit.text.utf8.count == 57)
        let read = try #require(RecoveryKit(kit.text))
        #expect(Array(read.secret.bytes) == secret)
    }

    /// Generated in Python from the token format.
    @Test func theFormatIsThatOfTokens() {
        let kit = RecoveryKit(secret: SymmetricKey(data: Array<UInt8>(0..<32)))
        #expect(kit.text == "clv_kit_003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf1CLKbZ")
    }

    @Test func spacesAndLineBreaksDoNotMatter() throws {
        let kit = RecoveryKit()
        let typed =
            " " + kit.text.prefix(20) + "\n" + kit.text.dropFirst(20).prefix(20) + " " + kit.text.dropFirst(40) + "\r\n"
        let read = try #require(RecoveryKit(typed))
        #expect(Array(read.secret.bytes) == Array(kit.secret.bytes))
    }

    @Test func noTruncationIsAKit() {
        let text = RecoveryKit().text
        for count in 0..<text.count { #expect(RecoveryKit(text.prefix(count)) == nil) }
        #expect(RecoveryKit(text + "0") == nil)
    }

    @Test func aTypoIsDetected() {
        let text = Array(RecoveryKit().text)
        for index in text.indices {
            var typo = text
            typo[index] = typo[index] == "a" ? "b" : "a"
            #expect(RecoveryKit(String(typo)) == nil)
        }
    }

    @Test(arguments: ["", "clv_kit_", "clv_agt_CwWiYBR3CApF1LC9tVxBFHcAxS4jS660SLH3qJs5xho1jK7IH"])
    func anythingElseIsNone(_ text: String) {
        #expect(RecoveryKit(text) == nil)
    }
}
