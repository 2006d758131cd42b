package import FoundationEssentials

/// When to do what: dates in, dates out.
package enum Schedule {
    package enum Urgency: Comparable, Sendable {
        case none
        case routine
        /// A twentieth of the lifetime is left.
        case emergency
        /// There is nothing to serve.
        case missing
    }

    private static let hour: TimeInterval = 3_600
    private static let day = 24 * hour
    /// Of the same names in seven days. Let's Encrypt refuses the sixth for a day and a half each.
    private static let weekly = (routine: 4, emergency: 5)
    private static let hourly = 3

    // MARK: When a certificate is due

    /// How pressing it is to have a new one.
    package static func urgency(
        notBefore: Date, notAfter: Date, advised moment: Date?, isRequested: Bool, at now: Date
    ) -> Urgency {
        let lifetime = notAfter.timeIntervalSince(notBefore)
        if now >= notAfter { return .missing }
        if now >= notAfter.addingTimeInterval(-lifetime / 20) { return .emergency }
        return isRequested || now >= due(notBefore: notBefore, notAfter: notAfter, advised: moment) ? .routine : .none
    }

    /// The moment that the CA advised, else a third of the lifetime before the end; for less than ten days a half.
    package static func due(notBefore: Date, notAfter: Date, advised moment: Date?) -> Date {
        let lifetime = notAfter.timeIntervalSince(notBefore)
        if let moment { return min(moment, notAfter.addingTimeInterval(-lifetime / 20)) }
        return notAfter.addingTimeInterval(-lifetime / (lifetime < 10 * day ? 2 : 3))
    }

    /// A moment in a window, drawn at random; at once, if the window is over (which is how a CA says "revoked").
    ///
    /// A certificate that is hardly served has no business being renewed, whatever the window says: one CA's stale
    /// answers cost their users five certificates in ten seconds.
    package static func moment(
        in info: RenewalInfo, installed: Date, random: (ClosedRange<Double>) -> Double
    ) -> Date {
        let length = info.end.timeIntervalSince(info.start)
        let drawn = info.start.addingTimeInterval(random(0...max(0, length)))
        return max(drawn, installed.addingTimeInterval(hour))
    }

    // MARK: Whom to ask, and when

    /// A CA to order from now, or when to think again.
    package enum Choice: Equatable, Sendable {
        case order(from: String)
        case wait(until: Date)
    }

    /// The first CA that may be asked. Another than the first only when that one failed three times in a row, or when
    /// it presses.
    package static func choose(
        among directories: [String], _ ledger: Ledger, _ urgency: Urgency, at now: Date
    ) -> Choice {
        if let date = weeklyFloor(ledger, urgency), date > now { return .wait(until: date) }
        let hasGivenUp = (directories.first.flatMap { ledger.authorities[$0]?.failures } ?? 0) >= 3
        let allowed = urgency > .routine || hasGivenUp ? directories[...] : directories.prefix(1)
        var earliest: Date?
        for directory in allowed {
            let date = opening(of: ledger.authorities[directory] ?? .init(), at: now)
            if date <= now { return .order(from: directory) }
            earliest = min(earliest ?? date, date)
        }
        return .wait(until: earliest ?? now.addingTimeInterval(hour))
    }

    private static func opening(of authority: Ledger.Authority, at now: Date) -> Date {
        let recent = authority.orders.filter { $0 > now.addingTimeInterval(-hour) }.sorted()
        let floor = recent.count >= hourly ? recent[recent.count - hourly].addingTimeInterval(hour) : .distantPast
        return max(authority.notBefore ?? .distantPast, floor)
    }

    private static func weeklyFloor(_ ledger: Ledger, _ urgency: Urgency) -> Date? {
        let most = urgency > .routine ? weekly.emergency : weekly.routine
        let issued = ledger.issued.sorted()
        guard issued.count >= most else { return nil }
        return issued[issued.count - most].addingTimeInterval(7 * day)
    }

    // MARK: After a failure

    /// When to try the same CA again: after 1, 10 and 100 minutes, then a day (Let's Encrypt's advice), give or take a
    /// fifth; sooner when it presses, and never before the CA's own wish.
    package static func retry(
        after failures: Int, _ urgency: Urgency, retryAfter: Date?, at now: Date,
        random: (ClosedRange<Double>) -> Double
    ) -> Date {
        let steps: [TimeInterval] = [60, 600, 6_000, day]
        var span = steps[min(max(failures, 1), steps.count) - 1]
        if urgency > .routine { span = min(span, hour) }
        return max(now.addingTimeInterval(span * random(0.8...1.2)), retryAfter ?? .distantPast)
    }

    /// When to ask for advice again: when the CA says, between a minute and a day, else in six hours.
    package static func askAgain(_ retryAfter: Date?, at now: Date) -> Date {
        guard let retryAfter else { return now.addingTimeInterval(6 * hour) }
        return min(max(retryAfter, now.addingTimeInterval(60)), now.addingTimeInterval(day))
    }
}
