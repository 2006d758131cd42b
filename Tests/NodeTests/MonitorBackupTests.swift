import Foundation
import NIOHTTP1
import TestSupport
import Testing

/// Backup of a monitor and restore on another hub.
@Suite(.timeLimit(.minutes(5))) struct MonitorBackupTests {
    private func run(_ arguments: [String]) throws -> Program.Result {
        try Program(name: "clavitor-monitor").run(arguments)
    }

    @Test func aBackupMadeWhileServingRestoresOnAnotherHub() async throws {
        let monitor = try await ServedMonitor()
        let url = try monitor.addNodes(["tokyo"])[0]
        _ = try await monitor.sees { $0.nodes.count == 1 }
        _ = try await monitor.send(.GET, url + "?status=down&msg=no")
        _ = try await monitor.sees { !$0.incidents.isEmpty }
        let copy = monitor.scratch.file("copy.db")
        let made = try run(["backup", copy, "--data", monitor.data])
        #expect(made.status == 0, "\(made.errors)")
        let mode = try FileManager.default.attributesOfItem(atPath: copy)[.posixPermissions] as? Int
        #expect(mode == 0o600)
        // Nothing is written over.
        #expect(try run(["backup", copy, "--data", monitor.data]).errors.contains("already exists"))
        #expect(
            try run(["restore", copy, "--data", monitor.data]).errors.contains("Another clavitor-monitor is serving"))
        let next = monitor.scratch.file("next")
        let restored = try run(["restore", copy, "--data", next])
        #expect(restored.status == 0, "\(restored.errors)")
        #expect(try run(["node", "list", "--data", next]).output.hasPrefix("tokyo"))
        #expect(try run(["token", "list", "--data", next]).output.contains("soc"))
        #expect(try run(["restore", copy, "--data", next]).errors.contains("already exists"))
        // What is no copy, or half of one.
        for (name, text) in [("none.db", "nonsense"), ("half.db", "")] {
            let path = monitor.scratch.file(name)
            let bytes = name == "half.db" ? try Data(contentsOf: URL(filePath: copy)).prefix(20_000) : Data(text.utf8)
            try bytes.write(to: URL(filePath: path))
            let refused = try run(["restore", path, "--data", monitor.scratch.file("empty")])
            #expect(refused.status != 0 && refused.errors.contains("Nothing was restored"), "\(name)")
            #expect(!FileManager.default.fileExists(atPath: monitor.scratch.file("empty/monitor.db")))
        }
    }

    /// On a nearly full disk a backup would use the space for alarms.
    @Test(.enabled(if: geteuid() == 0, "needs root for a small file system"))
    func aBackupThatWouldFillTheDiskIsNotMade() async throws {
        let scratch = try Scratch()
        let folder = scratch.file("backups")
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        let mount = try TemporaryMount(at: folder, size: "40m")
        defer {
            mount.remove()
            scratch.remove()
        }
        let monitor = try await ServedMonitor(
            configuration: """
                backup-to = "\(folder)"
                backup-recipient = ["age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"]

                """)
        try await eventually("a refused backup is logged", every: .milliseconds(50)) {
            monitor.log.contains("MiB free, and a backup needs 6")
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty)
        _ = try await monitor.sees { _ in true }
    }

    @Test func certificateCommandsWork() async throws {
        let monitor = try await ServedMonitor()
        let status = try run(["cert", "status", "--data", monitor.data])
        #expect(status.status == 1 && status.output.contains("no certificate"))
        let json = try run(["cert", "status", "--json", "--data", monitor.data])
        #expect(try JSONSerialization.jsonObject(with: Data(json.output.utf8)) is NSDictionary)
        let metrics = try await monitor.get("/metrics").body
        #expect(metrics.contains("clavitor_monitor_certificate_expiry_timestamp_seconds "))
        #expect(
            try run(["cert", "status", "--data", "/nonexistent"]).errors.contains("There is no /nonexistent/monitor.db")
        )
    }
}
