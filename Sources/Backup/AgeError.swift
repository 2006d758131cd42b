package import Files

/// Everything that can be wrong with an age file, a key, or the descriptors it flows through.
///
/// Apart from `system`, every case of reading means: no byte of the output may be used.
package enum AgeError: Error, Equatable, Sendable {
    // What was read is not a file that we can open.
    case notAge
    case armored
    case unsupportedVersion
    case headerTooLarge
    /// `line` counts from 1, the version line.
    case malformedHeader(line: Int, HeaderFault)
    case truncated

    // The file is well formed, and does not open.
    case wrongIdentity
    case passphraseProtected
    case lowOrderPoint
    case headerAltered
    /// `chunk` counts from 0, in steps of 64 KiB of plaintext.
    case payloadAltered(chunk: UInt64)
    case emptyLastChunk
    case trailingData

    // Keys as people hand them over. `line` counts from 1; the text itself is never quoted, it may be a secret.
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
            "This is not an age file. Check that you gave the right file, and that it was copied in binary mode."
        case .armored:
            """
            This age file is armored (text). Dearmor it first: drop its BEGIN and END lines and run the rest \
            through `base64 -d`, or decrypt it with `age -d`.
            """
        case .unsupportedVersion:
            "This file has a newer version of the age format than v1. Decrypt it with a current `age`."
        case .headerTooLarge:
            "The age header is larger than \(AgeHeader.maximumByteCount) bytes, so Clavitor did not make it. Do not trust it."
        case .malformedHeader(let line, let fault):
            "Line \(line) of the age header is malformed: \(fault). Take another copy of the file."
        case .truncated:
            "The file ends too early. Its copy was interrupted; copy it again or take another backup."
        case .wrongIdentity:
            "None of the given identities opens this file. Give the identity that belongs to one of its recipients."
        case .passphraseProtected:
            "This file is protected by a passphrase, not by a key. Decrypt it with `age -d`."
        case .lowOrderPoint:
            "The key agreement gave an all-zero secret. The file or the recipient was forged: do not use it."
        case .headerAltered:
            "The header was altered after encryption: its MAC does not match. Take another copy of the file."
        case .payloadAltered(let chunk):
            "The file is damaged in its 64 KiB chunk \(chunk), or was altered. Take another copy of the file."
        case .emptyLastChunk:
            "The file ends in an empty chunk, which no correct program writes. Take another copy of the file."
        case .trailingData:
            "There is more data after the end of the encrypted content. Take another copy of the file."
        case .invalidRecipient(let line):
            "Line \(line) is not an age recipient. It should look like age1…, 62 characters: see `age-keygen -y`."
        case .secretKeyAsRecipient(let line):
            """
            Line \(line) holds a secret key where a recipient is expected. Put the public key there (`age-keygen -y`), \
            and consider whether the secret key is still secret.
            """
        case .invalidIdentity(let line):
            """
            Line \(line) is not an age identity. It should look like AGE-SECRET-KEY-1… (written by `age-keygen`); an \
            identity file that is itself encrypted must be decrypted first.
            """
        case .unsupportedKeyType(let line):
            "Line \(line) is a plugin's key or a post-quantum one. Use an X25519 key, as `age-keygen` makes it."
        case .noRecipients:
            "No recipient was given, so nobody could open the file. Give at least one age1… recipient."
        case .tooManyRecipients:
            "Too many recipients: the header would be larger than \(AgeHeader.maximumByteCount) bytes. Give fewer."
        case .noIdentities:
            "No identity was given. Give the file that `age-keygen` wrote."
        case .system(let error):
            error.description
        }
    }
}

extension AgeError.HeaderFault: CustomStringConvertible {
    package var description: String {
        switch self {
        case .stanzaExpected: "neither a recipient nor the closing MAC"
        case .argument: "an argument is missing or has a character that is not printable"
        case .body: "the body is not canonical base64 in lines of 64 characters"
        case .mac: "the MAC is not 43 characters of canonical base64"
        case .x25519: "an X25519 recipient with the wrong number or length of parts"
        case .mixedScrypt: "a passphrase mixed with other recipients"
        }
    }
}
