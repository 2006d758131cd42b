import Autocert
import Crypto
import Foundation
import Synchronization
import TestSupport
import Testing
import X509

/// Everything that a CA can do wrong: the old certificate stays in service, the error says what happened, and the next
/// try comes when it should.
@Suite struct FaultTests {
    /// A node with 29 days left, so that a renewal is due and nothing burns.
    private func due() async throws -> (rig: Rig, keeper: CertificateKeeper) {
        let rig = Rig()
        let keeper = rig.start()
        _ = await keeper.step()
        try #require(rig.seen.installed.count == 1)
        rig.clock.advance(by: 61 * 86_400)
        return (rig, keeper)
    }

    struct Case: CustomTestStringConvertible {
        var testDescription: String
        /// Which requests, and what comes back; nil when nobody answers.
        var kind: String
        var answer: WebAnswer?
        var says: String
    }

    private static func problem(_ kind: String, _ status: Int, _ headers: [(String, String)] = []) -> WebAnswer {
        let body = #"{"type":"urn:ietf:params:acme:error:\#(kind)","detail":"as scripted"}"#
        return WebAnswer(
            status: status,
            headers: ([("content-type", "application/problem+json"), ("replay-nonce", UUID().uuidString)] + headers).map
            {
                (name: $0.0, value: $0.1)
            }, body: Array(body.utf8))
    }

    private static func page(_ text: String, type: String = "application/json", status: Int = 200) -> WebAnswer {
        WebAnswer(status: status, headers: [(name: "content-type", value: type)], body: Array(text.utf8))
    }

    static let cases = [
        Case(testDescription: "down", kind: "directory", answer: nil, says: "cannot be reached"),
        Case(testDescription: "down mid-order", kind: "authorization", answer: nil, says: "cannot be reached"),
        Case(testDescription: "down at finalization", kind: "finalize", answer: nil, says: "cannot be reached"),
        Case(testDescription: "down at the download", kind: "certificate", answer: nil, says: "cannot be reached"),
        Case(
            testDescription: "an HTML page for a directory", kind: "directory",
            answer: page("<html>", type: "text/html"), says: "text/html"),
        Case(
            testDescription: "a directory that is no JSON", kind: "directory", answer: page("{\"newNonce\":"),
            says: "directory"),
        Case(testDescription: "an empty directory", kind: "directory", answer: page("{}"), says: "directory"),
        Case(testDescription: "an order of the wrong type", kind: "order", answer: page("[]"), says: "order"),
        Case(
            testDescription: "a certificate as HTML", kind: "certificate", answer: page("<html>", type: "text/html"),
            says: "text/html"),
        Case(
            testDescription: "an empty certificate", kind: "certificate",
            answer: page("", type: "application/pem-certificate-chain"), says: "not what was ordered"),
        Case(
            testDescription: "a torn certificate", kind: "certificate",
            answer: page("-----BEGIN CERTIFICATE-----\nMIIB", type: "application/pem-certificate-chain"),
            says: "not what was ordered"),
        Case(
            testDescription: "503 without a word", kind: "new-order",
            answer: page("busy", type: "text/plain", status: 503), says: "503"),
        Case(
            testDescription: "a refused name", kind: "new-order", answer: problem("rejectedIdentifier", 400),
            says: "rejectedIdentifier"),
    ]

    @Test(arguments: cases)
    func theOldOneStaysAndTheNextTryComesLater(_ example: Case) async throws {
        let (rig, keeper) = try await due()
        rig.ca.change {
            $0.intercept = { (kind, _) throws(ACMEError) in
                guard kind == example.kind else { return nil }
                guard let answer = example.answer else { throw ACMEError.unreachable("nobody there") }
                return answer
            }
        }
        _ = await keeper.step()
        let next = try #require(keeper.status.nextAttempt)
        let failure = try #require(rig.seen.failures.first)
        #expect(failure.contains(example.says), "\(failure)")
        #expect(rig.seen.installed.count == 1)
        #expect(next > rig.clock.now.addingTimeInterval(40), "\(next.timeIntervalSince(rig.clock.now))")
        // The CA is well again.
        rig.ca.change { $0.intercept = { (_, _) throws(ACMEError) in nil } }
        rig.clock.now = next.addingTimeInterval(1)
        _ = await keeper.step()
        #expect(rig.seen.installed.count == 2, "\(rig.seen.failures)")
    }

    @Test(arguments: ["7200", "Fri, 15 Jan 2027 10:00:00 GMT"])
    func aWishToWaitIsHonoured(_ wish: String) async throws {
        let rig = Rig()
        rig.ca.change {
            $0.intercept = { (kind, _) throws(ACMEError) in
                kind == "new-order" ? Self.problem("rateLimited", 429, [("retry-after", wish)]) : nil
            }
        }
        let began = rig.clock.now
        let keeper = rig.start()
        _ = await keeper.step()
        let next = try #require(keeper.status.nextAttempt)
        // 2027-01-15 08:00:00 is where the clock stands, so both say two hours.
        #expect(abs(next.timeIntervalSince(began) - 7_200) < 5, "\(next)")
        rig.clock.advance(by: 3_600)
        _ = await rig.start().step()
        #expect(rig.ca.record.requests.filter { $0 == "new-order" }.count == 1, "a restart does not forget it")
    }

    @Test func halfOfAllNoncesBadIsNoTrouble() async throws {
        let rig = Rig(["a.example.org", "b.example.org"])
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
        _ = await rig.start().step()
        #expect(rig.seen.installed.count == 1, "\(rig.seen.failures)")
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
        Wrong(testDescription: "of next year") { ca, names, key in
            try ca.chain(names, key, from: Date(timeIntervalSince1970: 1_900_000_000))
        },
        Wrong(testDescription: "a chain that does not hold") { ca, names, key in
            let stranger = ScriptedCA(.init { _, _, _ in nil }) { Date(timeIntervalSince1970: 1_805_270_400) }
            let end = "-----END CERTIFICATE-----\n"
            let leaf = try ca.chain(names, key).split(separator: end, maxSplits: 1)[0]
            return "\(leaf)\(end)" + String(try stranger.chain(names, key).split(separator: end, maxSplits: 1)[1])
        },
    ])
    func aCertificateThatWasNotOrderedIsNotServed(_ example: Wrong) async throws {
        let (rig, keeper) = try await due()
        rig.ca.change { $0.issue = example.issue }
        _ = await keeper.step()
        let stored = try rig.store.latest(for: ["node.example.org"]).certificate
        #expect(rig.seen.installed.count == 1)
        #expect(stored?.serial == rig.seen.installed[0].serial)
        #expect(rig.seen.failures.first?.contains("not what was ordered") == true, "\(rig.seen.failures)")
    }

    @Test func aWrongClockOrdersNothing() async throws {
        let rig = Rig()
        let date = "Wed, 15 Jan 2025 08:00:00 GMT"
        let ca = rig.ca
        let keeper = rig.start { (request) async throws(ACMEError) in
            let answer = try await ca.send(request)
            return WebAnswer(
                status: answer.status, headers: answer.headers + [(name: "date", value: date)], body: answer.body)
        }
        _ = await keeper.step()
        #expect(rig.seen.failures.first?.contains("set the clock") == true, "\(rig.seen.failures)")
        #expect(ca.record.requests == ["directory"])
    }

    @Test func aStrangersAnswerIsAFailureThatIsNotRepeatedAtOnce() async throws {
        let rig = Rig()
        rig.ca.change { $0.look = { _, _, _ in "somebody else's" } }
        let keeper = rig.start()
        for _ in 0..<60 {
            _ = await keeper.step()
            rig.clock.advance(by: 60)
        }
        #expect(rig.ca.record.failedValidations.count <= 4, "\(rig.ca.record.failedValidations.count) in an hour")
        #expect(rig.seen.failures.first?.contains("node.example.org") == true)
    }

    @Test func aChallengeThatStaysPendingIsGivenUpWithTheCAsOwnWords() async throws {
        let rig = Rig()
        let began = rig.clock.now
        rig.ca.change {
            $0.look = { _, _, _ in nil }
            $0.leavesPending = true
        }
        _ = await rig.start().step()
        let failure = try #require(rig.seen.failures.first)
        #expect(failure.contains("node.example.org") && failure.contains("wrong answer"), "\(failure)")
        #expect(rig.clock.now.timeIntervalSince(began) < 300)
    }

    @Test func aDeletedAccountIsMadeAnew() async throws {
        let (rig, keeper) = try await due()
        rig.ca.forgetAccounts()
        for _ in 0..<20 {
            rig.clock.now = await keeper.step().addingTimeInterval(1)
        }
        #expect(rig.seen.installed.count == 2, "\(rig.seen.failures)")
    }

    @Test func theSecondCATakesOverWhenTheFirstIsGone() async throws {
        var rig = Rig()
        let backup = ScriptedCA(
            .init { [challenges = rig.challenges] _, _, token in challenges.answer(path: HTTPChallenges.path + token) },
            host: "backup.test"
        ) { [clock = rig.clock] in clock.now }
        rig.settings.directories = [rig.ca.directory, backup.directory]
        let keeper = rig.start { (request) async throws(ACMEError) in
            if request.url.contains("ca.test") { throw ACMEError.unreachable("gone") }
            return try await backup.send(request)
        }
        _ = await keeper.step()
        _ = await keeper.step()
        #expect(rig.seen.installed.first?.directory == backup.directory)
    }

    @Test func aFailedValidationIsRehearsedAtStagingFirst() async throws {
        var rig = Rig()
        let wrong = Mutex(true)
        let look: @Sendable (String, String, String) -> String? = { [challenges = rig.challenges] _, _, token in
            wrong.withLock { $0 } ? nil : challenges.answer(path: HTTPChallenges.path + token)
        }
        rig.ca.change { $0.look = look }
        let staging = ScriptedCA(.init(look: look), host: "staging.test") { [clock = rig.clock] in clock.now }
        rig.settings.staging = [rig.ca.directory: staging.directory]
        let ca = rig.ca
        let keeper = rig.start { (request) async throws(ACMEError) in
            try await (request.url.contains("staging.test") ? staging : ca).send(request)
        }
        for _ in 0..<6 { rig.clock.now = await keeper.step().addingTimeInterval(1) }
        #expect(ca.record.failedValidations.count == 1, "the failures after the first are the staging directory's")
        #expect(staging.record.failedValidations.count > 1)
        wrong.withLock { $0 = false }
        for _ in 0..<6 { rig.clock.now = await keeper.step().addingTimeInterval(1) }
        #expect(rig.seen.installed.map(\.directory) == [ca.directory])
    }

    @Test func anUnknownProfileIsSaidSo() async throws {
        var rig = Rig()
        rig.ca.change { $0.profiles = ["classic": "", "shortlived": ""] }
        rig.settings.profile = "tlsserver"
        _ = await rig.start().step()
        #expect(rig.seen.failures.first?.contains("classic, shortlived") == true, "\(rig.seen.failures)")
    }
}
