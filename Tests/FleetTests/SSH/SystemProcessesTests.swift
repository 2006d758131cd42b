import Fleet
import Foundation
import TestSupport
import Testing

@Suite struct SystemProcessesTests {
    private let scratch: Scratch

    init() throws { scratch = try Scratch() }

    private func say(_ program: String) async throws -> String {
        try await SystemProcesses().run(ChildProcess(program, ["it", "is me"], deadline: .seconds(120))).output
    }

    @Test func aProgramWithAPathIsRunByItsPath() async throws {
        let path = try scratch.write(Array("#!/bin/sh\necho \"$0 $#\"\n".utf8), to: "my program")
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
        #expect(try await say(path) == "\(path) 2\n")
        #expect(try await say("/bin/echo") == "it is me\n")
        #expect(try await say("echo") == "it is me\n")
    }

    @Test(arguments: ["no-such-program-here", "/nowhere/program"])
    func aMissingProgramIsNamed(_ program: String) async throws {
        await #expect(throws: ChildError.notFound(program)) { try await say(program) }
    }

    private func run(_ script: String, input: String? = nil, deadline: Duration = .seconds(20), most: Int = 1 << 20)
        async throws -> ChildOutcome
    {
        var child = ChildProcess("sh", ["-c", script], input: input, deadline: deadline)
        child.maximumOutput = most
        return try await SystemProcesses().run(child)
    }

    @Test func statusAndBothOutputsAreReturned() async throws {
        let outcome = try await run("cat; echo no >&2; exit 3", input: "yes")
        #expect(outcome == ChildOutcome(status: 3, output: "yes", errors: "no\n"))
        #expect(try await run("kill -9 $$").status == 137)
    }

    @Test func unreadInputDoesNotHideTheStatus() async throws {
        let outcome = try await run("exec 0<&-; echo why >&2; exit 255", input: String(repeating: "x", count: 1 << 20))
        #expect(outcome.status == 255)
        #expect(outcome.errors == "why\n")
    }

    @Test func aTimeoutKillsTheProgramAndItsChildren() async throws {
        let mark = "/tmp/soc-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: mark) }
        await #expect(throws: ChildError.timedOut("sh", .seconds(3))) {
            try await run("echo $$ >\(mark); sleep 600 & wait", deadline: .seconds(3))
        }
        let pid = try #require(Int32(try String(contentsOfFile: mark, encoding: .utf8).split(separator: "\n")[0]))
        // The group is empty as soon as its last member is reaped.
        try await eventually("the group has ended") { kill(-pid, 0) != 0 }
    }

    @Test func excessiveOutputKillsTheProgram() async throws {
        await #expect(throws: ChildError.tooMuchOutput("sh", 1_000)) { try await run("yes", most: 1_000) }
    }
}
