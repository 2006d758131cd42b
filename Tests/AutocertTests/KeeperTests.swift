import Autocert
import Foundation
import Synchronization
import TestSupport
import Testing

/// From an empty folder to a certificate, and what happens when anything goes wrong on the way.
@Suite struct KeeperTests {
    @Test func anEmptyFolderGetsACertificateInOneStep() async throws {
        let rig = Rig()
        let keeper = rig.start()
        _ = await keeper.step()
        let certificate = try #require(rig.seen.installed.first)
        let stored = try rig.store.latest(for: ["node.example.org"])
        #expect(rig.seen.failures.isEmpty)
        #expect(certificate.names == ["node.example.org"])
        #expect(stored.certificate?.serial == certificate.serial)
        #expect(keeper.status.notAfter == certificate.notAfter)
        #expect(rig.challenges.answer(path: HTTPChallenges.path + "token-0") == nil, "the answer is withdrawn")
    }

    @Test func aRestartServesTheStoredOneAndAsksForNone() async throws {
        let rig = Rig()
        _ = await rig.start().step()
        _ = await rig.start().step()
        #expect(rig.seen.installed.map(\.serial).count == 2)
        #expect(rig.seen.installed[0].serial == rig.seen.installed[1].serial)
        #expect(rig.ca.record.orders.count == 1)
    }

    @Test func aStoredOneThatCannotBeServedIsReplaced() async throws {
        let rig = Rig()
        _ = await rig.start().step()
        let stored = try #require(rig.seen.installed.first)
        struct Unfit: Error {}
        _ = await rig.start(install: { if $0.serial == stored.serial { throw Unfit() } else { rig.seen.install($0) } })
            .step()
        #expect(rig.seen.installed.count == 2)
        #expect(rig.seen.failures.first?.contains("cannot be served") == true)
    }

    @Test func oneThatAHandshakeDoesNotShowIsAFailureAndTheOldOneStays() async throws {
        let rig = Rig()
        struct NotShown: Error {}
        let keeper = rig.start(install: { _ in throw NotShown() })
        _ = await keeper.step()
        #expect(rig.seen.failures.first?.contains("handshake") == true)
        #expect(keeper.status.notAfter == nil)
        #expect((keeper.status.nextAttempt ?? .distantPast) > rig.clock.now, "and not at once again")
    }

    /// The CA is still looking when the program is told to end.
    @Test func anOrderThatTheProgramsEndInterruptsIsNoFailureAndGoesOnLater() async throws {
        let rig = Rig()
        rig.ca.change { behaviour in
            behaviour.look = { _, _, _ in "not yet" }
            behaviour.leavesPending = true
        }
        let keeper = rig.start(sleep: {
            unsafe withUnsafeCurrentTask { unsafe $0?.cancel() }
            throw CancellationError()
        })
        _ = await Task { await keeper.step() }.value
        #expect(rig.seen.failures == [])
        #expect(keeper.status.lastError == nil)
        #expect(rig.ca.record.orders.count == 1)
    }

    @Test func severalNamesShareOneCertificate() async throws {
        let rig = Rig(["a.example.org", "b.example.org", "c.example.org"])
        _ = await rig.start().step()
        #expect(rig.seen.installed.first?.names == ["a.example.org", "b.example.org", "c.example.org"])
        #expect(rig.seen.failures.isEmpty)
    }

    @Test func itIsRenewedWhenAThirdOfItsLifeIsLeft() async throws {
        let rig = Rig()
        let keeper = rig.start()
        _ = await keeper.step()
        let first = try #require(rig.seen.installed.first)
        rig.clock.now = first.notAfter.addingTimeInterval(-31 * 86_400)
        _ = await keeper.step()
        #expect(rig.seen.installed.count == 1)
        rig.clock.now = first.notAfter.addingTimeInterval(-30 * 86_400 + 1)
        _ = await keeper.step()
        #expect(rig.seen.installed.count == 2)
        #expect(rig.seen.installed[1].keyPEM != first.keyPEM, "a new key each time")
    }

    @Test func aShortOneIsRenewedAtHalfItsLife() async throws {
        let rig = Rig(lifetime: 160 * 3_600)
        let keeper = rig.start()
        _ = await keeper.step()
        let first = try #require(rig.seen.installed.first)
        rig.clock.now = first.notAfter.addingTimeInterval(-80 * 3_600 - 60)
        _ = await keeper.step()
        #expect(rig.seen.installed.count == 1)
        rig.clock.advance(by: 61)
        _ = await keeper.step()
        #expect(rig.seen.installed.count == 2)
    }

    @Test func anOperatorsWishIsFulfilledOnce() async throws {
        let rig = Rig()
        let keeper = rig.start()
        _ = await keeper.step()
        try rig.store.requestRenewal()
        rig.clock.advance(by: 60)
        _ = await keeper.step()
        _ = await keeper.step()
        #expect(rig.seen.installed.count == 2)
    }

    // MARK: Crashes

    /// The program dies after its n-th request, for every n: the order is gone on with, not made again.
    @Test func aCrashBetweenAnyTwoRequestsCostsNoSecondOrder() async throws {
        struct Killed: Error {}
        let whole = Rig(["a.example.org", "b.example.org"])
        _ = await whole.start().step()
        let requests = whole.ca.record.requests.count
        try #require(requests > 10)
        for fatal in 1...requests {
            let rig = Rig(["a.example.org", "b.example.org"])
            let ca = rig.ca
            let count = Mutex(0)
            // What the CA answers to the fatal request never arrives, and nothing is written after it.
            let keeper = rig.start { (request) async throws(ACMEError) in
                let answer = try await ca.send(request)
                if count.withLock({
                    $0 += 1; return $0 >= fatal
                }) {
                    rig.files.isFull = true
                    throw ACMEError.unreachable("killed")
                }
                return answer
            }
            _ = await keeper.step()
            rig.files.isFull = false
            rig.clock.advance(by: 7_200)
            let next = rig.start()
            _ = await next.step()
            let orders = ca.record.orders.count
            #expect(rig.seen.installed.count == 1, "killed after \(fatal) of \(requests)")
            // An order whose address never arrived is lost; every other one is gone on with.
            #expect(
                orders == 1 || orders == 2 && whole.ca.record.requests[fatal - 1] == "new-order",
                "killed after \(fatal)")
            #expect(ca.record.issued.count == 1, "killed after \(fatal)")
        }
    }

    /// The program dies with the certificate on the disk, before anybody was told: the next start tells, once.
    @Test func whatNobodyHeardOfBecauseOfACrashIsReportedByTheNextStart() async throws {
        struct Killed: Error {}
        let rig = Rig()
        func reports() -> Int { rig.seen.events.count { if case .issued = $0 { true } else { false } } }
        let files = rig.files
        _ = await rig.start(install: { _ in
            files.isFull = true
            throw Killed()
        }).step()
        #expect(reports() == 0)
        rig.files.isFull = false
        for _ in 0..<3 { _ = await rig.start().step() }
        #expect(reports() == 1)
        #expect(rig.ca.record.issued.count == 1)
    }

    @Test func aCrashLoopBurnsNoLimits() async throws {
        let rig = Rig()
        let ca = rig.ca
        for _ in 0..<500 {
            // Dies right after ordering, and systemd starts it again ten seconds later.
            let keeper = rig.start { (request) async throws(ACMEError) in
                let answer = try await ca.send(request)
                if request.url.hasSuffix("/new-order") {
                    rig.files.isFull = true
                    throw ACMEError.unreachable("killed")
                }
                return answer
            }
            _ = await keeper.step()
            rig.files.isFull = false
            rig.clock.advance(by: 10)
        }
        #expect(ca.record.orders.count <= 8, "\(ca.record.orders.count) orders in 83 minutes")
    }

    // MARK: Storing

    @Test func aFullDiskKeepsTheOldOneInServiceAndOrdersNoneAnew() async throws {
        let rig = Rig()
        let keeper = rig.start()
        _ = await keeper.step()
        rig.clock.advance(by: 70 * 86_400)
        rig.files.isFull = true
        _ = await keeper.step()
        #expect(rig.seen.installed.count == 1)
        #expect(!rig.seen.failures.isEmpty)
        #expect(rig.ca.record.orders.count == 1, "nothing is ordered that could not be kept")
        rig.files.isFull = false
        _ = await keeper.step()
        #expect(rig.seen.installed.count == 2)
    }

    @Test func aTornFileIsSetAsideAndTheOneBeforeServed() async throws {
        let rig = Rig()
        let keeper = rig.start()
        _ = await keeper.step()
        rig.clock.advance(by: 70 * 86_400)
        _ = await keeper.step()
        let newest = try #require(try rig.files.names().filter { $0.hasPrefix("certificate-") }.max())
        rig.files[newest] = Array(try #require(rig.files[newest]).dropLast(100))
        _ = await rig.start().step()
        #expect(rig.seen.installed.map(\.serial)[2] == rig.seen.installed.map(\.serial)[0])
        #expect(rig.files["bad-\(newest)"] != nil)
    }
}
