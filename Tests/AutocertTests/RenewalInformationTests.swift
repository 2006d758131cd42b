import Autocert
import Encoding
import Foundation
import TestSupport
import Testing

/// Renewal information (RFC 9773) from a correct and from a faulty CA.
@Suite struct RenewalInformationTests {
    /// A rig whose CA suggests a window. `from`, `to`: Days after the start of validity.
    private func suggested(from: Double, to: Double) async throws -> (rig: RenewerRig, renewer: CertificateRenewer) {
        let rig = RenewerRig()
        rig.ca.change {
            $0.suggestedWindow = { start, _ in
                (start.addingTimeInterval(from * 86_400), start.addingTimeInterval(to * 86_400))
            }
        }
        let renewer = rig.start()
        _ = await renewer.tick()
        try #require(rig.recorded.installed.count == 1)
        return (rig, renewer)
    }

    /// Ticks until `seconds` have passed.
    private func run(_ rig: RenewerRig, _ renewer: CertificateRenewer, for seconds: Double) async {
        let end = rig.clock.now.addingTimeInterval(seconds)
        while rig.clock.now < end {
            rig.clock.now = max(min(await renewer.tick(), end), rig.clock.now.addingTimeInterval(1))
        }
    }

    @Test func theRenewalTimeIsDrawnOnceAndSurvivesRestarts() async throws {
        let (rig, renewer) = try await suggested(from: 20, to: 22)
        await run(rig, renewer, for: 20.5 * 86_400)
        #expect(rig.recorded.installed.count == 1, "the middle of the window is half a day away")
        await run(rig, rig.start(), for: 86_400)
        #expect(rig.ca.record.issued.count == 2)
        #expect(rig.ca.record.issued[1].replaces != nil)
    }

    @Test func aRevokedCertificateIsReplacedAtTheNextPollWithANewKey() async throws {
        let (rig, renewer) = try await suggested(from: 60, to: 62)
        await run(rig, renewer, for: 86_400)
        rig.ca.revokeAll()
        await run(rig, renewer, for: 86_400)
        #expect(rig.recorded.installed.count == 2)
        #expect(rig.recorded.installed[0].keyPEM != rig.recorded.installed[1].keyPEM)
    }

    @Test(arguments: [0.0, -1])
    func anInvalidWindowIsIgnored(_ length: Double) async throws {
        let (rig, renewer) = try await suggested(from: 0, to: length)
        await run(rig, renewer, for: 30 * 86_400)
        #expect(rig.recorded.installed.count == 1, "the lifetime decides, and it has 60 days left")
    }

    /// One CA's stale responses cost five certificates in ten seconds, and then a week without.
    @Test func aWindowThatIsAlwaysInThePastDoesNotExhaustTheRateLimit() async throws {
        let (rig, renewer) = try await suggested(from: -1, to: -0.05)
        await run(rig, renewer, for: 7 * 86_400)
        #expect(rig.ca.record.issued.count <= 5, "\(rig.ca.record.issued.count) in a week")
    }

    @Test func afterAlreadyReplacedTheOrderIsPlacedWithoutReplaces() async throws {
        let (rig, renewer) = try await suggested(from: 20, to: 21)
        rig.ca.change { $0.intercept = { (kind, request) throws(ACMEError) in Self.refusal(kind, request) } }
        await run(rig, renewer, for: 22 * 86_400)
        #expect(rig.recorded.installed.count == 2, "\(rig.recorded.failures)")
    }

    /// The refusal for a certificate that was replaced before.
    private static func refusal(_ kind: String, _ request: ACMERequest) -> ACMEResponse? {
        guard kind == "new-order", let body = request.body,
            let signed = try? JSONDecoder().decode([String: String].self, from: Data(body)),
            let payload = Base64URL.decode(signed["payload"] ?? ""),
            String(decoding: payload, as: UTF8.self).contains("replaces")
        else { return nil }
        return ACMEResponse(
            status: 409,
            headers: [(name: "content-type", value: "application/problem+json"), (name: "replay-nonce", value: "x")],
            body: Array(#"{"type":"urn:ietf:params:acme:error:alreadyReplaced"}"#.utf8))
    }
}
