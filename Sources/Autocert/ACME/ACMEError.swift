package import FoundationEssentials

/// Why there is no new certificate. Everything but the storage's own errors comes as one of these.
package enum ACMEError: Error, Equatable, Sendable {
    /// The CA said no. `retryAfter` is its own wish.
    case refused(ACMEProblem, retryAfter: Date?)
    /// Nobody answered, or not in time.
    case unreachable(String)
    /// An answer that cannot be one: which, and what is wrong with it.
    case malformed(String, String)
    /// The CA's clock and ours differ by so many seconds. One of them is wrong, so dates mean nothing.
    case clockSkew(Int64)
    /// The CA did not find the answer to a challenge for this name, or never looked.
    case notValidated(name: String, ACMEProblem?)
    case noUsableChallenge(name: String, offered: [String])
    case stillProcessing(String)
    case orderInvalid(ACMEProblem?)
    case profileUnknown(String, offered: [String])
    case externalAccountNeeded
    /// What the CA issued is not what was ordered. The old certificate stays.
    case badCertificate(CertificateFault)
    case challengeNotPresented(name: String, String)

    /// Whether another CA, or the same one's staging, could do better: the fault may be ours or this CA's.
    var isAboutValidation: Bool {
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
        case .malformed(let what, let why): "the CA's \(what) makes no sense: \(why)"
        case .clockSkew(let seconds):
            "this machine's clock and the CA's differ by \(seconds) s; set the clock, nothing is ordered until then"
        case .notValidated(let name, let problem):
            "the CA could not validate \(name): \(problem?.description ?? "it never looked")"
        case .noUsableChallenge(let name, let offered):
            "for \(name) the CA offers only \(offered.joined(separator: ", "))"
        case .stillProcessing(let what): "the CA did not finish the \(what) in time"
        case .orderInvalid(let problem): "the order became invalid: \(problem?.description ?? "no reason given")"
        case .profileUnknown(let name, let offered):
            "the CA has no profile \(name), only \(offered.sorted().joined(separator: ", "))"
        case .externalAccountNeeded:
            "the CA wants an external account binding: give --acme-eab-kid and --acme-eab-key-file"
        case .badCertificate(let fault): "the CA's certificate is not what was ordered: \(fault)"
        case .challengeNotPresented(let name, let why): "the challenge for \(name) cannot be answered: \(why)"
        }
    }
}
