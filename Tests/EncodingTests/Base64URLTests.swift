import Encoding
import Foundation
import TestSupport
import Testing
import VaultFormat

@Suite struct Base64URLTests {
    struct Case: CustomTestStringConvertible {
        var bytes: [UInt8]
        var text: String
        var testDescription: String { text.isEmpty ? "nothing" : text }
    }

    // RFC 4648 section 10, without padding, and the two characters that differ from plain base64.
    static let known = [
        Case(bytes: [], text: ""), Case(bytes: Array("f".utf8), text: "Zg"), Case(bytes: Array("fo".utf8), text: "Zm8"),
        Case(bytes: Array("foo".utf8), text: "Zm9v"), Case(bytes: Array("foob".utf8), text: "Zm9vYg"),
        Case(bytes: Array("fooba".utf8), text: "Zm9vYmE"), Case(bytes: Array("foobar".utf8), text: "Zm9vYmFy"),
        Case(bytes: [0xfb, 0xff, 0xfe], text: "-__-"), Case(bytes: [0, 0, 0], text: "AAAA"),
    ]

    @Test(arguments: known) func encodes(_ example: Case) {
        #expect(Base64URL.encode(example.bytes) == example.text)
    }

    @Test(arguments: known) func decodes(_ example: Case) {
        #expect(Base64URL.decode(example.text) == example.bytes)
    }

    @Test(arguments: [
        "A", "AAAAA", "Zg==", "Zg=", "Zh", "Zm9", "Zm8=", "+/AA", "Zm 8", "Zm8\n", " Zm8", "Zm8\0", "Zmé8", "Zm8…",
        "Zm.8",
    ])
    func refuses(_ text: String) {
        #expect(Base64URL.decode(text) == nil)
    }

    @Test func roundTripsEveryLength() {
        for count in 0..<200 {
            let bytes = (0..<count).map { _ in UInt8.random(in: 0...255) }
            #expect(Base64URL.decode(Base64URL.encode(bytes)) == bytes)
        }
    }

    @Test func eachValueHasOneEncoding() {
        // Of all texts of two characters, just those that `encode` makes decode.
        let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
        let decoded = alphabet.flatMap { first in alphabet.map { "\(first)\($0)" } }.filter {
            Base64URL.decode($0) != nil
        }
        #expect(decoded.count == 256)
        #expect(decoded.allSatisfy { Base64URL.decode($0).map(Base64URL.encode) == $0 })
    }

    @Test func agreesWithFoundation() {
        for _ in 0..<200 {
            let bytes = (0..<Int.random(in: 0..<80)).map { _ in UInt8.random(in: 0...255) }
            let theirs = Data(bytes).base64EncodedString().replacingOccurrences(of: "+", with: "-")
                .replacingOccurrences(of: "/", with: "_").replacingOccurrences(of: "=", with: "")
            #expect(Base64URL.encode(bytes) == theirs)
        }
    }
}

@Suite struct IdentifierTests {
    @Test func roundTripsAsTextAndBytes() {
        for _ in 0..<100 {
            let id = EntryID.random()
            #expect(EntryID(text: id.text) == id)
            #expect(EntryID(id.bytes) == id)
            #expect(id.text.utf8.count == 22)
        }
    }

    @Test func everyTruncationIsRefused() {
        let id = EntryID.random()
        for count in 0..<22 { #expect(EntryID(text: id.text.prefix(count)) == nil) }
        for count in 0..<16 { #expect(EntryID(Array(id.bytes.prefix(count))) == nil) }
    }

    @Test func aLongerTextIsRefused() {
        let id = EntryID.random()
        #expect(EntryID(text: id.text + "A") == nil)
        #expect(EntryID(id.bytes + [0]) == nil)
    }

    @Test func aTextWithSpareBitsSetIsRefused() throws {
        let id = try #require(EntryID([UInt8](repeating: 0, count: 16)))
        #expect(id.text == String(repeating: "A", count: 22))
        #expect(EntryID(text: String(repeating: "A", count: 21) + "B") == nil)
    }

    @Test func bytesKeepTheirOrder() throws {
        let bytes = Array(UInt8(1)...16)
        let id = try #require(EntryID(bytes))
        #expect(id.bytes == bytes)
    }

    @Test func sortsAsItsBytesDo() throws {
        let ids = (0..<100).map { _ in EntryID.random() }
        #expect(ids.sorted().map(\.bytes.hex) == ids.map(\.bytes.hex).sorted())
    }

    @Test func theTitleAndDetailsIDsAreReserved() {
        #expect(FieldID.title.bytes.hex == "00000000000000000000000000000000")
        #expect(FieldID.details.bytes.hex == "00000000000000000000000000000001")
        #expect(FieldID.title.isReserved && FieldID.details.isReserved)
        #expect(!FieldID.random().isReserved)
    }
}

@Suite struct Base64Tests {
    /// RFC 4648 section 10.
    @Test(arguments: [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
        ("foobar", "Zm9vYmFy"),
    ])
    func encodesAsTheStandardSays(_ text: String, _ encoded: String) {
        let bytes = Array(text.utf8)
        #expect(Base64.encode(bytes) == encoded)
        let unpadded = Array(encoded.filter { $0 != "=" }.utf8)
        #expect(Base64.encodeUnpadded(bytes) == unpadded)
        #expect(Base64.decodeUnpadded(unpadded) == bytes)
    }

    @Test(arguments: ["Zg==", "Zh", "Zm9", "Z", "Zm9v\n", "Zm9-", "Zm9_"]) func oneValueHasOneText(_ text: String) {
        // The last bits of "Zh" and "Zm9" encode nothing and are set.
        #expect(Base64.decodeUnpadded(Array(text.utf8)) == nil)
    }
}
