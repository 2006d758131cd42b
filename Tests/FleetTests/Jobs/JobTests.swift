import ArgumentParser
import Fleet
import Foundation
import TestSupport
import Testing
import Wire

@testable import clavitor_soc

/// Scheduled jobs of an operator's machine.
@Suite struct JobTests {
    private let scratch: Scratch
    private let words: [String]

    init() throws {
        scratch = try Scratch()
        let state = scratch.file("state")
        try FileManager.default.createDirectory(
            atPath: state, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        let inventory = try scratch.write(Array(FleetFixture.text().utf8), to: "fleet.toml")
        words = ["--inventory", inventory, "--state", state]
    }

    private func run(_ command: String...) async throws {
        var command = try ClavitorSOC.parseAsRoot(command + words) as? any AsyncParsableCommand
        try await command?.run()
    }

    private func text(_ name: String) throws -> String { String(decoding: try scratch.read(name), as: UTF8.self) }

    @Test func installedJobsAreInTheInventory() async throws {
        try await run("job", "install", "--units", scratch.file("units"))
        let jobs = try InventoryFile(scratch.file("fleet.toml")).readValid().jobs
        #expect(jobs.map(\.name) == ["soc-backups", "soc-integrity", "soc-upkeep"])
        #expect(jobs.map(\.every) == ["1d", "7d", "7d"])
        let url = try text("state/jobs/backups.url").trimmingCharacters(in: .whitespacesAndNewlines)
        #expect(url.hasPrefix("https://monitor.example.com/api/push/"))
        #expect(jobs[0].pushToken == PushToken.digest(url.split(separator: "/").last ?? ""))
        let attributes = try FileManager.default.attributesOfItem(atPath: scratch.file("state/jobs/backups.url"))
        #expect(attributes[.posixPermissions] as? Int == 0o600)
        // A second installation keeps the push tokens.
        let before = try text("fleet.toml")
        try await run("job", "install", "--units", scratch.file("units"))
        #expect(try text("fleet.toml") == before)
    }

    @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/systemd-analyze")))
    func systemdAcceptsTheUnits() async throws {
        let units = try JobUnits(program: "/bin/true", state: scratch.file("state"), inventory: "/f/fleet.toml")
        var paths: [String] = []
        for job in ScheduledJob.allCases {
            for (name, text) in units.files(job) { paths.append(try scratch.write(Array(text.utf8), to: name)) }
            #expect(paths.contains { $0.hasSuffix("/\(units.unit(job))") })
        }
        #expect(paths.count == 7)
        let outcome = try await SystemProcesses().run(
            ChildProcess("systemd-analyze", ["verify"] + paths, deadline: .seconds(60)))
        #expect(outcome.status == 0 && outcome.errors.isEmpty, "\(outcome.errors)")
        for job in ScheduledJob.allCases {
            guard let calendar = job.calendar else { continue }
            let read = try await SystemProcesses().run(
                ChildProcess("systemd-analyze", ["calendar", calendar], deadline: .seconds(60)))
            #expect(read.status == 0, "\(calendar): \(read.errors)")
        }
    }

    @Test(arguments: ["/home/a b/x", "/x%h", "/x\"y", "/x$HOME", "/x\\y", "/x;y"])
    func aPathWithSpecialCharactersOfUnitsIsRejected(_ path: String) {
        #expect(throws: JobPreconditionError.path(path)) { try JobUnits(program: "/p", state: path, inventory: "/f") }
    }

    @Test func aJobThatIsNotInstalledIsReported() async throws {
        await #expect(throws: JobPreconditionError.notInstalled("backups")) { try await run("job", "run", "backups") }
    }
}
