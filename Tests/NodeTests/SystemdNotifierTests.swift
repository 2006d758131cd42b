import Foundation
import TestSupport
import Testing

/// Both server programs with a socket in place of systemd's.
@Suite(.timeLimit(.minutes(15))) struct SystemdNotifierTests {
    @Test(arguments: ["clavitor-node", "clavitor-monitor"])
    func itIsReadyThenAliveThenStopping(_ name: String) async throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let socket = try #require(NotifySocket(at: scratch.file("notify")))
        defer { socket.close() }
        var program = Program(name: name)
        program.environment = ["NOTIFY_SOCKET": scratch.file("notify"), "WATCHDOG_USEC": "400000"]
        let process = try program.start(
            ["serve", "--dev", "--data", scratch.file("data"), "--https", "127.0.0.1:0"])
        var heard: [String] = []
        while heard.count < 8, !heard.contains("READY=1") || heard.last != "WATCHDOG=1" {
            heard.append(try await socket.next())
        }
        let beats = [try await socket.next(), try await socket.next()]
        process.send(SIGTERM)
        var last = try await socket.next()
        while last == "WATCHDOG=1" { last = try await socket.next() }
        let status = await process.waitUntilExit()
        #expect(heard.count { $0 == "READY=1" } == 1, "\(heard)")
        #expect(beats == ["WATCHDOG=1", "WATCHDOG=1"])
        #expect(last == "STOPPING=1")
        #expect(status == 0)
    }
}
