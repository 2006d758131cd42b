import Synchronization

/// What is wrong with the monitor itself: in words that name nobody, for the dead man's switch, `/readyz` and `check`, and
/// as incidents that its operators are told of.
package struct SelfCheck: Sendable {
    package let watch: Watch
    /// Nil when it cannot be told.
    package let deliveries: @Sendable () async -> [String: DeliveryFigures]?
    /// Of the certificate that is served; nil when there is none.
    package let certificate: @Sendable () -> CertificateLife?

    package init(
        watch: Watch, deliveries: @escaping @Sendable () async -> [String: DeliveryFigures]?,
        certificate: @escaping @Sendable () -> CertificateLife? = { nil }
    ) {
        self.watch = watch
        self.deliveries = deliveries
        self.certificate = certificate
    }

    /// Seconds. The delivery tries again at least this often.
    private static let longestWait = Double(RetryRule.longest)

    /// Empty when all is well.
    package func ills() async -> [String] {
        let channels = await deliveries()?.values.map { $0 } ?? []
        let isBroken = channels.contains(where: \.isBroken)
        let waits = channels.contains { $0.oldestWaiting > Self.longestWait }
        if isBroken { return watch.ills + ["a notification channel takes nothing"] }
        return watch.ills + (waits ? ["notifications wait for more than 10 minutes"] : [])
    }

    /// Tells the operators, by the channels that work, of what the monitor finds wrong with itself.
    package func report() async {
        let disk = watch.room?.share.flatMap { OwnProblem(diskUsed: $0, present: watch.severity(of: OwnProblem.disk)) }
        let file = watch.store.ledger.trouble.map { OwnProblem(file: $0) }
        let now = watch.world.now().wall
        let ending = certificate().flatMap {
            OwnProblem(certificate: $0, at: now, present: watch.severity(of: OwnProblem.certificate))
        }
        await watch.report(
            [disk, file, ending].compactMap { $0 }, by: [OwnProblem.disk, OwnProblem.file, OwnProblem.certificate])
        // Where nothing is known, nothing is over.
        guard let channels = await deliveries() else { return }
        await watch.report(
            channels.filter(\.value.isBroken).sorted { $0.key < $1.key }.map { OwnProblem(channel: $0.key, $0.value) },
            by: [OwnProblem.channel])
    }
}

extension Watch {
    /// Why it cannot do its work, should that be so.
    package var ills: [String] {
        let now = world.now()
        let (figures, lastLook, doubt, lacksZone) = state.withLock { state in
            (state.figures, state.lookedAt, state.judge.doubt(at: now), state.agenda.lacksZone)
        }
        return [
            figures.isStoreWell ? nil : "incidents cannot be written down",
            store.ledger.trouble == nil ? nil : "what is told stands in memory only, for the file cannot be written",
            unwritten.isGoingOn ? "beats cannot be written down" : nil,
            lacksZone ? "planned work cannot begin: the machine does not know its time zone" : nil,
            now.steady - lastLook > 3 * timing.stall ? "the time is not looked at" : nil,
            doubt > timing.sev1 ? "its clock or its machine has not let it judge anybody for minutes" : nil,
        ].compactMap { $0 }
    }
}

extension Watch {
    /// Of an incident of the monitor's own.
    fileprivate func severity(of rule: String) -> Severity? {
        state.withLock { $0.judge.book.open.values.first { $0.incident.node == nil && $0.incident.rule == rule } }?
            .incident.severity
    }
}

/// When a certificate is good, in Unix milliseconds.
package struct CertificateLife: Equatable, Sendable {
    package let from: Int64
    package let until: Int64

    package init(from: Int64, until: Int64) {
        self.from = from
        self.until = until
    }
}

extension OwnProblem {
    /// By the limits that nodes have. Nil while it is renewed in time.
    fileprivate init?(certificate: CertificateLife, at now: Int64, present: Severity?) {
        let gone = Double(now - certificate.from) / Double(max(certificate.until - certificate.from, 1))
        guard let severity = Rule.named("certificate")?.severity(of: gone, present: present) else { return nil }
        let hours = (certificate.until - now) / 3_600_000
        self.init(
            rule: Self.certificate, name: "hub", severity: severity,
            title: "The monitor's own certificate is not being renewed",
            detail: hours > 48 ? "\(hours / 24) days left." : hours > 0 ? "\(hours) hours left." : "It has ended.")
    }

    /// By the limits that nodes have. Nil where there is room enough. `used`: In percent.
    fileprivate init?(diskUsed used: Double, present: Severity?) {
        guard let severity = Rule.named("disk")?.severity(of: used, present: present) else { return nil }
        self.init(
            rule: Self.disk, name: "hub", severity: severity, title: "The monitor's own disk is filling up",
            detail: "\((used * 10).rounded() / 10) % used.")
    }

    fileprivate init(file reason: String) {
        self.init(
            rule: Self.file, name: "hub", severity: .sev1, title: "The monitor cannot write its file",
            detail: "Alarms go on from memory and would be forgotten at a restart: make room first. \(reason).")
    }

    fileprivate init(channel: String, _ figures: DeliveryFigures) {
        let some = figures.lines > 1 ? " Of \(figures.lines) recipients \(figures.failingLines) get nothing." : ""
        self.init(
            rule: Self.channel, name: channel, severity: .sev2, title: "The channel \(channel) takes nothing",
            detail: "\(figures.lastError ?? "")\(figures.lastError == nil ? "" : ".")\(some)")
    }
}
