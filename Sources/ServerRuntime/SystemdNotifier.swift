package import Logging
import ServiceLifecycle
import Systemd

/// Notifies systemd when the program is ready, alive and stopping (sd_notify(3)).
package struct SystemdNotifier: Service {
    private let manager: ServiceManager
    private let logger: Logger
    private let isAlive: @Sendable () async throws -> Void

    /// Nil when the program does not run under systemd.
    ///
    /// - Parameters:
    ///   - logger: Logs failed liveness checks.
    ///   - isAlive: The liveness check. When it fails or hangs, systemd restarts the program.
    package init?(logger: Logger, isAlive: @escaping @Sendable () async throws -> Void) {
        guard let manager = ServiceManager() else { return nil }
        self.manager = manager
        self.logger = logger
        self.isAlive = isAlive
    }

    package func notifyReady() { manager.notify(.ready) }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            // Half of the watchdog interval, as sd_watchdog_enabled(3) recommends.
            let pause = manager.watchdog.map { Duration.microseconds($0 / 2) } ?? .seconds(86_400)
            while !Task.isCancelled {
                if manager.watchdog != nil { await notifyWatchdog() }
                try? await Task.sleep(for: pause)
            }
        }
        manager.notify(.stopping)
    }

    private func notifyWatchdog() async {
        do {
            try await isAlive()
            manager.notify(.watchdog)
        } catch is CancellationError {
        } catch {
            logger.critical("the liveness check failed; the watchdog is not notified", metadata: ["error": "\(error)"])
        }
    }
}
