import ArgumentParser
import Testing
import Wire

@testable import clavitor

@Suite struct GrantInputTests {
    @Test func tagsAndLabelsBecomeGrants() throws {
        let grants = try GrantInput.tagGrants(["ci", "db/password", "DB/user", "web/*", "net/a/b"])
        #expect(
            grants == [
                GrantBody(tag: "ci", labels: .all), GrantBody(tag: "db", labels: .only(["password", "user"])),
                GrantBody(tag: "web", labels: .all), GrantBody(tag: "net", labels: .only(["a/b"])),
            ])
    }

    @Test(arguments: [["ci/a", "ci"], ["ci", "ci/a"]])
    func theWholeTagTakesItsLabelsIn(_ texts: [String]) throws {
        #expect(try GrantInput.tagGrants(texts) == [GrantBody(tag: "ci", labels: .all)])
    }

    @Test(arguments: ["", "/label", "tag/"])
    func anEmptyPartIsRefused(_ text: String) {
        #expect(throws: CommandFailure.self) { try GrantInput.tagGrants([text]) }
    }

    @Test func aPathIsSplitAtItsLastSlashFirst() {
        let cuts = EntryFinder.cuts(of: "a/b/c")
        #expect(cuts.map(\.entry) == ["a/b", "a"])
        #expect(cuts.map(\.field) == ["c", "b/c"])
        #expect(EntryFinder.cuts(of: "plain").isEmpty)
        #expect(EntryFinder.cuts(of: "/x").isEmpty)
        #expect(EntryFinder.cuts(of: "x/").isEmpty)
    }
}

@Suite struct AgentOptionsTests {
    private func body(_ arguments: String...) throws -> AgentWriteBody {
        try AgentOptions.parse(arguments).body(now: 1_000_000)
    }

    @Test func omittedOptionsChangeNothing() throws {
        let body = try body()
        guard case .unchanged = body.expiresAt, case .unchanged = body.maxUses, body.cidr == nil, body.verbs == nil
        else {
            Issue.record("something would change")
            return
        }
    }

    @Test func limitsAreSetAndRemoved() throws {
        let body = try body("--expires", "30d", "--max-uses", "7", "--rate", "none", "--not-before", "1970-01-02")
        guard case .some(1_000_000 + 30 * 86_400) = body.expiresAt, case .some(7) = body.maxUses,
            case .none = body.ratePerMinute, case .some(86_400) = body.notBefore
        else {
            Issue.record("\(body)")
            return
        }
    }

    @Test(arguments: [
        ["--expires", "soon"], ["--expires=-3d"], ["--max-uses", "0"], ["--rate", "x"], ["--verb", "fly"],
    ])
    func nonsenseIsRefused(_ arguments: [String]) throws {
        let options = try AgentOptions.parse(arguments)
        #expect(throws: CommandFailure.self) { try options.body(now: 0) }
    }

    @Test(arguments: ["9223372036854775807d", "0d", "d", "", "2026-13-01", "30x"])
    func noOtherTextIsAMoment(_ text: String) {
        #expect(Timestamp.parse(text, now: 1) == nil)
    }
}
