import Wire

extension CommandFailure {
    /// The message and hint for a problem document.
    ///
    /// There is no `default`: a new problem code does not compile until its message is written. An unknown code of a newer node is
    /// mapped by its HTTP status.
    init(_ problem: Problem) {
        let said = [problem.title, problem.detail].compactMap(\.self).joined(separator: ": ")
        let wait = problem.retryAfter.map { "Try again in \($0) seconds." }
        self =
            switch problem.code {
            case .badCredentials:
                CommandFailure(
                    .refused, "The e-mail address or the password is wrong.",
                    hint: "If the password is lost: clavitor recover")
            case .secondFactorNeeded:
                CommandFailure(.refused, "This account requires a second factor.", hint: "Add --totp CODE.")
            case .secondFactorWrong:
                CommandFailure(
                    .refused, "The code is wrong or was already used.",
                    hint: "Wait for the next code, check this machine's clock, or use a recovery code.")
            case .badToken, .sessionExpired:
                CommandFailure(
                    .notSignedIn, "The session has expired or was ended.", hint: "Sign in again: clavitor login")
            case .tokenRefused:
                CommandFailure(.refused, said, hint: "The vault's owner can check with: clavitor agent show NAME")
            case .reauthenticate:
                CommandFailure(.refused, "This requires a recent sign-in.", hint: "clavitor login")
            case .tooManyAttempts, .rateLimited, .tooManyOperations:
                CommandFailure(.refused, said, hint: wait)
            case .vaultDamaged:
                CommandFailure(.readOnly, said, hint: "Ask the node's operator.")
            case .registrationClosed:
                CommandFailure(.refused, "Registration is closed on this node.", hint: "Other nodes: clavitor nodes")
            case .inviteNeeded:
                CommandFailure(
                    .refused, "Registration on this node requires an invitation.",
                    hint: "Add --invite CODE. A code works once and expires.")
            case .emailTaken:
                CommandFailure(.conflict, "An account with this address already exists.", hint: "clavitor login")
            case .noSuchEntry, .noSuchField, .noSuchVersion, .noSuchAgent, .noSuchDeposit,
                .noSuchSession, .noSuchPasskey:
                CommandFailure(.notFound, said)
            case .credentialExists, .entryExists, .idempotencyKeyUsed, .notEnabled:
                CommandFailure(.conflict, said)
            case .changedSince:
                CommandFailure(
                    .conflict, "The entry was changed meanwhile; nothing was written.",
                    hint: "Check it with clavitor get, then repeat the command.")
            case .l2KeyChanged:
                CommandFailure(
                    .conflict, "The L2 key was replaced meanwhile; nothing was written.",
                    hint: "Repeat the command; if that does not help: clavitor login")
            case .l2RekeyRunning:
                CommandFailure(.conflict, "A rekey of the L2 values runs already.", hint: "To go on: clavitor l2 rekey")
            case .wrongProof:
                CommandFailure(
                    .refused, "The password is wrong, or it was changed on another machine.",
                    hint: "If the password was changed: clavitor login")
            case .quotaExceeded:
                CommandFailure(.refused, said, hint: "Usage and quotas: clavitor status")
            case .ownerOnly, .verbMissing, .usesExhausted:
                CommandFailure(.refused, said, hint: "Only the vault's owner can change that.")
            case .notATOTPSeed:
                CommandFailure(
                    .failed, "The field does not contain a seed for one-time codes.",
                    hint: "A seed is base32 or an otpauth:// URI.")
            case .readOnly:
                CommandFailure(.readOnly, said, hint: wait ?? "Inform the node's operator.")
            case .invalid:
                CommandFailure(.failed, problem.member.map { "\(said) (\($0))" } ?? said)
            case .malformed, .incompleteBody, .tooLarge, .unsupportedMediaType, .methodNotAllowed,
                .preconditionRequired,
                .noSuchRoute, .needsEnvelopes, .busy, .stopping, .internal, .http, nil:
                CommandFailure(Self.outcome(ofStatus: problem.status), said, hint: wait)
            }
    }

    private static func outcome(ofStatus status: Int) -> ExitStatus {
        switch status {
        case 401: .notSignedIn
        case 403, 429: .refused
        case 404: .notFound
        case 409, 412: .conflict
        case 502, 504: .unreachable
        default: .failed
        }
    }

    init(_ refusal: KDFRefusal) {
        let what =
            switch refusal {
            case .type(let type): "key derivation \"\(type)\""
            case .iterations(let count): "\(count) iterations of Argon2id"
            case .memory(let kibibytes): "\(kibibytes) KiB of memory for Argon2id"
            case .parallelism(let lanes): "\(lanes) lanes of Argon2id"
            case .salt(let bytes): "a salt of \(bytes) bytes"
            case .failed(let code): "parameters that Argon2id rejects (\(code))"
            }
        self.init(
            .refused, "The node requires \(what), which this program does not accept.",
            hint: "The password was not used. Inform the node's operator; do not enter the password in another program."
        )
    }

    init(_ failure: L2Failure) {
        self =
            switch failure {
            case .notABox: CommandFailure(.failed, "The node sent an invalid L2 value.")
            case .wrongKeyOrPlace:
                CommandFailure(
                    .failed,
                    "The L2 value cannot be decrypted: it has another key, or belongs to another field or version.",
                    hint: "If the password was changed elsewhere, sign in again: clavitor login")
            case .damaged:
                CommandFailure(.failed, "The L2 value fails authentication: it was changed after encryption.")
            case .notText: CommandFailure(.failed, "The decrypted L2 value is not text.")
            case .tooLong(let limit): CommandFailure(.usage, "The value must not be longer than \(limit / 1_024) KiB.")
            }
    }
}
