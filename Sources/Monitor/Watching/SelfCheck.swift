import Synchronization

/// Checks the monitor's own health: anonymous messages for the dead man's switch, `/readyz` and `check`, and incidents
/// for its operators.
package struct SelfCheck: Sendable {
    package let watch: Watch
    /// Returns nil when the statistics cannot be read.
    package let deliveries: @Sendable () async -> [String: DeliveryStatistics]?
    /// Validity of the served certificate; nil when there is none.
    package let certificate: @Sendable () -> CertificateValidity?

    package init(
        watch: Watch, deliveries: @escaping @Sendable () async -> [String: DeliveryStatistics]?,
        certificate: @escaping @Sendable () -> CertificateValidity? = { nil }
    ) {
        self.watch = watch
        self.deliveries = deliveries
        self.certificate = certificate
    }

    /// Seconds. Deliveries are retried at least this often.
    private static let maxWait = Double(RetryPolicy.longest)

    /// Health problems; empty when the monitor is healthy.
    package func healthProblems() async -> [String] {
        let channels = await deliveries()?.values.map { $0 } ?? []
        let isBroken = channels.contains(where: \.isBroken)
        let waits = channels.contains { $0.oldestWaiting > Self.maxWait }
        if isBroken { return watch.healthProblems + ["a notification channel accepts nothing"] }
        return watch.healthProblems + (waits ? ["notifications have been waiting for more than 10 minutes"] : [])
    }

    /// Opens and resolves incidents for the monitor's own problems, which are notified by the channels that work.
    package func report() async {
        let disk = watch.diskSpace?.usedPercent.flatMap {
            MonitorProblem(diskUsed: $0, present: watch.severity(of: MonitorProblem.disk))
        }
        let file = watch.store.alerts.fallbackReason.map { MonitorProblem(file: $0) }
        let now = watch.dependencies.now().wall
        let ending = certificate().flatMap {
            MonitorProblem(certificate: $0, at: now, present: watch.severity(of: MonitorProblem.certificate))
        }
        await watch.report(
            [disk, file, ending].compactMap { $0 },
            by: [MonitorProblem.disk, MonitorProblem.file, MonitorProblem.certificate])
        // Without statistics no incident is resolved.
        guard let channels = await deliveries() else { return }
        await watch.report(
            channels.filter(\.value.isBroken).sorted { $0.key < $1.key }.map {
                MonitorProblem(channel: $0.key, $0.value)
            },
            by: [MonitorProblem.channel])
    }
}

extension Watch {
    /// Why the monitor cannot do its work; empty when it can.
    package var healthProblems: [String] {
        let now = dependencies.now()
        let (statistics, lastTick, pauseDuration, lacksTimeZone) = state.withLock { state in
            (state.statistics, state.lastTickAt, state.evaluator.pauseDuration(at: now), state.schedule.lacksTimeZone)
        }
        return [
            statistics.isStoreHealthy ? nil : "incidents cannot be stored",
            store.alerts.fallbackReason == nil
                ? nil : "incidents and notifications are in memory only: the database file cannot be written",
            failedBeatWrites.isFailing ? "heartbeats cannot be stored" : nil,
            lacksTimeZone ? "planned maintenance cannot start: the machine does not know its time zone" : nil,
            now.monotonic - lastTick > 3 * timing.stall ? "the evaluation loop is stalled" : nil,
            pauseDuration > timing.sev1
                ? "evaluation has been paused for minutes: its clock or its machine is unstable" : nil,
        ].compactMap { $0 }
    }
}

extension Watch {
    /// Severity of the open incident of one of the monitor's own rules.
    fileprivate func severity(of rule: String) -> Severity? {
        state.withLock {
            $0.evaluator.incidents.open.values.first { $0.incident.node == nil && $0.incident.rule == rule }
        }?
        .incident.severity
    }
}

extension MonitorProblem {
    /// Applies the same limits as for nodes. Nil while the certificate is renewed in time.
    fileprivate init?(certificate: CertificateValidity, at now: Int64, present: Severity?) {
        let gone = Double(now - certificate.from) / Double(max(certificate.until - certificate.from, 1))
        guard let severity = Rule.named("certificate")?.severity(of: gone, present: present) else { return nil }
        let hours = (certificate.until - now) / 3_600_000
        self.init(
            rule: Self.certificate, name: "hub", severity: severity,
            title: "The monitor's own certificate is not being renewed",
            detail: hours > 48 ? "\(hours / 24) days left." : hours > 0 ? "\(hours) hours left." : "It has expired.")
    }

    /// Applies the same limits as for nodes. Nil while there is enough space. `used`: In percent.
    fileprivate init?(diskUsed used: Double, present: Severity?) {
        guard let severity = Rule.named("disk")?.severity(of: used, present: present) else { return nil }
        self.init(
            rule: Self.disk, name: "hub", severity: severity, title: "The monitor's own disk is filling up",
            detail: "\((used * 10).rounded() / 10) % used.")
    }

    fileprivate init(file reason: String) {
        self.init(
            rule: Self.file, name: "hub", severity: .sev1, title: "The monitor cannot write its database file",
            detail: "Alarms continue from memory and would be lost at a restart: free disk space first. \(reason).")
    }

    fileprivate init(channel: String, _ statistics: DeliveryStatistics) {
        let some =
            statistics.recipients > 1
            ? " Of \(statistics.recipients) recipients, \(statistics.failingRecipients) receive nothing." : ""
        self.init(
            rule: Self.channel, name: channel, severity: .sev2, title: "The channel \(channel) accepts nothing",
            detail: "\(statistics.lastError ?? "")\(statistics.lastError == nil ? "" : ".")\(some)")
    }
}
