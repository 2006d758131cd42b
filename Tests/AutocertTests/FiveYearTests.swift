import Autocert
import Foundation
import TestSupport
import Testing

/// Simulates five years with a CA that is down one day of each week and once revokes everything.
@Suite struct FiveYearTests {
    struct Case: CustomTestStringConvertible {
        var testDescription: String
        /// Seconds.
        var lifetime: Double
        var hasRenewalInfo: Bool
    }

    private static let day = 86_400.0

    @Test(arguments: [
        Case(testDescription: "90 days", lifetime: 90 * day, hasRenewalInfo: false),
        Case(testDescription: "90 days, with renewal information", lifetime: 90 * day, hasRenewalInfo: true),
        Case(testDescription: "45 days", lifetime: 45 * day, hasRenewalInfo: false),
        Case(testDescription: "45 days, with renewal information", lifetime: 45 * day, hasRenewalInfo: true),
        Case(testDescription: "160 hours", lifetime: 160 * 3_600, hasRenewalInfo: false),
        Case(testDescription: "160 hours, with renewal information", lifetime: 160 * 3_600, hasRenewalInfo: true),
    ])
    func noCertificateExpiresAndNoRateLimitIsExceeded(_ example: Case) async throws {
        let rig = RenewerRig(lifetime: example.lifetime)
        if example.hasRenewalInfo {
            rig.ca.change {
                $0.suggestedWindow = { start, end in (start + (end - start) * 0.65, start + (end - start) * 0.68) }
            }
        }
        let start = rig.clock.now
        let end = start.addingTimeInterval(5 * 365 * Self.day)
        let isDown: @Sendable () -> Bool = { [clock = rig.clock] in
            Int(clock.now.timeIntervalSince(start) / Self.day) % 7 == 3
        }
        let ca = rig.ca
        let transport: ACMETransport = { (request) async throws(ACMEError) in
            if isDown() { throw ACMEError.unreachable("out of order") }
            return try await ca.send(request)
        }
        var renewer = rig.start(transport: transport)
        var ticks = 0
        var expired: [Date] = []
        var isRevoked = false
        while rig.clock.now < end {
            let next = await renewer.tick()
            ticks += 1
            // Without a yield this test would block a thread of the pool for the other tests.
            if ticks % 50 == 0 { await Task.yield() }
            if let notAfter = renewer.status.notAfter, notAfter <= rig.clock.now { expired.append(rig.clock.now) }
            if !isRevoked, rig.clock.now > start.addingTimeInterval(900 * Self.day) {
                ca.revokeAll()
                isRevoked = true
            }
            // The program restarts occasionally.
            if ticks % 97 == 0 { renewer = rig.start(transport: transport) }
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

    /// The largest number of dates in any period of this length.
    private static func most(in dates: [Date], within seconds: Double) -> Int {
        dates.indices.map { index in dates[index...].prefix { $0 < dates[index].addingTimeInterval(seconds) }.count }
            .max() ?? 0
    }
}

extension Date {
    fileprivate static func - (left: Date, right: Date) -> TimeInterval { left.timeIntervalSince(right) }
}
