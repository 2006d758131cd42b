import Foundation
import Systemd
import TestSupport
import Testing

@Suite struct ServiceManagerTests {
    private static func environment(_ values: [String: String]) -> (String) -> String? { { values[$0] } }

    @Test(arguments: [nil, "", "relative", "/", "@", "/" + String(repeating: "x", count: 108)])
    func whereNobodyListensThereIsNoManager(_ socket: String?) {
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
    func theWatchdogIsMeantForOneProcess(_ values: [String: String], _ expected: Int64?) {
        let environment = Self.environment(values.merging(["NOTIFY_SOCKET": "/run/notify"]) { $1 })
        #expect(ServiceManager(environment: environment, process: 7)?.watchdog == expected)
    }

    @Test(arguments: [true, false]) func whatIsToldArrives(_ isAbstract: Bool) async throws {
        let name = "clavitor-\(UUID().uuidString)"
        let path = FileManager.default.temporaryDirectory.appending(path: name).path
        defer { try? FileManager.default.removeItem(atPath: path) }
        let listener = try #require(NotifySocket(at: isAbstract ? "\0\(name)" : path))
        let socket = isAbstract ? "@\(name)" : path
        let manager = try #require(ServiceManager(environment: Self.environment(["NOTIFY_SOCKET": socket])))
        for news in [ServiceManager.News.ready, .alive, .stopping] { manager.tell(news) }
        var heard: [String] = []
        for _ in 0..<3 { heard.append(try await listener.next()) }
        listener.close()
        #expect(heard == ["READY=1", "WATCHDOG=1", "STOPPING=1"])
        // Nobody is there any more, and that is nobody's trouble.
        manager.tell(.alive)
    }
}
