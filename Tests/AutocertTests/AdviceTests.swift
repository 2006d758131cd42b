import Autocert
import Encoding
import Foundation
import TestSupport
import Testing

/// Renewal information (RFC 9773) as a good and as a bad CA gives it.
@Suite struct AdviceTests {
    /// Days after the certificate's beginning.
    private func advised(from: Double, to: Double) async throws -> (rig: Rig, keeper: CertificateKeeper) {
        let rig = Rig()
        rig.ca.change {
            $0.advice = { start, _ in (start.addingTimeInterval(from * 86_400), start.addingTimeInterval(to * 86_400)) }
        }
        let keeper = rig.start()
        _ = await keeper.step()
        try #require(rig.seen.installed.count == 1)
        return (rig, keeper)
    }

    /// Steps until `seconds` have gone by.
    private func run(_ rig: Rig, _ keeper: CertificateKeeper, for seconds: Double) async {
        let end = rig.clock.now.addingTimeInterval(seconds)
        while rig.clock.now < end {
            rig.clock.now = max(min(await keeper.step(), end), rig.clock.now.addingTimeInterval(1))
        }
    }

    @Test func theMomentIsDrawnOnceAndKeptOverRestarts() async throws {
        let (rig, keeper) = try await advised(from: 20, to: 22)
        await run(rig, keeper, for: 20.5 * 86_400)
        #expect(rig.seen.installed.count == 1, "the middle of the window is half a day away")
        await run(rig, rig.start(), for: 86_400)
        #expect(rig.ca.record.issued.count == 2)
        #expect(rig.ca.record.issued[1].replaces != nil)
    }

    @Test func aRevokedOneIsReplacedAtTheNextLookWithANewKey() async throws {
        let (rig, keeper) = try await advised(from: 60, to: 62)
        await run(rig, keeper, for: 86_400)
        rig.ca.revokeAll()
        await run(rig, keeper, for: 86_400)
        #expect(rig.seen.installed.count == 2)
        #expect(rig.seen.installed[0].keyPEM != rig.seen.installed[1].keyPEM)
    }

    @Test(arguments: [0.0, -1])
    func aWindowThatIsNoneIsPassedOver(_ length: Double) async throws {
        let (rig, keeper) = try await advised(from: 0, to: length)
        await run(rig, keeper, for: 30 * 86_400)
        #expect(rig.seen.installed.count == 1, "the lifetime decides, and it has 60 days left")
    }

    /// One CA's stale answers cost five certificates in ten seconds, and then a week without.
    @Test func aWindowThatIsAlwaysOverBurnsNoQuota() async throws {
        let (rig, keeper) = try await advised(from: -1, to: -0.05)
        await run(rig, keeper, for: 7 * 86_400)
        #expect(rig.ca.record.issued.count <= 5, "\(rig.ca.record.issued.count) in a week")
    }

    @Test func alreadyReplacedIsOrderedWithoutSayingWhat() async throws {
        let (rig, keeper) = try await advised(from: 20, to: 21)
        rig.ca.change { $0.intercept = { (kind, request) throws(ACMEError) in Self.refusal(kind, request) } }
        await run(rig, keeper, for: 22 * 86_400)
        #expect(rig.seen.installed.count == 2, "\(rig.seen.failures)")
    }

    /// As if somebody had replaced the certificate before.
    private static func refusal(_ kind: String, _ request: WebRequest) -> WebAnswer? {
        guard kind == "new-order", let body = request.body,
            let signed = try? JSONDecoder().decode([String: String].self, from: Data(body)),
            let payload = Base64URL.decode(signed["payload"] ?? ""),
            String(decoding: payload, as: UTF8.self).contains("replaces")
        else { return nil }
        return WebAnswer(
            status: 409,
            headers: [(name: "content-type", value: "application/problem+json"), (name: "replay-nonce", value: "x")],
            body: Array(#"{"type":"urn:ietf:params:acme:error:alreadyReplaced"}"#.utf8))
    }
}
