package import Files

/// Errors of age files, keys, and the descriptors that they are read from and written to.
///
/// After any error of decryption, none of the output may be used.
package enum AgeError: Error, Equatable, Sendable {
    // The input is not an age file that can be decrypted here.
    case notAge
    case armored
    case unsupportedVersion
    case headerTooLarge
    /// `line` counts from 1, the version line.
    case malformedHeader(line: Int, HeaderFault)
    case truncated

    // The file is well formed, but decryption fails.
    case wrongIdentity
    case passphraseProtected
    case lowOrderPoint
    case headerAltered
    /// `chunk` counts from 0, in steps of 64 KiB of plaintext.
    case payloadAltered(chunk: UInt64)
    case emptyLastChunk
    case trailingData

    // Keys from user input. `line` counts from 1; the text itself is never quoted, because it may be a secret.
    case invalidRecipient(line: Int)
    case secretKeyAsRecipient(line: Int)
    case invalidIdentity(line: Int)
    case unsupportedKeyType(line: Int)
    case noRecipients
    case tooManyRecipients
    case noIdentities

    case system(SystemCallError)

    package enum HeaderFault: Equatable, Sendable {
        case stanzaExpected
        case argument
        case body
        case mac
        case x25519
        case mixedScrypt
    }
}

extension AgeError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .notAge:
            "This is not an age file. Check that it is the right file, and that it was copied in binary mode."
        case .armored:
            """
            This age file is armored (text). Dearmor it first: remove its BEGIN and END lines and run the rest \
            through `base64 -d`, or decrypt it with `age -d`.
            """
        case .unsupportedVersion:
            "This file has a newer age format than v1. Decrypt it with a current `age`."
        case .headerTooLarge:
            "The age header is larger than \(AgeHeader.maximumByteCount) bytes, so Clavitor did not make it. Do not trust it."
        case .malformedHeader(let line, let fault):
            "Line \(line) of the age header is malformed: \(fault). Take another copy of the file."
        case .truncated:
            "The file is truncated. Copy it again or use another backup."
        case .wrongIdentity:
            "None of the given identities decrypts this file. Use the identity of one of its recipients."
        case .passphraseProtected:
            "This file is protected by a passphrase, not by a key. Decrypt it with `age -d`."
        case .lowOrderPoint:
            "The key agreement has an all-zero shared secret. The file or the recipient was forged: do not use it."
        case .headerAltered:
            "The header was altered after encryption: its MAC does not match. Take another copy of the file."
        case .payloadAltered(let chunk):
            "Chunk \(chunk) (64 KiB each) is damaged or was altered. Take another copy of the file."
        case .emptyLastChunk:
            "The file ends in an empty chunk, which the age format forbids. Take another copy of the file."
        case .trailingData:
            "There is more data after the end of the encrypted content. Take another copy of the file."
        case .invalidRecipient(let line):
            "Line \(line) is not an age recipient. It must be age1…, 62 characters: see `age-keygen -y`."
        case .secretKeyAsRecipient(let line):
            """
            Line \(line) is a secret key, but must be a recipient. Use the public key (`age-keygen -y`), and replace the \
            secret key if others may have read it here.
            """
        case .invalidIdentity(let line):
            """
            Line \(line) is not an age identity. It must be AGE-SECRET-KEY-1… (written by `age-keygen`); decrypt an \
            encrypted identity file first.
            """
        case .unsupportedKeyType(let line):
            "Line \(line) is a plugin key or a post-quantum key. Use an X25519 key, as `age-keygen` makes it."
        case .noRecipients:
            "No recipient was given. Use at least one age1… recipient."
        case .tooManyRecipients:
            "Too many recipients: the header must be at most \(AgeHeader.maximumByteCount) bytes. Use fewer recipients."
        case .noIdentities:
            "No identity was given. Use the file that `age-keygen` wrote."
        case .system(let error):
            error.description
        }
    }
}

extension AgeError.HeaderFault: CustomStringConvertible {
    package var description: String {
        switch self {
        case .stanzaExpected: "neither a recipient nor the closing MAC"
        case .argument: "an argument is missing or has a non-printable character"
        case .body: "the body is not canonical base64 in lines of 64 characters"
        case .mac: "the MAC is not 43 characters of canonical base64"
        case .x25519: "an X25519 recipient with the wrong number or length of parts"
        case .mixedScrypt: "a passphrase mixed with other recipients"
        }
    }
}
