import ArgumentParser
import Fleet
import Foundation
import TestSupport
import Testing

@testable import clavitor_soc

/// The commands with gdnsd's health file, an unreachable monitor, and an inventory on disk.
@Suite struct DNSCommandTests {
    let scratch: Scratch
    let words: [String]

    init() throws {
        scratch = try Scratch()
        let state = scratch.file("state")
        try FileManager.default.createDirectory(
            atPath: state, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        try scratch.write(Array("clm_1".utf8), to: "token")
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: scratch.file("token"))
        try scratch.write(Array("monitor-token-file = \"\(scratch.file("token"))\"\n".utf8), to: "state/soc.toml")
        let inventory = """
            \(FleetFixture.text(network: "127.0.86"))
            [dns]
            zone = "example.com"
            nearest = "api.example.com"
            ttl = 30
            provider = "gdnsd"
            health-file = "\(scratch.file("health"))"
            floor = 1

            """
        words = ["--inventory", try scratch.write(Array(inventory.utf8), to: "fleet.toml"), "--state", state]
    }

    private func run(_ command: String...) async throws {
        var command = try DNSCommand.parseAsRoot(command + words)
        if var asynchronous = command as? any AsyncParsableCommand {
            try await asynchronous.run()
        } else {
            try command.run()
        }
    }

    private var health: [String] {
        get throws {
            String(decoding: try scratch.read("health"), as: UTF8.self).split(separator: "\n").dropFirst().map(
                String.init)
        }
    }

    @Test func anEvaluationThatFailsExitsWithOne() async throws {
        await #expect(throws: ExitCode(1)) { try await run("watch", "--once") }
        #expect(try health.allSatisfy { $0.hasSuffix("UP") })
    }

    @Test(.timeLimit(.minutes(2))) func theWatchAppliesAChangedInventoryOnceItIsValid() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await run("watch", "--interval", "1") }
            group.addTask {
                try await until { $0.contains("127.0.86.2 => UP") }
                let settings = try scratch.read("state/soc.toml")
                try scratch.write(settings + Array("nonsense = 1\n".utf8), to: "state/soc.toml")
                let inventory = String(decoding: try scratch.read("fleet.toml"), as: UTF8.self)
                let changed = inventory.replacing(#"ipv4 = "127.0.86.2""#, with: #"ipv4 = "127.0.86.44""#)
                try scratch.write(Array(changed.utf8), to: "fleet.toml")
                // The watch for the new inventory cannot start, and nothing is changed meanwhile.
                try await Task.sleep(for: .seconds(3))
                #expect(try health.contains("127.0.86.2 => UP"))
                try scratch.write(settings, to: "state/soc.toml")
                try await until { $0.contains("127.0.86.44 => UP") && $0.contains("127.0.86.2 => DOWN") }
            }
            // The watch runs until it is cancelled.
            try await group.next()
            group.cancelAll()
        }
        #expect(try health.contains("127.0.86.44 => UP"))
    }

    private func until(_ isTrue: ([String]) -> Bool) async throws {
        try await eventually(
            "the health file is \((try? health) ?? [])", within: .seconds(60), every: .milliseconds(50)
        ) {
            isTrue((try? health) ?? [])
        }
    }

    @Test func aManualOverrideIsAppliedImmediately() async throws {
        // The unreachable monitor is reported; the override is applied nevertheless.
        await #expect(throws: ExitCode(1)) { try await run("withdraw", "tokyo", "--for", "2h") }
        #expect(try health.contains("127.0.86.2 => DOWN"))
        let state = WatchState(folder: scratch.file("state"))
        let withdrawn = try state.read().withdrawn
        #expect(withdrawn["tokyo"]?.hasPrefix("by manual override of ") == true)
        try await run("plan", "--json")
        let absences = await StatusCommand.absences(try OperatorContext(OperatorOptions.parse(words)))
        #expect(
            absences.count == 1 && absences[0].hasPrefix("tokyo is out of the nearest name: by manual override of "))
        await #expect(throws: ManualOverrideError.noOverride("seoul")) { try await run("restore", "seoul") }
        // This process holds the watch's lock by now, so its watch applies the override.
        try await run("restore", "tokyo")
        #expect(try state.overrides().isEmpty)
        try await run("withdraw", "seoul")
        #expect(try state.overrides().keys.sorted() == ["seoul"])
        await #expect(throws: InventoryError.self) { try await run("withdraw", "oslo") }
        // There was no evaluation since; half of four nodes is two.
        try await run("withdraw", "tokyo")
        await #expect(throws: ManualOverrideError.tooFew("dallas")) { try await run("withdraw", "dallas") }
        try await run("withdraw", "dallas", "--below-floor")
    }

    @Test(arguments: [("30m", 1_800), ("2h", 7_200), ("3d", 259_200), ("5s", 5)])
    func durationsAreParsed(_ text: String, _ seconds: Int64) {
        #expect(DNSWithdraw.DurationArgument(argument: text)?.seconds == seconds)
    }

    @Test(arguments: ["", "2", "h", "-2h", "0h", "2 h", "2w", "9223372036854775807d", "366d"])
    func invalidDurationsAreRejected(_ text: String) {
        #expect(DNSWithdraw.DurationArgument(argument: text) == nil)
    }

    @Test func applyKeepsMembershipUnlessRequested() async throws {
        try await run("apply")
        let all = try health
        #expect(all.count == 4)
        // A watch on another machine has withdrawn a node.
        let text = all.joined(separator: "\n").replacing("127.0.86.2 => UP", with: "127.0.86.2 => DOWN")
        try scratch.write(Array("# \n\(text)\n".utf8), to: "health")
        try await run("plan")
        try await run("apply")
        #expect(try health.contains("127.0.86.2 => DOWN"))
        try await run("apply", "--nearest")
        #expect(try health == all)
    }
}
