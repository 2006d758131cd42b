import Backup
import Foundation
import Testing

@Suite struct AgeKeyTests {
    private static let recipient = Forgery.recipientText
    private static let identity = Forgery.identityText

    @Test func theExampleOfTheSpecificationIsParsed() throws {
        let identity = try AgeIdentity(Self.identity)
        #expect(identity.recipient.description == Self.recipient)
        #expect(identity.revealed() == Self.identity)
    }

    @Test func generatedKeysRoundTripAsText() throws {
        let identity = AgeIdentity.generate()
        let again = try AgeIdentity(identity.revealed())
        let recipient = try AgeRecipient(identity.recipient.description)
        #expect(again.recipient == identity.recipient)
        #expect(recipient == identity.recipient)
        #expect(AgeIdentity.generate().recipient != identity.recipient)
    }

    /// Bech32's checksum detects any single wrong character.
    @Test func everyWrongCharacterIsDetected() throws {
        for (index, character) in zip(Self.recipient.indices, Self.recipient) {
            for wrong in "qpzry9x8gf2tvdw0s3jn54khce6mua7l1b -" where wrong != character {
                var text = Self.recipient
                text.replaceSubrange(index...index, with: String(wrong))
                let result = outcome { () throws(AgeError) in try AgeRecipient(text) }
                #expect(result.error != nil, "\(text)")
            }
        }
    }

    @Test func everyTruncationOfAKeyFails() {
        for length in 0..<Self.identity.count {
            let identity = outcome { () throws(AgeError) in try AgeIdentity(Self.identity.prefix(length)).recipient }
            #expect(identity == .failure(.invalidIdentity(line: 1)))
        }
        for length in 0..<Self.recipient.count {
            let recipient = outcome { () throws(AgeError) in try AgeRecipient(Self.recipient.prefix(length)) }
            #expect(recipient == .failure(.invalidRecipient(line: 1)))
        }
    }

    struct RecipientCase: CustomTestStringConvertible {
        var testDescription: String
        var text: String
        var expected: AgeError
    }

    @Test(arguments: [
        RecipientCase(
            testDescription: "upper case",
            text: recipient.uppercased(),
            expected: .invalidRecipient(line: 1)
        ),
        RecipientCase(
            testDescription: "mixed case",
            text: recipient.prefix(20) + recipient.dropFirst(20).uppercased(),
            expected: .invalidRecipient(line: 1)
        ),
        RecipientCase(testDescription: "a secret", text: identity, expected: .secretKeyAsRecipient(line: 1)),
        RecipientCase(
            testDescription: "a mistyped secret",
            text: identity.dropLast() + "Q",
            expected: .secretKeyAsRecipient(line: 1)
        ),
        RecipientCase(
            testDescription: "a plugin's key",
            text: "age1tag1qt8lw0ual6avlwmwatk888yqnmdamm7xfd0wak53ut6elz5c4swx2yqdj4e",
            expected: .unsupportedKeyType(line: 1)
        ),
        // From BIP 173, "Test vectors": valid Bech32, but not an age key.
        RecipientCase(testDescription: "no age key", text: "a12uel5l", expected: .invalidRecipient(line: 1)),
        RecipientCase(testDescription: "an SSH key", text: "ssh-ed25519 AAAAC3", expected: .invalidRecipient(line: 1)),
        RecipientCase(
            testDescription: "a very long line",
            text: String(repeating: "a", count: 1 << 20),
            expected: .invalidRecipient(line: 1)
        ),
        // Low-order points (RFC 7748, section 7): the shared secret is zero for every private key.
        RecipientCase(
            testDescription: "zero",
            text: "age1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq5cu47z",
            expected: .lowOrderPoint
        ),
        RecipientCase(
            testDescription: "one",
            text: "age1qyqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqj7vrya",
            expected: .lowOrderPoint
        ),
        RecipientCase(
            testDescription: "the prime",
            text: "age1ahlllllllllllllllllllllllllllllllllllllllllllllllalsn46ayy",
            expected: .lowOrderPoint
        ),
        RecipientCase(
            testDescription: "a point of order eight",
            text: "age1ur4h5lpmgxu2u9jku0a0r87ydtdqnr0tnsetrlvxvgz3vh6fhqqqzyt4v9",
            expected: .lowOrderPoint
        ),
        RecipientCase(
            testDescription: "31 bytes",
            text: "age1pyysjzgfpyysjzgfpyysjzgfpyysjzgfpyysjzgfpyysjzgfpyyfw987",
            expected: .invalidRecipient(line: 1)
        ),
        RecipientCase(
            testDescription: "33 bytes",
            text: "age1pyysjzgfpyysjzgfpyysjzgfpyysjzgfpyysjzgfpyysjzgfpyysjtwme33",
            expected: .invalidRecipient(line: 1)
        ),
        RecipientCase(
            testDescription: "bits set in the padding",
            text: "age1fqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqpxqywmv",
            expected: .invalidRecipient(line: 1)
        ),
    ])
    func invalidRecipientsAreRejected(_ example: RecipientCase) {
        let result = outcome { () throws(AgeError) in try AgeRecipient(example.text) }
        #expect(result == .failure(example.expected))
    }

    @Test func recipientFilesAreParsed() throws {
        let other = AgeIdentity.generate().recipient
        let text = "# operators\r\n\r\n  \(Self.recipient)  \r\n\t# more\n\(other)"
        let recipients = try AgeRecipient.list(text)
        #expect(recipients.map(\.description) == [Self.recipient, other.description])
        let wrong = outcome { () throws(AgeError) in try AgeRecipient.list("# a\n\n\(Self.recipient)\nnonsense\n") }
        #expect(wrong == .failure(.invalidRecipient(line: 4)))
        let none = outcome { () throws(AgeError) in try AgeRecipient.list("# nobody\n\n") }
        #expect(none == .failure(.noRecipients))
    }

    @Test func identityFilesAreParsed() throws {
        let other = AgeIdentity.generate()
        let identities = try AgeIdentity.list(
            "# created: today\n# public key: x\n\(Self.identity)\n\n\(other.revealed())\n"
        )
        #expect(identities.map(\.recipient.description) == [Self.recipient, "\(other.recipient)"])
        for (text, error) in [
            ("", AgeError.noIdentities), ("# only\n", .noIdentities),
            ("\n\(Self.recipient)", .invalidIdentity(line: 2)),
            ("age-encryption.org/v1\n", .invalidIdentity(line: 1)),
            (Self.identity.lowercased(), .invalidIdentity(line: 1)),
            ("AGE-PLUGIN-YUBIKEY-1QYPQX3HE0TX", .unsupportedKeyType(line: 1)),
            (
                "AGE-SECRET-KEY-PQ-1QQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQAE0WQE",
                .unsupportedKeyType(line: 1)
            ),
        ] {
            let result = outcome { () throws(AgeError) in try AgeIdentity.list(text).count }
            #expect(result == .failure(error))
        }
    }

    @Test func anEmptyFileHasNoRecipients() {
        let encrypted = outcome { () throws(AgeError) in try AgeFile.encrypt([1], to: []) }
        #expect(encrypted == .failure(.noRecipients))
        let decrypted = outcome { () throws(AgeError) in try AgeFile.decrypt([1], with: []) }
        #expect(decrypted == .failure(.noIdentities))
    }

    /// Neither its text nor its bytes appear in any printed form.
    @Test func anIdentityDoesNotPrintItself() throws {
        let identity = try AgeIdentity(Self.identity)
        var dumped = ""
        dump(identity, to: &dumped)
        for text in ["\(identity)", String(reflecting: identity), dumped] {
            #expect(!text.contains(Self.identity.dropFirst(20)))
            #expect(!text.contains("66, 66, 66"))
            #expect(!text.contains("424242"))
            #expect(!text.contains("BBBB"))
        }
    }

    @Test func errorsNeverQuoteAKey() {
        for text in ["\(Self.identity)x", Self.identity.lowercased(), Self.recipient] {
            let result = outcome { () throws(AgeError) in try AgeIdentity.list(text).count }
            #expect(result.error?.description.contains(text.prefix(24)) == false)
        }
    }
}
