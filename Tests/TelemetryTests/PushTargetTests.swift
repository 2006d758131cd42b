import Foundation
import Telemetry
import TestSupport
import Testing

@Suite struct PushTargetTests {
    let folder: Scratch
    let query = PushQuery(status: .up, message: "OK", ping: 12)

    init() throws { folder = try Scratch() }

    private func target(_ text: String) throws -> PushTarget {
        try PushTarget(file: folder.write(text, to: "url"))
    }

    struct Address: CustomTestStringConvertible {
        var testDescription: String
        var written: String
        var pushed: String
    }

    @Test(arguments: [
        Address(
            testDescription: "as Uptime Kuma shows it",
            written: "https://kuma.example/api/push/tok3n?status=up&msg=OK&ping=",
            pushed: "https://kuma.example:443/api/push/tok3n?status=up&msg=OK&ping=12"),
        Address(
            testDescription: "other parameters are kept",
            written: "https://m.example:8443/p?a=%2F+b&status=down&flag&MSG=x&ms%67=y&ping=1#top",
            pushed: "https://m.example:8443/p?a=%2F+b&flag&MSG=x&status=up&msg=OK&ping=12"),
        Address(
            testDescription: "no path", written: "https://m.example",
            pushed: "https://m.example:443/?status=up&msg=OK&ping=12"),
        Address(
            testDescription: "upper case", written: "HTTPS://M.Example/Push/T",
            pushed: "https://m.example:443/Push/T?status=up&msg=OK&ping=12"),
        Address(
            testDescription: "loopback without encryption", written: "http://127.0.0.1:3001/api/push/t",
            pushed: "http://127.0.0.1:3001/api/push/t?status=up&msg=OK&ping=12"),
        Address(
            testDescription: "IPv6", written: "https://[2001:db8::1]:444/t",
            pushed: "https://[2001:db8::1]:444/t?status=up&msg=OK&ping=12"),
        Address(
            testDescription: "only the first line",
            written: "  https://m.example/t \r\n# the hub\nhttps://n.example/u\n",
            pushed: "https://m.example:443/t?status=up&msg=OK&ping=12"),
    ])
    func parametersAreReplacedAndNotDuplicated(_ example: Address) throws {
        #expect(try target(example.written).address(query) == example.pushed)
    }

    @Test func theMessageIsFullyEncoded() throws {
        let query = PushQuery(status: .down, message: "50 % + a&b=c#d/é\u{1}", ping: nil)
        let address = try target("https://m.example/t").address(query)
        #expect(address == "https://m.example:443/t?status=down&msg=50%20%25%20%2B%20a%26b%3Dc%23d%2F%C3%A9%01&ping=")
    }

    struct Refusal: CustomTestStringConvertible {
        var testDescription: String
        var written: String
        var error: @Sendable (String) -> PushTargetError
    }

    @Test(arguments: [
        Refusal(testDescription: "empty", written: "") { .notAURL(file: $0) },
        Refusal(testDescription: "a comment first", written: "# url\nhttps://m.example/tok3n") {
            .notAURL(file: $0)
        },
        Refusal(testDescription: "no scheme", written: "m.example/tok3n") { .notAURL(file: $0) },
        Refusal(testDescription: "another scheme", written: "ftp://m.example/tok3n") { .notAURL(file: $0) },
        Refusal(testDescription: "no host", written: "https:///tok3n") { .notAURL(file: $0) },
        Refusal(testDescription: "not ASCII", written: "https://m.example/tok3n-é") { .notAURL(file: $0) },
        Refusal(testDescription: "an invalid port", written: "https://m.example:70000/tok3n") {
            .notAURL(file: $0)
        },
        Refusal(testDescription: "a user", written: "https://me:tok3n@m.example/") { .hasUser(file: $0) },
        Refusal(testDescription: "not encrypted", written: "http://m.example/tok3n") { .notEncrypted(file: $0) },
        Refusal(testDescription: "a name that looks like this machine", written: "http://localhost.example/tok3n") {
            .notEncrypted(file: $0)
        },
    ])
    func rejectionsDoNotShowTheURL(_ example: Refusal) throws {
        let file = try folder.write(example.written, to: "url")
        let error = #expect(throws: PushTargetError.self) { try PushTarget(file: file) }
        #expect(error == example.error(file))
        #expect(error.map { "\($0) \(String(reflecting: $0))" }?.contains("tok3n") == false)
    }

    @Test func aMissingFileIsNamed() throws {
        let error = #expect(throws: PushTargetError.self) { try PushTarget(file: "\(folder.path)/none") }
        #expect(error == .unreadable(file: "\(folder.path)/none"))
    }

    @Test func aTrustFileMustContainCertificates() throws {
        let file = try folder.write("https://m.example/tok3n", to: "url")
        let none = try folder.write("nothing", to: "trust.pem")
        #expect(throws: PushTargetError.notCertificates(file: none)) { try PushTarget(file: file, trust: none) }
    }

    @Test func noDescriptionShowsTheToken() throws {
        let target = try target("https://m.example/api/push/tok3n?key=tok3n")
        let request = PushRequest(target: target, query: query, body: [])
        var dumped = ""
        dump(target, to: &dumped)
        dump(request, to: &dumped)
        let texts = [
            "\(target)", String(reflecting: target), "\([target])", "\(request)", String(reflecting: request), dumped,
            "\(Optional(target) as Any)",
        ]
        for text in texts {
            #expect(!text.contains("tok3n"))
            #expect(text.contains("https://m.example:443"))
        }
    }

    @Test func longProblemsAreTruncatedInTheURL() async throws {
        let rig = try PusherRig()
        rig.facts { $0.dbIntegrity = String(repeating: "wrong\n", count: 1_000) }
        try await rig.run(try rig.pusher(to: ["https://m.example/t"])) {
            try await rig.beats(1...1, phase: PusherRig.phase())
        }
        let message = rig.pushes[0].query.message
        #expect(message.count == 200)
        #expect(message.hasPrefix("database damaged: wrong wrong"))
    }
}
