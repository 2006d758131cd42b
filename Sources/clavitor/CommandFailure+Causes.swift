import Wire

extension CommandFailure {
    /// What a problem document means for the person at the terminal.
    ///
    /// A problem is named by text, so a newer node may send one that stands nowhere here: then its status decides.
    init(_ problem: Problem) {
        let said = [problem.title, problem.detail].compactMap(\.self).joined(separator: ": ")
        let wait = problem.retryAfter.map { "Try again in \($0) seconds." }
        self =
            switch problem.code {
            case "bad-credentials":
                CommandFailure(
                    .refused, "The e-mail address or the password is wrong.", hint: "Lost it? clavitor recover")
            case "second-factor-needed":
                CommandFailure(.refused, "This account asks for a second factor.", hint: "Add --totp CODE.")
            case "second-factor-wrong":
                CommandFailure(
                    .refused, "That code is wrong, or was used already.",
                    hint: "Wait for the next code, check this machine's clock, or use a recovery code.")
            case "bad-token", "session-expired":
                CommandFailure(.notSignedIn, "The session is over.", hint: "Sign in again: clavitor login")
            case "token-refused":
                CommandFailure(.refused, said, hint: "Ask the vault's owner: clavitor agent show NAME")
            case "reauthenticate":
                CommandFailure(.refused, "This needs the password again.", hint: "clavitor login")
            case "too-many-attempts", "rate-limited", "too-many-operations":
                CommandFailure(.refused, said, hint: wait)
            case "registration-closed":
                CommandFailure(.refused, "This node takes no new accounts.", hint: "Other nodes: clavitor nodes")
            case "invite-needed":
                CommandFailure(
                    .refused, "This node takes new accounts by invitation only.",
                    hint: "Add --invite CODE; a code works once and not for ever.")
            case "email-taken":
                CommandFailure(.conflict, "There is an account with this address.", hint: "clavitor login")
            case "no-such-entry", "no-such-field", "no-such-version", "no-such-agent", "no-such-deposit",
                "no-such-session":
                CommandFailure(.notFound, said)
            case "entry-exists", "not-enabled":
                CommandFailure(.conflict, said)
            case "changed-since":
                CommandFailure(
                    .conflict, "Somebody changed the entry in the meantime; nothing was written.",
                    hint: "Look at it with clavitor get, then repeat the command.")
            case "wrong-proof":
                CommandFailure(
                    .refused, "The password is wrong, or it was changed on another machine.",
                    hint: "After a change: clavitor login")
            case "quota-exceeded":
                CommandFailure(.refused, said, hint: "What is left: clavitor status")
            case "owner-only", "verb-missing", "uses-exhausted":
                CommandFailure(.refused, said, hint: "Only the vault's owner can change that.")
            case "not-a-totp-seed":
                CommandFailure(
                    .failed, "The field holds no seed for one-time codes.",
                    hint: "A seed is base32 or an otpauth:// address.")
            case "read-only":
                CommandFailure(.readOnly, said, hint: wait ?? "Tell the node's operator.")
            case "invalid":
                CommandFailure(.failed, problem.member.map { "\(said) (\($0))" } ?? said)
            default:
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
