import Autocert
import Crypto
import Foundation
import Synchronization
import TestSupport
import Testing
import X509

/// Faults of a CA: the old certificate stays in service, the error names the cause, and the next attempt comes when due.
@Suite struct FaultTests {
    /// A node with 29 days left, so that a renewal is due but not urgent.
    private func due() async throws -> (rig: RenewerRig, renewer: CertificateRenewer) {
        let rig = RenewerRig()
        let renewer = rig.start()
        _ = await renewer.tick()
        try #require(rig.recorded.installed.count == 1)
        rig.clock.advance(by: 61 * 86_400)
        return (rig, renewer)
    }

    struct Case: CustomTestStringConvertible {
        var testDescription: String
        /// The kind of request, and its response; nil for none.
        var kind: String
        var response: ACMEResponse?
        var says: String
    }

    private static func problem(_ kind: String, _ status: Int, _ headers: [(String, String)] = []) -> ACMEResponse {
        let body = #"{"type":"urn:ietf:params:acme:error:\#(kind)","detail":"as scripted"}"#
        return ACMEResponse(
            status: status,
            headers: ([("content-type", "application/problem+json"), ("replay-nonce", UUID().uuidString)] + headers).map
            {
                (name: $0.0, value: $0.1)
            }, body: Array(body.utf8))
    }

    private static func page(_ text: String, type: String = "application/json", status: Int = 200) -> ACMEResponse {
        ACMEResponse(status: status, headers: [(name: "content-type", value: type)], body: Array(text.utf8))
    }

    static let cases = [
        Case(testDescription: "down", kind: "directory", response: nil, says: "cannot be reached"),
        Case(testDescription: "down mid-order", kind: "authorization", response: nil, says: "cannot be reached"),
        Case(testDescription: "down at finalization", kind: "finalize", response: nil, says: "cannot be reached"),
        Case(testDescription: "down at the download", kind: "certificate", response: nil, says: "cannot be reached"),
        Case(
            testDescription: "an HTML page for a directory", kind: "directory",
            response: page("<html>", type: "text/html"), says: "text/html"),
        Case(
            testDescription: "a directory that is no JSON", kind: "directory", response: page("{\"newNonce\":"),
            says: "directory"),
        Case(testDescription: "an empty directory", kind: "directory", response: page("{}"), says: "directory"),
        Case(testDescription: "an order of the wrong type", kind: "order", response: page("[]"), says: "order"),
        Case(
            testDescription: "a certificate as HTML", kind: "certificate", response: page("<html>", type: "text/html"),
            says: "text/html"),
        Case(
            testDescription: "an empty certificate", kind: "certificate",
            response: page("", type: "application/pem-certificate-chain"), says: "not what was ordered"),
        Case(
            testDescription: "a torn certificate", kind: "certificate",
            response: page("-----BEGIN CERTIFICATE-----\nMIIB", type: "application/pem-certificate-chain"),
            says: "not what was ordered"),
        Case(
            testDescription: "503 without a word", kind: "new-order",
            response: page("busy", type: "text/plain", status: 503), says: "503"),
        Case(
            testDescription: "a refused name", kind: "new-order", response: problem("rejectedIdentifier", 400),
            says: "rejectedIdentifier"),
    ]

    @Test(arguments: cases)
    func theOldCertificateStaysAndTheNextAttemptComesLater(_ example: Case) async throws {
        let (rig, renewer) = try await due()
        rig.ca.change {
            $0.intercept = { (kind, _) throws(ACMEError) in
                guard kind == example.kind else { return nil }
                guard let response = example.response else { throw ACMEError.unreachable("connection refused") }
                return response
            }
        }
        _ = await renewer.tick()
        let next = try #require(renewer.status.nextAttempt)
        let failure = try #require(rig.recorded.failures.first)
        #expect(failure.contains(example.says), "\(failure)")
        #expect(rig.recorded.installed.count == 1)
        #expect(next > rig.clock.now.addingTimeInterval(40), "\(next.timeIntervalSince(rig.clock.now))")
        // The CA recovers.
        rig.ca.change { $0.intercept = { (_, _) throws(ACMEError) in nil } }
        rig.clock.now = next.addingTimeInterval(1)
        _ = await renewer.tick()
        #expect(rig.recorded.installed.count == 2, "\(rig.recorded.failures)")
    }

    @Test(arguments: ["7200", "Fri, 15 Jan 2027 10:00:00 GMT"])
    func retryAfterIsHonoured(_ retryAfter: String) async throws {
        let rig = RenewerRig()
        rig.ca.change {
            $0.intercept = { (kind, _) throws(ACMEError) in
                kind == "new-order" ? Self.problem("rateLimited", 429, [("retry-after", retryAfter)]) : nil
            }
        }
        let start = rig.clock.now
        let renewer = rig.start()
        _ = await renewer.tick()
        let next = try #require(renewer.status.nextAttempt)
        // The clock starts at 2027-01-15 08:00:00, so both mean two hours.
        #expect(abs(next.timeIntervalSince(start) - 7_200) < 5, "\(next)")
        rig.clock.advance(by: 3_600)
        _ = await rig.start().tick()
        #expect(rig.ca.record.requests.filter { $0 == "new-order" }.count == 1, "it survives a restart")
    }

    @Test func anOrderSucceedsWhenHalfOfAllNoncesAreRejected() async throws {
        let rig = RenewerRig(["a.example.org", "b.example.org"])
        let count = Mutex(0)
        rig.ca.change {
            $0.intercept = { (_, request) throws(ACMEError) in
                guard request.method == .post,
                    count.withLock({
                        $0 += 1; return $0 % 2 == 0
                    })
                else { return nil }
                return Self.page(
                    #"{"type":"urn:ietf:params:acme:error:badNonce"}"#, type: "application/problem+json", status: 400)
            }
        }
        _ = await rig.start().tick()
        #expect(rig.recorded.installed.count == 1, "\(rig.recorded.failures)")
    }

    struct Wrong: CustomTestStringConvertible {
        var testDescription: String
        var issue: @Sendable (ScriptedCA, [String], Certificate.PublicKey) throws -> String
    }

    @Test(arguments: [
        Wrong(testDescription: "another key") { ca, names, _ in
            try ca.chain(names, Certificate.PrivateKey(P256.Signing.PrivateKey()).publicKey)
        },
        Wrong(testDescription: "another name") { ca, _, key in try ca.chain(["evil.example.org"], key) },
        Wrong(testDescription: "expired") { ca, names, key in
            try ca.chain(names, key, from: Date(timeIntervalSince1970: 1_700_000_000), lifetime: 86_400)
        },
        Wrong(testDescription: "not yet valid") { ca, names, key in
            try ca.chain(names, key, from: Date(timeIntervalSince1970: 1_900_000_000))
        },
        Wrong(testDescription: "a broken chain") { ca, names, key in
            let otherCA = ScriptedCA(.init { _, _, _ in nil }) { Date(timeIntervalSince1970: 1_805_270_400) }
            let end = "-----END CERTIFICATE-----\n"
            let leaf = try ca.chain(names, key).split(separator: end, maxSplits: 1)[0]
            return "\(leaf)\(end)" + String(try otherCA.chain(names, key).split(separator: end, maxSplits: 1)[1])
        },
    ])
    func aCertificateThatWasNotOrderedIsNotServed(_ example: Wrong) async throws {
        let (rig, renewer) = try await due()
        rig.ca.change { $0.issue = example.issue }
        _ = await renewer.tick()
        let stored = try rig.store.latest(for: ["node.example.org"]).certificate
        #expect(rig.recorded.installed.count == 1)
        #expect(stored?.serial == rig.recorded.installed[0].serial)
        #expect(rig.recorded.failures.first?.contains("not what was ordered") == true, "\(rig.recorded.failures)")
    }

    @Test func aWrongClockOrdersNothing() async throws {
        let rig = RenewerRig()
        let date = "Wed, 15 Jan 2025 08:00:00 GMT"
        let ca = rig.ca
        let renewer = rig.start { (request) async throws(ACMEError) in
            let response = try await ca.send(request)
            return ACMEResponse(
                status: response.status, headers: response.headers + [(name: "date", value: date)],
                body: response.body)
        }
        _ = await renewer.tick()
        #expect(rig.recorded.failures.first?.contains("set the clock") == true, "\(rig.recorded.failures)")
        #expect(ca.record.requests == ["directory"])
    }

    @Test func aWrongChallengeResponseIsAFailureWithBackOff() async throws {
        let rig = RenewerRig()
        rig.ca.change { $0.validate = { _, _, _ in "another key authorization" } }
        let renewer = rig.start()
        for _ in 0..<60 {
            _ = await renewer.tick()
            rig.clock.advance(by: 60)
        }
        #expect(rig.ca.record.failedValidations.count <= 4, "\(rig.ca.record.failedValidations.count) in an hour")
        #expect(rig.recorded.failures.first?.contains("node.example.org") == true)
    }

    @Test func aChallengeThatStaysPendingTimesOutWithTheCAsError() async throws {
        let rig = RenewerRig()
        let start = rig.clock.now
        rig.ca.change {
            $0.validate = { _, _, _ in nil }
            $0.leavesPending = true
        }
        _ = await rig.start().tick()
        let failure = try #require(rig.recorded.failures.first)
        #expect(failure.contains("node.example.org") && failure.contains("wrong response"), "\(failure)")
        #expect(rig.clock.now.timeIntervalSince(start) < 300)
    }

    @Test func aDeletedAccountIsRegisteredAgain() async throws {
        let (rig, renewer) = try await due()
        rig.ca.deleteAccounts()
        for _ in 0..<20 {
            rig.clock.now = await renewer.tick().addingTimeInterval(1)
        }
        #expect(rig.recorded.installed.count == 2, "\(rig.recorded.failures)")
    }

    @Test func theSecondCAIsUsedWhenTheFirstIsUnreachable() async throws {
        var rig = RenewerRig()
        let backup = ScriptedCA(
            .init { [challenges = rig.challenges] _, _, token in challenges.response(path: HTTP01Solver.path + token) },
            host: "backup.test"
        ) { [clock = rig.clock] in clock.now }
        rig.settings.directories = [rig.ca.directory, backup.directory]
        let renewer = rig.start { (request) async throws(ACMEError) in
            if request.url.contains("ca.test") { throw ACMEError.unreachable("gone") }
            return try await backup.send(request)
        }
        _ = await renewer.tick()
        _ = await renewer.tick()
        #expect(rig.recorded.installed.first?.directory == backup.directory)
    }

    @Test func afterAFailedValidationStagingIsTriedFirst() async throws {
        var rig = RenewerRig()
        let wrong = Mutex(true)
        let validate: @Sendable (String, String, String) -> String? = { [challenges = rig.challenges] _, _, token in
            wrong.withLock { $0 } ? nil : challenges.response(path: HTTP01Solver.path + token)
        }
        rig.ca.change { $0.validate = validate }
        let staging = ScriptedCA(.init(validate: validate), host: "staging.test") { [clock = rig.clock] in clock.now }
        rig.settings.staging = [rig.ca.directory: staging.directory]
        let ca = rig.ca
        let renewer = rig.start { (request) async throws(ACMEError) in
            try await (request.url.contains("staging.test") ? staging : ca).send(request)
        }
        for _ in 0..<6 { rig.clock.now = await renewer.tick().addingTimeInterval(1) }
        #expect(ca.record.failedValidations.count == 1, "the failures after the first are the staging directory's")
        #expect(staging.record.failedValidations.count > 1)
        wrong.withLock { $0 = false }
        for _ in 0..<6 { rig.clock.now = await renewer.tick().addingTimeInterval(1) }
        #expect(rig.recorded.installed.map(\.directory) == [ca.directory])
    }

    @Test func anUnknownProfileIsReported() async throws {
        var rig = RenewerRig()
        rig.ca.change { $0.profiles = ["classic": "", "shortlived": ""] }
        rig.settings.profile = "tlsserver"
        _ = await rig.start().tick()
        #expect(rig.recorded.failures.first?.contains("classic, shortlived") == true, "\(rig.recorded.failures)")
    }
}
