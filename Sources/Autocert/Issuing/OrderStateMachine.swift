package import FoundationEssentials

/// The state machine of one ACME order (RFC 8555 section 7.4): takes events, returns the next action.
///
/// A value without clock, network or disk, so that a few lines of test cover each path of an order.
package struct OrderStateMachine: Sendable {
    package enum Action: Equatable, Sendable {
        case order(replaces: String?)
        case fetchOrder(String)
        case fetchAuthorization(String)
        /// Publish the challenge's response where the CA validates it.
        case present(Challenge, name: String)
        /// Tell the CA to validate.
        case respond(Challenge)
        case wait(seconds: Double)
        case finalize(Order)
        case download(String)
        case finish
        case fail(ACMEError)
    }

    package enum Event: Sendable {
        case started
        case ordered(url: String, Order)
        case order(Order, retryAfter: Date?)
        case authorization(Authorization, retryAfter: Date?)
        case presented
        case responded
        case waited
        case downloaded
        case failed(ACMEError)
    }

    /// Timeout in seconds for one authorization, and for the CA to issue the certificate.
    private static let timeout = 120.0
    /// How often a transient failure without Retry-After is retried before the attempt fails.
    private static let maximumRetries = 3

    /// The order's URL; nil before the order is placed.
    package private(set) var url: String?
    private var replaces: String?
    private let isResumed: Bool
    /// Supported challenge types in order of preference.
    private let types: [String]
    /// URLs of authorizations that are not known to be valid yet; nil before the order is fetched.
    private var openAuthorizations: [String]?
    private var activeChallenge: Challenge?
    private var problem: ACMEProblem?
    private var waiting: (since: Date, times: Int)?
    private var failures = 0
    /// The action to repeat after a transient failure.
    private var last = Action.finish

    /// `resuming`: The URL of an order that an earlier run of the program placed.
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
        case .waited where failures > 0: return last
        default: failures = 0
        }
        switch event {
        case .started:
            return nextFetch()
        case .ordered(let url, let order):
            self.url = url
            return handle(order, nil, at: now)
        case .order(let order, let retryAfter):
            return handle(order, retryAfter, at: now)
        case .authorization(let authorization, let retryAfter):
            return handle(authorization, retryAfter, at: now)
        case .presented:
            return activeChallenge.map(Action.respond) ?? .fail(.malformed("authorization", "its challenge is missing"))
        case .responded:
            return wait(nil, at: now) ?? .finish
        case .waited:
            return nextFetch()
        case .downloaded:
            return .finish
        case .failed(let error):
            return .fail(error)
        }
    }

    /// Fetches the next authorization, then the order. Places the order if there is none.
    private func nextFetch() -> Action {
        if let next = openAuthorizations?.first { return .fetchAuthorization(next) }
        return url.map(Action.fetchOrder) ?? .order(replaces: replaces)
    }

    private mutating func handle(_ order: Order, _ retryAfter: Date?, at now: Date) -> Action {
        if openAuthorizations == nil { openAuthorizations = order.authorizations }
        switch order.status {
        case .pending:
            if let next = openAuthorizations?.first { return .fetchAuthorization(next) }
            return wait(retryAfter, at: now) ?? .fail(.stillProcessing("order"))
        case .ready:
            waiting = nil
            return .finalize(order)
        case .processing:
            return wait(retryAfter, at: now) ?? .fail(.stillProcessing("certificate"))
        case .valid:
            return order.certificate.map(Action.download)
                ?? .fail(.malformed("order", "it is valid but has no certificate URL"))
        case .invalid:
            return .fail(.orderInvalid(order.error))
        }
    }

    private mutating func handle(_ authorization: Authorization, _ retryAfter: Date?, at now: Date) -> Action {
        let name = authorization.identifier.value
        switch authorization.status {
        case .valid:
            openAuthorizations?.removeFirst()
            (activeChallenge, problem, waiting) = (nil, nil, nil)
            return nextFetch()
        case .pending:
            if let activeChallenge {
                // Some CAs leave a challenge pending, with an error, when they could not connect.
                problem = authorization.challenges.first { $0.url == activeChallenge.url }?.error ?? problem
                return wait(retryAfter, at: now) ?? .fail(.notValidated(name: name, problem))
            }
            guard let challenge = selectChallenge(authorization.challenges) else {
                return .fail(.noUsableChallenge(name: name, offered: authorization.challenges.map(\.type)))
            }
            activeChallenge = challenge
            return .present(challenge, name: name)
        case .invalid, .deactivated, .expired, .revoked:
            let problem = authorization.challenges.compactMap(\.error).first ?? problem
            return .fail(.notValidated(name: name, problem))
        }
    }

    private func selectChallenge(_ offered: [Challenge]) -> Challenge? {
        types.lazy.compactMap { type in offered.first { $0.type == type && $0.token?.isEmpty == false } }.first
    }

    /// Waits before the next poll. Nil after the timeout.
    private mutating func wait(_ retryAfter: Date?, at now: Date) -> Action? {
        let (since, times) = waiting ?? (now, 0)
        guard now.timeIntervalSince(since) < Self.timeout else { return nil }
        waiting = (since, times + 1)
        let delay = retryAfter?.timeIntervalSince(now) ?? min(10, 0.25 * Double(1 << min(times, 6)))
        return .wait(seconds: min(max(delay, 0.1), 60))
    }

    private mutating func retry(_ error: ACMEError) -> Action {
        switch (last, error) {
        case (.order(.some), .refused(let problem, _)) where Self.isAboutReplacing(problem):
            // The CA considers that certificate replaced already; with `replaces` every later renewal would fail too.
            replaces = nil
            return .order(replaces: nil)
        case (.fetchOrder, _) where isResumed && openAuthorizations == nil && !Self.isTransient(error):
            // The CA has already deleted the old order.
            url = nil
            return .order(replaces: replaces)
        case (.finalize, .refused(let problem, _)) where problem.kind == "orderNotReady":
            return url.map(Action.fetchOrder) ?? .fail(error)
        case (.order, _):
            // Not retried: the first request may have arrived.
            return .fail(error)
        case (_, _) where Self.isTransient(error) && error.retryAfter == nil && failures < Self.maximumRetries:
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

    private static func isTransient(_ error: ACMEError) -> Bool {
        switch error {
        case .unreachable: true
        case .refused(let problem, _): ["serverInternal", "rateLimited", "badNonce"].contains(problem.kind)
        default: false
        }
    }
}
