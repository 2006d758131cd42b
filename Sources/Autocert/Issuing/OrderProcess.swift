package import FoundationEssentials

/// One order, from nothing to a chain: what happened goes in, what to do next comes out (RFC 8555 section 7.4).
///
/// A value without clock, network or disk, so every way that an order can go is a test of some lines.
package struct OrderProcess: Sendable {
    package enum Action: Equatable, Sendable {
        case order(replaces: String?)
        case fetchOrder(String)
        case fetchAuthorization(String)
        /// Answer it where the CA will look.
        case present(Challenge, name: String)
        /// Tell the CA to look.
        case respond(Challenge)
        case wait(seconds: Double)
        case finalize(Order)
        case download(String)
        case finish
        case fail(ACMEError)
    }

    package enum Event: Sendable {
        case begun
        case ordered(url: String, Order)
        case order(Order, retryAfter: Date?)
        case authorization(Authorization, retryAfter: Date?)
        case presented
        case responded
        case woken
        case downloaded
        case failed(ACMEError)
    }

    /// Seconds for one authorization, and for the CA to make the certificate.
    private static let patience = 120.0
    /// A refusal without a word about when is retried so often before the attempt counts as failed.
    private static let retries = 3

    /// Where the order is; nil before there is one.
    package private(set) var url: String?
    private var replaces: String?
    private let isResumed: Bool
    /// Challenge types that can be answered, the preferred one first.
    private let types: [String]
    /// Authorizations that were not seen valid yet; nil before the order was read.
    private var open: [String]?
    private var asked: Challenge?
    private var problem: ACMEProblem?
    private var waiting: (since: Date, times: Int)?
    private var failures = 0
    /// What to do again after a passing failure.
    private var last = Action.finish

    /// `resuming`: The order's address, if an earlier run of the program had begun one.
    package init(types: [String], replaces: String?, resuming url: String?) {
        self.types = types
        self.replaces = replaces
        self.url = url
        isResumed = url != nil
    }

    package mutating func next(_ event: Event, at now: Date) -> Action {
        let action = decide(event, at: now)
        if case .wait = action {} else { last = action }
        return action
    }

    private mutating func decide(_ event: Event, at now: Date) -> Action {
        switch event {
        case .failed(let error): return retry(error)
        case .woken where failures > 0: return last
        default: failures = 0
        }
        switch event {
        case .begun:
            return goOn()
        case .ordered(let url, let order):
            self.url = url
            return follow(order, nil, at: now)
        case .order(let order, let retryAfter):
            return follow(order, retryAfter, at: now)
        case .authorization(let authorization, let retryAfter):
            return follow(authorization, retryAfter, at: now)
        case .presented:
            return asked.map(Action.respond) ?? .fail(.malformed("authorization", "its challenge is gone"))
        case .responded:
            return wait(nil, at: now) ?? .finish
        case .woken:
            return goOn()
        case .downloaded:
            return .finish
        case .failed(let error):
            return .fail(error)
        }
    }

    /// The next authorization, then the order; from the beginning, where there is none.
    private func goOn() -> Action {
        if let next = open?.first { return .fetchAuthorization(next) }
        return url.map(Action.fetchOrder) ?? .order(replaces: replaces)
    }

    private mutating func follow(_ order: Order, _ retryAfter: Date?, at now: Date) -> Action {
        if open == nil { open = order.authorizations }
        switch order.status {
        case .pending:
            if let next = open?.first { return .fetchAuthorization(next) }
            return wait(retryAfter, at: now) ?? .fail(.stillProcessing("order"))
        case .ready:
            waiting = nil
            return .finalize(order)
        case .processing:
            return wait(retryAfter, at: now) ?? .fail(.stillProcessing("certificate"))
        case .valid:
            return order.certificate.map(Action.download) ?? .fail(.malformed("order", "valid, without certificate"))
        case .invalid:
            return .fail(.orderInvalid(order.error))
        }
    }

    private mutating func follow(_ authorization: Authorization, _ retryAfter: Date?, at now: Date) -> Action {
        let name = authorization.identifier.value
        switch authorization.status {
        case .valid:
            open?.removeFirst()
            (asked, problem, waiting) = (nil, nil, nil)
            return goOn()
        case .pending:
            if let asked {
                // Some CAs leave a challenge pending, with an error, when they could not connect.
                problem = authorization.challenges.first { $0.url == asked.url }?.error ?? problem
                return wait(retryAfter, at: now) ?? .fail(.notValidated(name: name, problem))
            }
            guard let challenge = choose(authorization.challenges) else {
                return .fail(.noUsableChallenge(name: name, offered: authorization.challenges.map(\.type)))
            }
            asked = challenge
            return .present(challenge, name: name)
        case .invalid, .deactivated, .expired, .revoked:
            let problem = authorization.challenges.compactMap(\.error).first ?? problem
            return .fail(.notValidated(name: name, problem))
        }
    }

    private func choose(_ offered: [Challenge]) -> Challenge? {
        types.lazy.compactMap { type in offered.first { $0.type == type && $0.token?.isEmpty == false } }.first
    }

    /// Nil when patience has run out.
    private mutating func wait(_ retryAfter: Date?, at now: Date) -> Action? {
        let (since, times) = waiting ?? (now, 0)
        guard now.timeIntervalSince(since) < Self.patience else { return nil }
        waiting = (since, times + 1)
        let wish = retryAfter?.timeIntervalSince(now) ?? min(10, 0.25 * Double(1 << min(times, 6)))
        return .wait(seconds: min(max(wish, 0.1), 60))
    }

    private mutating func retry(_ error: ACMEError) -> Action {
        switch (last, error) {
        case (.order(.some), .refused(let problem, _)) where Self.isAboutReplacing(problem):
            // For ever unrenewable otherwise: the CA thinks that somebody has replaced that one already.
            replaces = nil
            return .order(replaces: nil)
        case (.fetchOrder, _) where isResumed && open == nil && !Self.isPassing(error):
            // An order of last week that the CA has forgotten.
            url = nil
            return .order(replaces: replaces)
        case (.finalize, .refused(let problem, _)) where problem.kind == "orderNotReady":
            return url.map(Action.fetchOrder) ?? .fail(error)
        case (.order, _):
            // Never twice: the first may have arrived.
            return .fail(error)
        case (_, _) where Self.isPassing(error) && error.retryAfter == nil && failures < Self.retries:
            failures += 1
            return .wait(seconds: Double(1 << failures))
        default:
            return .fail(error)
        }
    }

    private static func isAboutReplacing(_ problem: ACMEProblem) -> Bool {
        problem.kind == "alreadyReplaced"
            || (problem.detail?.contains("replaces") == true && (400..<500).contains(problem.status ?? 400))
    }

    private static func isPassing(_ error: ACMEError) -> Bool {
        switch error {
        case .unreachable: true
        case .refused(let problem, _): ["serverInternal", "rateLimited", "badNonce"].contains(problem.kind)
        default: false
        }
    }
}
