package import FoundationEssentials

/// Why no certificate was issued. Covers every failure except the storage's own errors.
package enum ACMEError: Error, Equatable, Sendable {
    /// The CA returned a problem document. `retryAfter` is its Retry-After header.
    case refused(ACMEProblem, retryAfter: Date?)
    /// The CA did not respond, or not in time.
    case unreachable(String)
    /// A response that breaks the protocol: which one, and what is wrong with it.
    case malformed(String, String)
    /// The CA's clock and the local one differ by this many seconds. One of them is wrong, so no date can be trusted.
    case clockSkew(Int64)
    /// The CA did not find the response to a challenge for this name, or never validated it.
    case notValidated(name: String, ACMEProblem?)
    case noUsableChallenge(name: String, offered: [String])
    case stillProcessing(String)
    case orderInvalid(ACMEProblem?)
    case profileUnknown(String, offered: [String])
    case externalAccountNeeded
    /// The issued certificate does not match the order. The old certificate stays.
    case badCertificate(CertificateError)
    case challengeNotPresented(name: String, String)

    /// Whether the next attempt should go to the CA's staging directory first: the cause may be on either side.
    var needsStagingAttempt: Bool {
        switch self {
        case .notValidated, .noUsableChallenge, .orderInvalid, .badCertificate, .challengeNotPresented,
            .stillProcessing:
            true
        case .refused(let problem, _):
            !["rateLimited", "serverInternal", "badNonce"].contains(problem.kind)
        case .unreachable, .malformed, .clockSkew, .profileUnknown, .externalAccountNeeded:
            false
        }
    }

    var retryAfter: Date? {
        if case .refused(_, let date) = self { date } else { nil }
    }
}

extension ACMEError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .refused(let problem, let date):
            "the CA refused: \(problem)" + (date.map { ", retry after \($0.formatted(.iso8601))" } ?? "")
        case .unreachable(let why): "the CA cannot be reached: \(why)"
        case .malformed(let what, let why): "the CA's \(what) is malformed: \(why)"
        case .clockSkew(let seconds):
            "this machine's clock and the CA's differ by \(seconds) s; set the clock, nothing is ordered until then"
        case .notValidated(let name, let problem):
            "the CA could not validate \(name): \(problem?.description ?? "it did not attempt validation")"
        case .noUsableChallenge(let name, let offered):
            "the CA offers no supported challenge for \(name), only \(offered.joined(separator: ", "))"
        case .stillProcessing(let what): "the CA did not finish the \(what) in time"
        case .orderInvalid(let problem): "the order became invalid: \(problem?.description ?? "no reason given")"
        case .profileUnknown(let name, let offered):
            "the CA has no profile \(name), only \(offered.sorted().joined(separator: ", "))"
        case .externalAccountNeeded:
            "the CA requires an external account binding: set --acme-eab-kid and --acme-eab-key-file"
        case .badCertificate(let error): "the CA's certificate is not what was ordered: \(error)"
        case .challengeNotPresented(let name, let why):
            "the response to the challenge for \(name) cannot be published: \(why)"
        }
    }
}
