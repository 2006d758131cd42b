import API
import Crypto
import Encoding
import Foundation
import HTTPServing
import IPNetworks
import TestSupport
import Testing
import Vault
import VaultFormat
import Wire

/// Fuzzes the parsers of request bodies, with Foundation as a reference.
@Suite struct FuzzTests {
    private static let bodies = [
        #"{"title":"a \u00e9 \ud83d\ude00","urls":["https://example.com/?q=1"],"tags":["x","y"],"notes":"n","#
            + #""fields":[{"label":"l","kind":"secret","tier":1,"value":"v"},{"id":"AAAAAAAAAAAAAAAAAAAAAQ","remove":true}]}"#,
        #"{"name":"robot","grants":[{"tag":"work","labels":"*"},{"entry":"AAAAAAAAAAAAAAAAAAAAAQ","fields":["x"]}],"#
            + #""verbs":["read","totp"],"expiresAt":1700000000,"cidr":["192.0.2.0/24","2001:db8::/32"],"maxUses":5}"#,
        #"{"text":"a","tag":null,"limit":50,"cursor":"AAAAAAAAAAE"}"#,
        #"[1,-2.5e3,true,false,null,"\"\\\/\b\f\n\r\t",{"a":{"b":[[]]}}]"#,
    ]
    private static let tokens = [
        "{", "}", "[", "]", ",", ":", "\"", "\\", "\\u", "\\ud800", "\\udc00", "null", "true", "-", "0", "1e9", "1e999",
        "18446744073709551616", "-0", ".", "\u{feff}", "\u{0}", #""title""#, #","title":1"#,
        String(repeating: "[", count: 20),
    ]

    @Test func strictlyValidJSONDecodesTheSameInFoundation() {
        var taken = 0
        for bytes in Mutations(of: Self.bodies, tokens: Self.tokens, count: 20_000) {
            guard (try? StrictJSON.check(bytes)) != nil else { continue }
            taken += 1
            do {
                let value = try JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed)
                let again = try JSONSerialization.data(withJSONObject: value, options: .fragmentsAllowed)
                try StrictJSON.check(Array(again))
            } catch {
                // A number that no Double holds is JSON all the same, and Foundation's to refuse.
                if "\(error)".contains("not representable") { continue }
                Issue.record("\(String(decoding: bytes, as: UTF8.self)): \(error)")
            }
        }
        #expect(taken > 1_000, "too few mutations are still JSON to mean anything: \(taken)")
    }

    @Test func everyInvalidBodyBecomesAProblem() {
        var read = 0
        for bytes in Mutations(of: Self.bodies, tokens: Self.tokens, count: 10_000, seed: 2) {
            do {
                let entry: EntryWriteBody = try JSONText.decode(bytes)
                _ = try EntryEdit(entry, replacesFields: true)
                read += 1
            } catch is Problem {
            } catch {
                Issue.record("\(String(decoding: bytes, as: UTF8.self)): \(error)")
            }
            do {
                let _: AgentWriteBody = try JSONText.decode(bytes)
            } catch is Problem {
            } catch {
                Issue.record("\(String(decoding: bytes, as: UTF8.self)): \(error)")
            }
        }
        #expect(read > 100, "too few mutations are still entries to mean anything: \(read)")
    }

    @Test func parsedIdsRoundTrip() {
        let names = [EntryID.random().text, "192.0.2.1", "2001:db8::7", "192.0.2.0/24", "AAAAAAAAAAE"]
        for bytes in Mutations(
            of: names, tokens: ["=", ".", ":", "::", "/", "-", "_", "%", "+"], count: 20_000, seed: 3)
        {
            let text = String(decoding: bytes, as: UTF8.self)
            if let id = EntryID(text: text), id.text != text { Issue.record("\(text) reads as \(id.text)") }
            if let decoded = Base64URL.decode(text), Base64URL.encode(decoded) != text { Issue.record("\(text)") }
            if let address = IPAddress(text), IPAddress(address.text) != address { Issue.record("\(text)") }
        }
    }

    /// Any text but a cursor of the node for this principal and list is rejected.
    @Test func onlyTheGenuineCursorIsAccepted() throws {
        let cursors = Cursors(key: SymmetricKey(size: .bits256))
        let principal = Principal(
            vault: .random(), holder: .generate(), role: .owner(session: .random(), since: 0), from: nil)
        let good = try #require(cursors.encode([7], "entries", principal))
        #expect(try cursors.decode(good, "entries", principal) == [7])
        for bytes in Mutations(of: [good], tokens: ["A", "=", "_"], count: 20_000, seed: 4)
        where bytes != Array(good.utf8) {
            let text = String(decoding: bytes, as: UTF8.self)
            if let read = try? cursors.decode(text, "entries", principal) { Issue.record("\(text) reads as \(read)") }
        }
    }

    /// The schema check must neither trap nor accept an unknown name.
    /// Swift treats these as equal to K and to an accented letter; other parsers do not.
    @Test func canonicallyEqualNamesAreDistinct() {
        for name in ["auth\u{212a}ey", "authKey\u{0}", "AUTHKEY"] {
            #expect(throws: Problem.self) {
                try StrictJSON.check(Array("{\"\(name)\":\"\"}".utf8), schema: "Login", maxValues: 10)
            }
        }
    }

    /// Normalising a long run of marks takes quadratic time, and comparing Swift strings normalises.
    @Test(arguments: ["\u{301}\u{323}", "\u{316}", "\u{5b0}\u{5b1}", "\u{1d165}"]) func longRunsOfMarksAreRejected(
        _ marks: String
    ) {
        let run = String(String(repeating: marks, count: 31).unicodeScalars.prefix(31))
        let most = String(run.unicodeScalars.prefix(30))
        let escaped = run.utf16.map { "\\u" + String(0x1_0000 + Int($0), radix: 16).dropFirst() }.joined()
        for text in [run, "e" + run, escaped] {
            #expect(throws: StrictJSON.Malformed.self) { try StrictJSON.check(Array("{\"\(text)\":1}".utf8)) }
            #expect(throws: StrictJSON.Malformed.self) { try StrictJSON.check(Array("[\"\(text)\"]".utf8)) }
        }
        #expect(throws: Never.self) { try StrictJSON.check(Array("{\"e\(most)e\(most)\":\"\(most)a\(most)\"}".utf8)) }
    }

    /// One character can be as long as a body.
    @Test func longNamesAreTruncatedInErrors() {
        let name = "e" + String(repeating: "\u{301}", count: 30) + String(repeating: "\u{200d}", count: 5_000)
        let problem = #expect(throws: Problem.self) {
            try StrictJSON.check(Array("{\"\(name)\":\"\"}".utf8), schema: "Login", maxValues: 10)
        }
        #expect("\(String(describing: problem))".utf8.count < 2_000)
    }

    @Test func everyUnknownMemberIsRejected() {
        let known = Set([
            "name", "grants", "verbs", "notBefore", "expiresAt", "cidr", "maxUses", "ratePerMinute", "paused",
        ])
        let good = #"{"name":"a","grants":[{"tag":"x","labels":"*"}],"verbs":["read"],"cidr":[],"maxUses":1}"#
        var read = 0
        for bytes in Mutations(
            of: [good], tokens: ["\"", ",", ":", "{", "}", "[", "]", "cidrs", "maxuses", "\\u0063"], count: 20_000,
            seed: 5)
        {
            guard (try? StrictJSON.check(bytes, schema: "AgentWrite", maxValues: 100)) != nil else { continue }
            read += 1
            guard let object = try? JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any] else { continue }
            if !Set(object.keys).isSubset(of: known) { Issue.record("\(String(decoding: bytes, as: UTF8.self))") }
        }
        #expect(read > 100)
    }
}
