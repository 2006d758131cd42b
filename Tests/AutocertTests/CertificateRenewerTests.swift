import Autocert
import Foundation
import Synchronization
import TestSupport
import Testing

/// The renewer from an empty directory to a certificate, with restarts, crashes and a full disk.
@Suite struct CertificateRenewerTests {
    @Test func anEmptyDirectoryGetsACertificateInOneTick() async throws {
        let rig = RenewerRig()
        let renewer = rig.start()
        _ = await renewer.tick()
        let certificate = try #require(rig.recorded.installed.first)
        let stored = try rig.store.latest(for: ["node.example.org"])
        #expect(rig.recorded.failures.isEmpty)
        #expect(certificate.names == ["node.example.org"])
        #expect(stored.certificate?.serial == certificate.serial)
        #expect(renewer.status.notAfter == certificate.notAfter)
        #expect(rig.challenges.response(path: HTTP01Solver.path + "token-0") == nil, "the response is removed")
    }

    @Test func aRestartServesTheStoredCertificateAndOrdersNone() async throws {
        let rig = RenewerRig()
        _ = await rig.start().tick()
        _ = await rig.start().tick()
        #expect(rig.recorded.installed.map(\.serial).count == 2)
        #expect(rig.recorded.installed[0].serial == rig.recorded.installed[1].serial)
        #expect(rig.ca.record.orders.count == 1)
    }

    @Test func aStoredCertificateThatCannotBeServedIsReplaced() async throws {
        let rig = RenewerRig()
        _ = await rig.start().tick()
        let stored = try #require(rig.recorded.installed.first)
        struct Unfit: Error {}
        _ = await rig.start(install: {
            if $0.serial == stored.serial { throw Unfit() } else { rig.recorded.install($0) }
        })
        .tick()
        #expect(rig.recorded.installed.count == 2)
        #expect(rig.recorded.failures.first?.contains("cannot be served") == true)
    }

    @Test func aCertificateThatFailsTheSelfCheckIsReportedAndNotServed() async throws {
        let rig = RenewerRig()
        struct NotShown: Error {}
        let renewer = rig.start(install: { _ in throw NotShown() })
        _ = await renewer.tick()
        #expect(rig.recorded.failures.first?.contains("handshake") == true)
        #expect(renewer.status.notAfter == nil)
        #expect((renewer.status.nextAttempt ?? .distantPast) > rig.clock.now, "no immediate retry")
    }

    /// The CA is still validating when the program stops.
    @Test func anOrderInterruptedByShutdownIsNoFailure() async throws {
        let rig = RenewerRig()
        rig.ca.change { behaviour in
            behaviour.validate = { _, _, _ in "not yet" }
            behaviour.leavesPending = true
        }
        let renewer = rig.start(sleep: {
            unsafe withUnsafeCurrentTask { unsafe $0?.cancel() }
            throw CancellationError()
        })
        _ = await Task { await renewer.tick() }.value
        #expect(rig.recorded.failures == [])
        #expect(renewer.status.lastError == nil)
        #expect(rig.ca.record.orders.count == 1)
    }

    @Test func severalNamesShareOneCertificate() async throws {
        let rig = RenewerRig(["a.example.org", "b.example.org", "c.example.org"])
        _ = await rig.start().tick()
        #expect(rig.recorded.installed.first?.names == ["a.example.org", "b.example.org", "c.example.org"])
        #expect(rig.recorded.failures.isEmpty)
    }

    @Test func aCertificateIsRenewedWhenAThirdOfItsLifetimeIsLeft() async throws {
        let rig = RenewerRig()
        let renewer = rig.start()
        _ = await renewer.tick()
        let first = try #require(rig.recorded.installed.first)
        rig.clock.now = first.notAfter.addingTimeInterval(-31 * 86_400)
        _ = await renewer.tick()
        #expect(rig.recorded.installed.count == 1)
        rig.clock.now = first.notAfter.addingTimeInterval(-30 * 86_400 + 1)
        _ = await renewer.tick()
        #expect(rig.recorded.installed.count == 2)
        #expect(rig.recorded.installed[1].keyPEM != first.keyPEM, "a new key each time")
    }

    @Test func aShortLivedCertificateIsRenewedAtHalfItsLifetime() async throws {
        let rig = RenewerRig(lifetime: 160 * 3_600)
        let renewer = rig.start()
        _ = await renewer.tick()
        let first = try #require(rig.recorded.installed.first)
        rig.clock.now = first.notAfter.addingTimeInterval(-80 * 3_600 - 60)
        _ = await renewer.tick()
        #expect(rig.recorded.installed.count == 1)
        rig.clock.advance(by: 61)
        _ = await renewer.tick()
        #expect(rig.recorded.installed.count == 2)
    }

    @Test func aRenewalRequestIsFulfilledOnce() async throws {
        let rig = RenewerRig()
        let renewer = rig.start()
        _ = await renewer.tick()
        try rig.store.requestRenewal()
        rig.clock.advance(by: 60)
        _ = await renewer.tick()
        _ = await renewer.tick()
        #expect(rig.recorded.installed.count == 2)
    }

    // MARK: Crashes

    /// The program crashes after its n-th request, for every n: the order is resumed, not placed again.
    @Test func aCrashBetweenAnyTwoRequestsPlacesNoSecondOrder() async throws {
        struct Killed: Error {}
        let whole = RenewerRig(["a.example.org", "b.example.org"])
        _ = await whole.start().tick()
        let requests = whole.ca.record.requests.count
        try #require(requests > 10)
        for fatal in 1...requests {
            let rig = RenewerRig(["a.example.org", "b.example.org"])
            let ca = rig.ca
            let count = Mutex(0)
            // The response to the fatal request never arrives, and nothing is written after it.
            let renewer = rig.start { (request) async throws(ACMEError) in
                let response = try await ca.send(request)
                if count.withLock({
                    $0 += 1; return $0 >= fatal
                }) {
                    rig.files.isFull = true
                    throw ACMEError.unreachable("killed")
                }
                return response
            }
            _ = await renewer.tick()
            rig.files.isFull = false
            rig.clock.advance(by: 7_200)
            let next = rig.start()
            _ = await next.tick()
            let orders = ca.record.orders.count
            #expect(rig.recorded.installed.count == 1, "killed after \(fatal) of \(requests)")
            // An order whose URL never arrived is lost; every other one is resumed.
            #expect(
                orders == 1 || orders == 2 && whole.ca.record.requests[fatal - 1] == "new-order",
                "killed after \(fatal)")
            #expect(ca.record.issued.count == 1, "killed after \(fatal)")
        }
    }

    /// The program crashes after it saved the certificate and before it reported it: the next start reports it, once.
    @Test func aCertificateUnreportedBecauseOfACrashIsReportedAtTheNextStart() async throws {
        struct Killed: Error {}
        let rig = RenewerRig()
        func reports() -> Int { rig.recorded.events.count { if case .issued = $0 { true } else { false } } }
        let files = rig.files
        _ = await rig.start(install: { _ in
            files.isFull = true
            throw Killed()
        }).tick()
        #expect(reports() == 0)
        rig.files.isFull = false
        for _ in 0..<3 { _ = await rig.start().tick() }
        #expect(reports() == 1)
        #expect(rig.ca.record.issued.count == 1)
    }

    @Test func aCrashLoopDoesNotExhaustTheRateLimits() async throws {
        let rig = RenewerRig()
        let ca = rig.ca
        for _ in 0..<500 {
            // The program crashes right after ordering, and systemd restarts it ten seconds later.
            let renewer = rig.start { (request) async throws(ACMEError) in
                let response = try await ca.send(request)
                if request.url.hasSuffix("/new-order") {
                    rig.files.isFull = true
                    throw ACMEError.unreachable("killed")
                }
                return response
            }
            _ = await renewer.tick()
            rig.files.isFull = false
            rig.clock.advance(by: 10)
        }
        #expect(ca.record.orders.count <= 8, "\(ca.record.orders.count) orders in 83 minutes")
    }

    // MARK: Storage

    @Test func aFullDiskKeepsTheOldCertificateAndOrdersNone() async throws {
        let rig = RenewerRig()
        let renewer = rig.start()
        _ = await renewer.tick()
        rig.clock.advance(by: 70 * 86_400)
        rig.files.isFull = true
        _ = await renewer.tick()
        #expect(rig.recorded.installed.count == 1)
        #expect(!rig.recorded.failures.isEmpty)
        #expect(rig.ca.record.orders.count == 1, "nothing is ordered that could not be saved")
        rig.files.isFull = false
        _ = await renewer.tick()
        #expect(rig.recorded.installed.count == 2)
    }

    @Test func aTruncatedFileIsQuarantinedAndThePreviousOneServed() async throws {
        let rig = RenewerRig()
        let renewer = rig.start()
        _ = await renewer.tick()
        rig.clock.advance(by: 70 * 86_400)
        _ = await renewer.tick()
        let newest = try #require(try rig.files.names().filter { $0.hasPrefix("certificate-") }.max())
        rig.files[newest] = Array(try #require(rig.files[newest]).dropLast(100))
        _ = await rig.start().tick()
        #expect(rig.recorded.installed.map(\.serial)[2] == rig.recorded.installed.map(\.serial)[0])
        #expect(rig.files["bad-\(newest)"] != nil)
    }
}
