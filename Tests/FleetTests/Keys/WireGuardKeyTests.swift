import Fleet
import Foundation
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(2))) struct WireGuardKeyTests {
    @Test(.enabled(if: FileManager.default.fileExists(atPath: "/usr/bin/wg"))) func wgReadsTheSameKey() throws {
        for _ in 0..<20 {
            let key = WireGuardKey()
            let theirs = try Tool("/usr/bin/wg", ["pubkey"], input: key.privateText + "\n").output
            #expect(theirs == key.publicText + "\n")
        }
    }

    @Test(.enabled(if: FileManager.default.fileExists(atPath: "/usr/bin/wg"))) func keysOfWgAreParsed() throws {
        for _ in 0..<5 {
            let made = try Tool("/usr/bin/wg", ["genkey"]).output
            let key = try WireGuardKey(made)
            #expect(key.privateText + "\n" == made)
            #expect(try Tool("/usr/bin/wg", ["pubkey"], input: made).output == key.publicText + "\n")
        }
    }

    @Test func keysAreClampedAndRandom() throws {
        var seen: Set<String> = []
        for _ in 0..<50 {
            let key = WireGuardKey()
            let bytes = try #require(Data(base64Encoded: key.privateText))
            #expect(bytes.count == 32)
            #expect(bytes[0] & 7 == 0)
            #expect(bytes[31] & 0xc0 == 0x40)
            seen.insert(key.privateText)
        }
        #expect(seen.count == 50)
    }

    @Test func importedKeysAreClamped() throws {
        let key = try WireGuardKey(Data(repeating: 0xff, count: 32).base64EncodedString())
        let bytes = try #require(Data(base64Encoded: key.privateText))
        #expect(bytes[0] == 0xf8)
        #expect(bytes[31] == 0x7f)
    }

    @Test func thePublicKeyIsDeterministic() {
        let key = WireGuardKey()
        let (first, second) = (key.privateText, key.privateText)
        #expect(first == second)
    }

    @Test func onlyThePublicKeyIsPrinted() {
        let key = WireGuardKey()
        var dumped = ""
        dump(key, to: &dumped)
        #expect("\(key)" == key.publicText)
        #expect(!"\(key) \(dumped) \([key])".contains(key.privateText))
    }

    @Test(arguments: ["", "x", "AAAA", String(repeating: "A", count: 44), String(repeating: "A", count: 42) + "=="])
    func anythingElseIsRefused(_ text: String) {
        #expect(throws: WireGuardKeyError.notAKey) { try WireGuardKey(text) }
    }
}
