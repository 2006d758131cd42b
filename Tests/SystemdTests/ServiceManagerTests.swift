import Foundation
import Systemd
import TestSupport
import Testing

@Suite struct ServiceManagerTests {
    private static func environment(_ values: [String: String]) -> (String) -> String? { { values[$0] } }

    @Test(arguments: [nil, "", "relative", "/", "@", "/" + String(repeating: "x", count: 108)])
    func withoutAValidSocketThereIsNoManager(_ socket: String?) {
        let environment = Self.environment(socket.map { ["NOTIFY_SOCKET": $0] } ?? [:])
        #expect(ServiceManager(environment: environment, process: 1) == nil)
    }

    @Test(
        arguments: [
            (["WATCHDOG_USEC": "30000000"], 30_000_000),
            (["WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "7"], 30_000_000),
            (["WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "8"], nil), (["WATCHDOG_USEC": "0"], nil),
            (["WATCHDOG_USEC": "soon"], nil), ([:], nil),
        ] as [([String: String], Int64?)])
    func theWatchdogAppliesToOneProcess(_ values: [String: String], _ expected: Int64?) {
        let environment = Self.environment(values.merging(["NOTIFY_SOCKET": "/run/notify"]) { $1 })
        #expect(ServiceManager(environment: environment, process: 7)?.watchdog == expected)
    }

    @Test(arguments: [true, false]) func notificationsArrive(_ isAbstract: Bool) async throws {
        let name = "clavitor-\(UUID().uuidString)"
        let scratch = try Scratch()
        let path = scratch.file("notify")
        let listener = try #require(NotifySocket(at: isAbstract ? "\0\(name)" : path))
        let socket = isAbstract ? "@\(name)" : path
        let manager = try #require(ServiceManager(environment: Self.environment(["NOTIFY_SOCKET": socket])))
        for notification in [ServiceManager.Notification.ready, .watchdog, .stopping] { manager.notify(notification) }
        var received: [String] = []
        for _ in 0..<3 { received.append(try await listener.next()) }
        listener.close()
        #expect(received == ["READY=1", "WATCHDOG=1", "STOPPING=1"])
        // Sending to a closed socket is harmless.
        manager.notify(.watchdog)
    }
}
