import Wire

extension CommandFailure {
    /// What a problem document means for the person at the terminal.
    ///
    /// No `default`: a new problem does not compile until somebody decides. Of a newer node's the status decides.
    init(_ problem: Problem) {
        let said = [problem.title, problem.detail].compactMap(\.self).joined(separator: ": ")
        let wait = problem.retryAfter.map { "Try again in \($0) seconds." }
        self =
            switch problem.code {
            case .badCredentials:
                CommandFailure(
                    .refused, "The e-mail address or the password is wrong.", hint: "Lost it? clavitor recover")
            case .secondFactorNeeded:
                CommandFailure(.refused, "This account asks for a second factor.", hint: "Add --totp CODE.")
            case .secondFactorWrong:
                CommandFailure(
                    .refused, "That code is wrong, or was used already.",
                    hint: "Wait for the next code, check this machine's clock, or use a recovery code.")
            case .badToken, .sessionExpired:
                CommandFailure(.notSignedIn, "The session is over.", hint: "Sign in again: clavitor login")
            case .tokenRefused:
                CommandFailure(.refused, said, hint: "Ask the vault's owner: clavitor agent show NAME")
            case .reauthenticate:
                CommandFailure(.refused, "This needs the password again.", hint: "clavitor login")
            case .tooManyAttempts, .rateLimited, .tooManyOperations:
                CommandFailure(.refused, said, hint: wait)
            case .registrationClosed:
                CommandFailure(.refused, "This node takes no new accounts.", hint: "Other nodes: clavitor nodes")
            case .inviteNeeded:
                CommandFailure(
                    .refused, "This node takes new accounts by invitation only.",
                    hint: "Add --invite CODE; a code works once and not for ever.")
            case .emailTaken:
                CommandFailure(.conflict, "There is an account with this address.", hint: "clavitor login")
            case .noSuchEntry, .noSuchField, .noSuchVersion, .noSuchAgent, .noSuchDeposit,
                .noSuchSession:
                CommandFailure(.notFound, said)
            case .entryExists, .idempotencyKeyUsed, .notEnabled:
                CommandFailure(.conflict, said)
            case .changedSince:
                CommandFailure(
                    .conflict, "Somebody changed the entry in the meantime; nothing was written.",
                    hint: "Look at it with clavitor get, then repeat the command.")
            case .wrongProof:
                CommandFailure(
                    .refused, "The password is wrong, or it was changed on another machine.",
                    hint: "After a change: clavitor login")
            case .quotaExceeded:
                CommandFailure(.refused, said, hint: "What is left: clavitor status")
            case .ownerOnly, .verbMissing, .usesExhausted:
                CommandFailure(.refused, said, hint: "Only the vault's owner can change that.")
            case .notATOTPSeed:
                CommandFailure(
                    .failed, "The field holds no seed for one-time codes.",
                    hint: "A seed is base32 or an otpauth:// address.")
            case .readOnly:
                CommandFailure(.readOnly, said, hint: wait ?? "Tell the node's operator.")
            case .invalid:
                CommandFailure(.failed, problem.member.map { "\(said) (\($0))" } ?? said)
            case .malformed, .incompleteBody, .tooLarge, .unsupportedMediaType, .methodNotAllowed,
                .preconditionRequired,
                .noSuchRoute, .needsEnvelopes, .busy, .stopping, .internal, .http, nil:
                CommandFailure(Self.outcome(ofStatus: problem.status), said, hint: wait)
            }
    }

    private static func outcome(ofStatus status: Int) -> Outcome {
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
            case .failed(let code): "parameters with which Argon2id fails (\(code))"
            }
        self.init(
            .refused, "The node asks for \(what), which this program does not accept.",
            hint: "The password was not used. Tell the node's operator; do not give the password to another program.")
    }

    init(_ failure: L2Failure) {
        self =
            switch failure {
            case .notABox: CommandFailure(.failed, "The node gave something that is no L2 value.")
            case .wrongKeyOrPlace:
                CommandFailure(
                    .failed, "The L2 value does not open: another key, or it belongs to another place.",
                    hint: "After a change of password elsewhere, sign in again: clavitor login")
            case .damaged: CommandFailure(.failed, "The L2 value was changed since it was encrypted.")
            case .notText: CommandFailure(.failed, "The L2 value opens, but holds no text.")
            case .tooLong(let limit): CommandFailure(.usage, "The value is longer than \(limit / 1_024) KiB.")
            }
    }
}
