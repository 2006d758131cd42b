import Auth
import Vault
import VaultFormat
import Wire

// Maps domain errors to problem documents. There is no `default`: a new error does not compile until its problem is chosen.

extension Problem {
    init(_ error: VaultError) {
        self =
            switch error {
            case .noSuchEntry: Problem(.noSuchEntry, status: 404, title: "No such entry")
            // The same for an entry or field that does not exist and for one that the principal was not granted.
            case .noSuchField: Problem(.noSuchField, status: 404, title: "No such field")
            case .noSuchVersion: Problem(.noSuchVersion, status: 404, title: "No such version")
            case .noSuchAgent: Problem(.noSuchAgent, status: 404, title: "No such agent")
            case .noSuchDeposit: Problem(.noSuchDeposit, status: 404, title: "No such deposit")
            case .entryExists:
                Problem(.entryExists, status: 409, title: "Entry exists", detail: "Choose another id.")
            case .idempotencyKeyUsed:
                Problem(
                    .idempotencyKeyUsed, status: 409, title: "Idempotency-Key already used",
                    detail: "Send the request again, or choose another key.")
            case .changedSince(let version):
                Problem(
                    .changedSince, status: 412, title: "Version conflict",
                    detail: "The entry has a newer version. Read it again and send If-Match: \"\(version)\".",
                    version: version)
            case .invalid(let member, let why):
                Problem(.invalid, status: 422, title: "Invalid request", detail: "\(member) \(why).", member: member)
            case .needsEnvelopes(let fields):
                Problem(
                    .needsEnvelopes, status: 422, title: "New envelopes required",
                    detail:
                        "Decrypt these L2 fields, encrypt them for the new version and send the envelopes in `fields`.",
                    fields: fields.map(\.text))
            case .l2KeyChanged:
                Problem(
                    .l2KeyChanged, status: 409, title: "L2 key changed",
                    detail:
                        "`l2.generation` or `l2.key` is not the present one, or a rekey has not reached the entry. Get the account's and the entry's L2 key again; if the entry's has an older generation, rekey the entry first."
                )
            case .l2RekeyRunning:
                Problem(
                    .l2RekeyRunning, status: 409, title: "L2 rekey running",
                    detail: "Rekey the entries that `GET /api/v1/account/l2` lists. Then another rekey can begin.")
            case .ownerOnly:
                Problem(.ownerOnly, status: 403, title: "Owner only", detail: "Agents cannot do this.")
            case .reauthenticate:
                Problem(
                    .reauthenticate, status: 403, title: "Sign in again",
                    detail: "The session must be younger than ten minutes.")
            case .principalGone: .badToken
            case .verbMissing(let verb):
                Problem(
                    .verbMissing, status: 403, title: "Verb not granted",
                    detail: "The agent needs the verb \"\(verb.rawValue)\", which its owner can grant.")
            case .usesExhausted:
                Problem(
                    .usesExhausted, status: 403, title: "Token uses exhausted",
                    detail: "The owner can raise maxUses.")
            case .quotaExceeded(let quota, let most):
                Problem(
                    .quotaExceeded, status: 403, title: "Quota exceeded",
                    detail: "At most \(most) \(quota.rawValue): \(quota.meaning). The node's operator sets it.",
                    member: quota.rawValue)
            case .rateLimited(let seconds):
                Problem(
                    .rateLimited, status: 429, title: "Too many uses this minute",
                    detail: "Wait \(seconds) seconds.",
                    retryAfter: seconds)
            case .tooManyOperations(let seconds):
                Problem(
                    .tooManyOperations, status: 429, title: "Too many operations today",
                    detail:
                        "Wait \(seconds) seconds. \(Quota.operationsPerDay.rawValue) is a quota of the node's operator.",
                    retryAfter: seconds)
            case .busy:
                Problem(
                    .busy, status: 503, title: "Node is busy",
                    detail: "Too many requests of this vault are waiting. Try again in a moment.", retryAfter: 2)
            case .notATOTPSeed:
                Problem(
                    .notATOTPSeed, status: 422, title: "Not a TOTP seed", detail: "The field must contain a TOTP seed.")
            case .vaultDamaged:
                Problem(
                    .vaultDamaged, status: 503, title: "Vault is damaged",
                    detail:
                        "Another program changed the vault's records, so nobody can use it until the node's operator has examined it."
                )
            case .damaged, .otherFormat, .readOnly:
                Problem(
                    .readOnly, status: 503, title: "Node is read-only",
                    detail:
                        "Nothing was changed. Revoking, pausing or narrowing an agent, ending sessions and deleting may still work. The node's log has the cause."
                )
            }
    }

    init(_ error: AuthError) {
        self =
            switch error {
            case .badCredentials:
                Problem(.badCredentials, status: 401, title: "Wrong e-mail or password")
            case .secondFactorNeeded:
                Problem(
                    .secondFactorNeeded, status: 401, title: "Second factor required",
                    detail: "Send a code or a recovery code in `totp`.")
            case .secondFactorWrong:
                Problem(.secondFactorWrong, status: 401, title: "Wrong code", detail: "Each code works once.")
            case .tooManyAttempts(let seconds):
                Problem(
                    .tooManyAttempts, status: 429, title: "Too many attempts",
                    detail: "Wait \(seconds) seconds.", retryAfter: seconds)
            case .wrongProof:
                Problem(
                    .wrongProof, status: 403, title: "Wrong proof",
                    detail:
                        "`proof.secret` must be the secret of this account's password, kit or passkey; a passkey's with an assertion of a new challenge."
                )
            case .noSuchPasskey: Problem(.noSuchPasskey, status: 404, title: "No such passkey")
            case .credentialExists:
                Problem(
                    .credentialExists, status: 409, title: "Credential exists",
                    detail: "Choose another id, of 16 random bytes, and a new secret.")
            case .noSuchSession: Problem(.noSuchSession, status: 404, title: "No such session")
            case .badToken: .badToken
            case .sessionExpired:
                Problem(.sessionExpired, status: 401, title: "Session expired", detail: "Sign in again.")
            case .tokenRefused(let why):
                Problem(
                    .tokenRefused, status: 403, title: "Token denied by its policy", detail: "Reason: \(why).")
            case .registrationClosed:
                Problem(.registrationClosed, status: 403, title: "Registration is closed on this node")
            case .inviteNeeded:
                Problem(
                    .inviteNeeded, status: 403, title: "Invitation required",
                    detail: "Send an unused invitation of this node in `invite`.")
            case .emailTaken:
                Problem(
                    .emailTaken, status: 409, title: "Cannot register", detail: "Sign in, or use another address.")
            case .invalid(let member, let why):
                Problem(.invalid, status: 422, title: "Invalid request", detail: "\(member) \(why).", member: member)
            case .notEnabled:
                Problem(.notEnabled, status: 409, title: "Not enabled", detail: "The second factor is not enabled.")
            case .notBegun:
                Problem(
                    .notEnabled, status: 409, title: "Nothing to confirm",
                    detail: "Send a request without a code first.")
            }
    }

    private static let badToken = Problem(.badToken, status: 401, title: "Token not valid", detail: "Sign in.")

    static let preconditionRequired = Problem(
        .preconditionRequired, status: 428, title: "If-Match required",
        detail: "Send the version that was read, such as If-Match: \"3\".")
}
