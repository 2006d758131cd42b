package import FoundationEssentials

/// Computes when to renew, which CA to use and when to retry. Pure functions of dates.
package enum RenewalSchedule {
    package enum Urgency: Comparable, Sendable {
        case none
        case routine
        /// At most a twentieth of the lifetime is left.
        case emergency
        /// There is no valid certificate.
        case missing
    }

    private static let hour: TimeInterval = 3_600
    private static let day = 24 * hour
    /// Certificates for the same names in seven days. Let's Encrypt allows five, and then one more each day and a half.
    private static let weeklyLimit = (routine: 4, emergency: 5)
    private static let hourlyOrderLimit = 3

    // MARK: When a certificate is due

    /// How urgent a renewal is.
    package static func urgency(
        notBefore: Date, notAfter: Date, suggested renewAt: Date?, isRequested: Bool, at now: Date
    ) -> Urgency {
        let lifetime = notAfter.timeIntervalSince(notBefore)
        if now >= notAfter { return .missing }
        if now >= notAfter.addingTimeInterval(-lifetime / 20) { return .emergency }
        return isRequested || now >= due(notBefore: notBefore, notAfter: notAfter, suggested: renewAt)
            ? .routine : .none
    }

    /// The time that the CA suggests, else when a third of the lifetime is left; half for lifetimes below ten days.
    package static func due(notBefore: Date, notAfter: Date, suggested renewAt: Date?) -> Date {
        let lifetime = notAfter.timeIntervalSince(notBefore)
        if let renewAt { return min(renewAt, notAfter.addingTimeInterval(-lifetime / 20)) }
        return notAfter.addingTimeInterval(-lifetime / (lifetime < 10 * day ? 2 : 3))
    }

    /// A random time in the window; immediately, if the window has passed (the CA's signal for a revoked certificate).
    ///
    /// At the earliest an hour after installation, whatever the window says: one CA's stale responses cost its users five
    /// certificates in ten seconds.
    package static func renewalTime(
        in info: RenewalInfo, installed: Date, random: (ClosedRange<Double>) -> Double
    ) -> Date {
        let length = info.end.timeIntervalSince(info.start)
        let drawn = info.start.addingTimeInterval(random(0...max(0, length)))
        return max(drawn, installed.addingTimeInterval(hour))
    }

    // MARK: Which CA to use

    /// The CA to order from now, or when to evaluate again.
    package enum Choice: Equatable, Sendable {
        case order(from: String)
        case wait(until: Date)
    }

    /// The first CA that may be used now. Others than the first are allowed after three consecutive failures of the first,
    /// and in an emergency.
    package static func selectAuthority(
        from directories: [String], _ record: RenewalRecord, _ urgency: Urgency, at now: Date
    ) -> Choice {
        if let date = weeklyLimitEnd(record, urgency), date > now { return .wait(until: date) }
        let hasFirstFailed = (directories.first.flatMap { record.authorities[$0]?.failures } ?? 0) >= 3
        let allowed = urgency > .routine || hasFirstFailed ? directories[...] : directories.prefix(1)
        var earliest: Date?
        for directory in allowed {
            let date = earliestOrder(at: record.authorities[directory] ?? .init(), now: now)
            if date <= now { return .order(from: directory) }
            earliest = min(earliest ?? date, date)
        }
        return .wait(until: earliest ?? now.addingTimeInterval(hour))
    }

    private static func earliestOrder(at authority: RenewalRecord.Authority, now: Date) -> Date {
        let recent = authority.orders.filter { $0 > now.addingTimeInterval(-hour) }.sorted()
        let hourlyLimitEnd =
            recent.count >= hourlyOrderLimit
            ? recent[recent.count - hourlyOrderLimit].addingTimeInterval(hour) : .distantPast
        return max(authority.notBefore ?? .distantPast, hourlyLimitEnd)
    }

    private static func weeklyLimitEnd(_ record: RenewalRecord, _ urgency: Urgency) -> Date? {
        let limit = urgency > .routine ? weeklyLimit.emergency : weeklyLimit.routine
        let issued = record.issued.sorted()
        guard issued.count >= limit else { return nil }
        return issued[issued.count - limit].addingTimeInterval(7 * day)
    }

    // MARK: Retries

    /// When to retry the same CA: after 1, 10 and 100 minutes, then a day (as Let's Encrypt recommends), with 20 % jitter;
    /// within an hour in an emergency, and never before the CA's Retry-After.
    package static func retry(
        after failures: Int, _ urgency: Urgency, retryAfter: Date?, at now: Date,
        random: (ClosedRange<Double>) -> Double
    ) -> Date {
        let steps: [TimeInterval] = [60, 600, 6_000, day]
        var delay = steps[min(max(failures, 1), steps.count) - 1]
        if urgency > .routine { delay = min(delay, hour) }
        return max(now.addingTimeInterval(delay * random(0.8...1.2)), retryAfter ?? .distantPast)
    }

    /// When to fetch renewal information again: at the CA's Retry-After, between a minute and a day, else in six hours.
    package static func nextPoll(_ retryAfter: Date?, at now: Date) -> Date {
        guard let retryAfter else { return now.addingTimeInterval(6 * hour) }
        return min(max(retryAfter, now.addingTimeInterval(60)), now.addingTimeInterval(day))
    }
}
