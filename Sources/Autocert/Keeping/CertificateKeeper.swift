package import FoundationEssentials
import ServiceLifecycle
import Synchronization
import X509

/// Sees to it that there is a certificate: takes the stored one, follows the CA's advice, renews, and says so when it
/// cannot.
package final class CertificateKeeper: Service {
    package struct Settings: Sendable {
        /// In lower case. Nothing else is ever ordered.
        package var names: [String]
        /// CAs in order of preference.
        package var directories: [String]
        /// Where a CA lets one practise, by directory.
        package var staging: [String: String] = [:]
        package var contact: [String] = []
        package var external: ExternalAccount?
        package var profile: String?
        package var preferredRoot: String?
        package var keyType = CertificateKeyType.p256

        package init(names: [String], directories: [String]) {
            self.names = names
            self.directories = directories
        }
    }

    /// The outside world, each piece replaced in tests.
    package struct World: Sendable {
        package var send: WebSend
        package var now: @Sendable () -> Date
        /// Seconds.
        package var sleep: @Sendable (Double) async throws -> Void
        package var random: @Sendable (ClosedRange<Double>) -> Double

        package init(
            send: @escaping WebSend, now: @escaping @Sendable () -> Date = { Date() },
            sleep: @escaping @Sendable (Double) async throws -> Void = { try await Task.sleep(for: .seconds($0)) },
            random: @escaping @Sendable (ClosedRange<Double>) -> Double = { Double.random(in: $0) }
        ) {
            self.send = send
            self.now = now
            self.sleep = sleep
            self.random = random
        }
    }

    package enum Event: Sendable {
        /// The account's key is about to sign an order at this directory.
        case ordering(String)
        /// Nil when it is the first one.
        case issued(IssuedCertificate, after: IssuedCertificate?)
        case failed(String, next: Date?)
        case setAside(String)
        /// The CA explains why it wants a renewal.
        case explained(String)
    }

    /// What the heartbeat and `cert status` tell.
    package struct Status: Equatable, Sendable {
        package var notAfter: Date?
        package var issuer: String?
        package var serial: String?
        package var lastError: String?
        package var nextAttempt: Date?

        package init() {}
    }

    let settings: Settings
    let world: World
    let store: CertificateStore
    let solvers: [any ChallengeSolver]
    private let install: @Sendable (IssuedCertificate) async throws -> Void
    let report: @Sendable (Event) async -> Void
    private let state = Mutex<State>(State())
    /// Wall clocks jump, machines sleep and operators wish, so this often everything is looked at again. Seconds.
    private static let longestSleep = 10.0

    private struct State {
        var served: (certificate: IssuedCertificate, since: Date)?
        var status = Status()
        var hasLoaded = false
    }

    /// `install`: Serves the certificate from the next handshake on, and throws if a handshake shows another.
    package init(
        settings: Settings, store: CertificateStore, solvers: [any ChallengeSolver], world: World,
        install: @escaping @Sendable (IssuedCertificate) async throws -> Void,
        report: @escaping @Sendable (Event) async -> Void
    ) {
        self.settings = settings
        self.store = store
        self.solvers = solvers
        self.world = world
        self.install = install
        self.report = report
    }

    package var status: Status { state.withLock { $0.status } }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                let next = await self.step()
                let wait = min(max(next.timeIntervalSince(self.world.now()), 0.05), Self.longestSleep)
                try? await self.world.sleep(wait)
            }
        }
    }

    /// Does what is due. Never throws: whatever goes wrong, the certificate in service stays in service.
    ///
    /// - Returns: When there will be something to do.
    package func step() async -> Date {
        do {
            try await load()
            var ledger = try store.ledger()
            let next = try await advance(&ledger)
            state.withLock { state in
                state.status.nextAttempt = ledger.nextAttempt
                state.status.lastError = ledger.lastError
            }
            return next
        } catch {
            // The program is stopping; what was begun is on record and is gone on with at the next start.
            if Task.isCancelled { return world.now() }
            let next = world.now().addingTimeInterval(Self.longestSleep)
            state.withLock { $0.status.lastError = "\(error)" }
            await report(.failed("\(error)", next: next))
            return next
        }
    }

    /// Takes the stored certificate into service, once.
    private func load() async throws {
        guard !state.withLock({ $0.hasLoaded }) else { return }
        let (certificate, setAside) = try store.latest(for: settings.names)
        for name in setAside { await report(.setAside(name)) }
        state.withLock { $0.hasLoaded = true }
        guard let certificate, certificate.notAfter > world.now() else { return }
        var ledger = try store.ledger()
        if ledger.unreported == certificate.serial {
            await report(.issued(certificate, after: nil))
            ledger.unreported = nil
            try store.keep(ledger)
        }
        do {
            try await serve(certificate, since: .distantPast)
        } catch {
            // One that was kept and cannot be served is as good as none: another is ordered.
            await report(.failed("the stored certificate cannot be served: \(error)", next: nil))
        }
    }

    func serve(_ certificate: IssuedCertificate, since: Date) async throws {
        try await install(certificate)
        state.withLock { state in
            state.served = (certificate, since)
            state.status.notAfter = certificate.notAfter
            state.status.issuer = certificate.issuer
            state.status.serial = certificate.serial
        }
    }

    // MARK: One step

    private func advance(_ ledger: inout Ledger) async throws -> Date {
        let served = state.withLock { $0.served }
        if let served { try await seekAdvice(on: served.certificate, since: served.since, &ledger) }
        let now = world.now()
        let isRequested = try store.isRenewalRequested()
        let advice = ledger.advice.flatMap { $0.renewalID == served?.certificate.renewalID ? $0 : nil }
        let urgency =
            served.map { served in
                Schedule.urgency(
                    notBefore: served.certificate.notBefore, notAfter: served.certificate.notAfter,
                    advised: advice?.moment,
                    isRequested: isRequested, at: now)
            } ?? .missing
        guard urgency > .none else {
            let due = served.map {
                Schedule.due(
                    notBefore: $0.certificate.notBefore, notAfter: $0.certificate.notAfter, advised: advice?.moment)
            }
            try setNext(due, &ledger)
            return [due, advice?.askAgain].compactMap(\.self).min() ?? now.addingTimeInterval(Self.longestSleep)
        }
        ledger.issued.removeAll { $0 < now.addingTimeInterval(-7 * 86_400) }
        switch Schedule.choose(among: settings.directories, ledger, urgency, at: now) {
        case .wait(let date):
            try setNext(date, &ledger)
            return date
        case .order(let directory):
            return try await attempt(directory, replacing: served?.certificate, urgency, &ledger)
        }
    }

    private func setNext(_ date: Date?, _ ledger: inout Ledger) throws {
        let date = date.map { Date(timeIntervalSince1970: $0.timeIntervalSince1970.rounded()) }
        guard ledger.nextAttempt != date else { return }
        ledger.nextAttempt = date
        try store.keep(ledger)
    }

    private func seekAdvice(on certificate: IssuedCertificate, since: Date, _ ledger: inout Ledger) async throws {
        guard let id = certificate.renewalID else { return }
        let now = world.now()
        var advice = ledger.advice.flatMap { $0.renewalID == id ? $0 : nil } ?? .init(renewalID: id, askAgain: now)
        guard advice.askAgain <= now else { return }
        let client = ACMEClient(
            directory: certificate.directory, key: AccountKey(), account: nil, now: world.now, send: world.send)
        do throws(ACMEError) {
            let answer = try await client.renewalInfo(id)
            // A CA that gives no advice may learn to.
            advice.askAgain = answer.map { Schedule.askAgain($0.retryAfter, at: now) } ?? now.addingTimeInterval(86_400)
            if let info = answer?.info, info.start != advice.start || info.end != advice.end {
                (advice.start, advice.end) = (info.start, info.end)
                advice.moment = Schedule.moment(
                    in: info, installed: since, random: world.random)
                advice.explanation = info.explanationURL
                if let url = info.explanationURL { await report(.explained(url)) }
            }
        } catch {
            // Advice is a courtesy: without it the lifetime decides. What it said last still holds.
            advice.askAgain = max(Schedule.askAgain(error.retryAfter, at: now), now.addingTimeInterval(3_600))
        }
        ledger.advice = advice
        try store.keep(ledger)
    }
}
