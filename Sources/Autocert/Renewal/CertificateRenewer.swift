package import FoundationEssentials
import ServiceLifecycle
import Synchronization
import X509

/// Obtains and renews the certificate: loads the stored one, follows the CA's renewal information, orders, and reports
/// failures.
package final class CertificateRenewer: Service {
    package struct Settings: Sendable {
        /// The names to order, in lower case.
        package var names: [String]
        /// Directory URLs of CAs in order of preference.
        package var directories: [String]
        /// The staging directory of each CA, by directory.
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

    /// Network, clock, sleep and randomness, which tests replace.
    package struct Dependencies: Sendable {
        package var transport: ACMETransport
        package var now: @Sendable () -> Date
        /// Seconds.
        package var sleep: @Sendable (Double) async throws -> Void
        package var random: @Sendable (ClosedRange<Double>) -> Double

        package init(
            transport: @escaping ACMETransport, now: @escaping @Sendable () -> Date = { Date() },
            sleep: @escaping @Sendable (Double) async throws -> Void = { try await Task.sleep(for: .seconds($0)) },
            random: @escaping @Sendable (ClosedRange<Double>) -> Double = { Double.random(in: $0) }
        ) {
            self.transport = transport
            self.now = now
            self.sleep = sleep
            self.random = random
        }
    }

    package enum Event: Sendable {
        /// An order is about to be placed at this directory, signed with the account's key.
        case ordering(String)
        /// `after`: The replaced certificate. Nil for the first one.
        case issued(IssuedCertificate, after: IssuedCertificate?)
        case failed(String, next: Date?)
        /// A stored file is invalid and was renamed with the prefix `bad-`.
        case quarantined(String)
        /// The URL at which the CA explains its suggested renewal window.
        case renewalExplained(String)
    }

    /// The certificate status for the heartbeat.
    package struct Status: Equatable, Sendable {
        package var notAfter: Date?
        package var issuer: String?
        package var serial: String?
        package var lastError: String?
        package var nextAttempt: Date?

        package init() {}
    }

    let settings: Settings
    let dependencies: Dependencies
    let store: CertificateStore
    let solvers: [any ChallengeSolver]
    private let install: @Sendable (IssuedCertificate) async throws -> Void
    let report: @Sendable (Event) async -> Void
    private let state = Mutex<State>(State())
    /// Longest time in seconds between evaluations: the clock may jump, the machine may suspend, an operator may request a
    /// renewal.
    private static let longestSleep = 10.0

    private struct State {
        var served: (certificate: IssuedCertificate, since: Date)?
        var status = Status()
        var hasLoaded = false
    }

    /// `install`: Serves the certificate from the next handshake on, and throws if a handshake presents another one.
    package init(
        settings: Settings, store: CertificateStore, solvers: [any ChallengeSolver], dependencies: Dependencies,
        install: @escaping @Sendable (IssuedCertificate) async throws -> Void,
        report: @escaping @Sendable (Event) async -> Void
    ) {
        self.settings = settings
        self.store = store
        self.solvers = solvers
        self.dependencies = dependencies
        self.install = install
        self.report = report
    }

    package var status: Status { state.withLock { $0.status } }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                let next = await self.tick()
                let wait = min(max(next.timeIntervalSince(self.dependencies.now()), 0.05), Self.longestSleep)
                try? await self.dependencies.sleep(wait)
            }
        }
    }

    /// Performs what is due. Does not throw: after any failure the current certificate stays in service.
    ///
    /// - Returns: When the next evaluation is due.
    package func tick() async -> Date {
        do {
            try await load()
            var record = try store.record()
            let next = try await evaluate(&record)
            state.withLock { state in
                state.status.nextAttempt = record.nextAttempt
                state.status.lastError = record.lastError
            }
            return next
        } catch {
            // The program is stopping; a pending order is saved and resumed at the next start.
            if Task.isCancelled { return dependencies.now() }
            let next = dependencies.now().addingTimeInterval(Self.longestSleep)
            state.withLock { $0.status.lastError = "\(error)" }
            await report(.failed("\(error)", next: next))
            return next
        }
    }

    /// Loads and serves the stored certificate, once.
    private func load() async throws {
        guard !state.withLock({ $0.hasLoaded }) else { return }
        let (certificate, quarantined) = try store.latest(for: settings.names)
        for name in quarantined { await report(.quarantined(name)) }
        state.withLock { $0.hasLoaded = true }
        guard let certificate, certificate.notAfter > dependencies.now() else { return }
        var record = try store.record()
        if record.unreportedSerial == certificate.serial {
            await report(.issued(certificate, after: nil))
            record.unreportedSerial = nil
            try store.save(record)
        }
        do {
            try await serve(certificate, since: .distantPast)
        } catch {
            // A stored certificate that cannot be served counts as missing: another one is ordered.
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

    // MARK: Evaluation

    private func evaluate(_ record: inout RenewalRecord) async throws -> Date {
        let served = state.withLock { $0.served }
        if let served { try await updateRenewalInfo(on: served.certificate, since: served.since, &record) }
        let now = dependencies.now()
        let isRequested = try store.isRenewalRequested()
        let renewalInfo = record.renewalInfo.flatMap { $0.renewalID == served?.certificate.renewalID ? $0 : nil }
        let urgency =
            served.map { served in
                RenewalSchedule.urgency(
                    notBefore: served.certificate.notBefore, notAfter: served.certificate.notAfter,
                    suggested: renewalInfo?.renewAt, isRequested: isRequested, at: now)
            } ?? .missing
        guard urgency > .none else {
            let due = served.map {
                RenewalSchedule.due(
                    notBefore: $0.certificate.notBefore, notAfter: $0.certificate.notAfter,
                    suggested: renewalInfo?.renewAt)
            }
            try setNextAttempt(due, &record)
            return [due, renewalInfo?.nextPoll].compactMap(\.self).min() ?? now.addingTimeInterval(Self.longestSleep)
        }
        record.issued.removeAll { $0 < now.addingTimeInterval(-7 * 86_400) }
        switch RenewalSchedule.selectAuthority(from: settings.directories, record, urgency, at: now) {
        case .wait(let date):
            try setNextAttempt(date, &record)
            return date
        case .order(let directory):
            return try await attempt(directory, replacing: served?.certificate, urgency, &record)
        }
    }

    private func setNextAttempt(_ date: Date?, _ record: inout RenewalRecord) throws {
        let date = date.map { Date(timeIntervalSince1970: $0.timeIntervalSince1970.rounded()) }
        guard record.nextAttempt != date else { return }
        record.nextAttempt = date
        try store.save(record)
    }

    private func updateRenewalInfo(on certificate: IssuedCertificate, since: Date, _ record: inout RenewalRecord)
        async throws
    {
        guard let id = certificate.renewalID else { return }
        let now = dependencies.now()
        var renewalInfo =
            record.renewalInfo.flatMap { $0.renewalID == id ? $0 : nil } ?? .init(renewalID: id, nextPoll: now)
        guard renewalInfo.nextPoll <= now else { return }
        let client = ACMEClient(
            directory: certificate.directory, key: AccountKey(), account: nil, now: dependencies.now,
            transport: dependencies.transport)
        do throws(ACMEError) {
            let response = try await client.renewalInfo(id)
            // A CA without renewal information may offer it later.
            renewalInfo.nextPoll =
                response.map { RenewalSchedule.nextPoll($0.retryAfter, at: now) } ?? now.addingTimeInterval(86_400)
            if let info = response?.info, info.start != renewalInfo.start || info.end != renewalInfo.end {
                (renewalInfo.start, renewalInfo.end) = (info.start, info.end)
                renewalInfo.renewAt = RenewalSchedule.renewalTime(
                    in: info, installed: since, random: dependencies.random)
                renewalInfo.explanationURL = info.explanationURL
                if let url = info.explanationURL { await report(.renewalExplained(url)) }
            }
        } catch {
            // Renewal information is optional: without it the lifetime decides. The last response stays valid.
            renewalInfo.nextPoll = max(
                RenewalSchedule.nextPoll(error.retryAfter, at: now), now.addingTimeInterval(3_600))
        }
        record.renewalInfo = renewalInfo
        try store.save(record)
    }
}
