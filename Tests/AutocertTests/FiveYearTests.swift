import Autocert
import Foundation
import TestSupport
import Testing

/// Five years in a second: a CA that is down one day of each week, and that revokes everything once.
@Suite struct FiveYearTests {
    struct Case: CustomTestStringConvertible {
        var testDescription: String
        /// Seconds.
        var lifetime: Double
        var advises: Bool
    }

    private static let day = 86_400.0

    @Test(arguments: [
        Case(testDescription: "90 days", lifetime: 90 * day, advises: false),
        Case(testDescription: "90 days, with advice", lifetime: 90 * day, advises: true),
        Case(testDescription: "45 days", lifetime: 45 * day, advises: false),
        Case(testDescription: "45 days, with advice", lifetime: 45 * day, advises: true),
        Case(testDescription: "160 hours", lifetime: 160 * 3_600, advises: false),
        Case(testDescription: "160 hours, with advice", lifetime: 160 * 3_600, advises: true),
    ])
    func neverExpiredAndNeverOverTheLimits(_ example: Case) async throws {
        let rig = Rig(lifetime: example.lifetime)
        if example.advises {
            rig.ca.change { $0.advice = { start, end in (start + (end - start) * 0.65, start + (end - start) * 0.68) } }
        }
        let began = rig.clock.now
        let end = began.addingTimeInterval(5 * 365 * Self.day)
        let isDown: @Sendable () -> Bool = { [clock = rig.clock] in
            Int(clock.now.timeIntervalSince(began) / Self.day) % 7 == 3
        }
        let ca = rig.ca
        let send: WebSend = { (request) async throws(ACMEError) in
            if isDown() { throw ACMEError.unreachable("out of order") }
            return try await ca.send(request)
        }
        var keeper = rig.start(send: send)
        var steps = 0
        var expired: [Date] = []
        var isRevoked = false
        while rig.clock.now < end {
            let next = await keeper.step()
            steps += 1
            // Five years without a pause would keep a thread from the other tests.
            if steps % 50 == 0 { await Task.yield() }
            if let notAfter = keeper.status.notAfter, notAfter <= rig.clock.now { expired.append(rig.clock.now) }
            if !isRevoked, rig.clock.now > began.addingTimeInterval(900 * Self.day) {
                ca.revokeAll()
                isRevoked = true
            }
            // The program is restarted now and then.
            if steps % 97 == 0 { keeper = rig.start(send: send) }
            rig.clock.now = max(next, rig.clock.now.addingTimeInterval(60))
        }
        let issued = ca.record.issued.map(\.at)
        #expect(expired.isEmpty)
        #expect(Self.most(in: issued, within: 7 * Self.day) <= 5, "the same names in seven days")
        #expect(Self.most(in: ca.record.orders, within: 3 * 3_600) <= 9, "orders in three hours")
        #expect(ca.record.failedValidations.isEmpty)
        #expect(issued.count > Int(5 * 365 * Self.day / example.lifetime), "\(issued.count)")
        #expect(issued.count < Int(2.6 * 5 * 365 * Self.day / example.lifetime), "\(issued.count)")
    }

    /// The largest number of dates in any span.
    private static func most(in dates: [Date], within seconds: Double) -> Int {
        dates.indices.map { index in dates[index...].prefix { $0 < dates[index].addingTimeInterval(seconds) }.count }
            .max() ?? 0
    }
}

extension Date {
    fileprivate static func - (left: Date, right: Date) -> TimeInterval { left.timeIntervalSince(right) }
}
