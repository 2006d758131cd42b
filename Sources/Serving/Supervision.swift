package import Logging
import ServiceLifecycle
import Systemd

/// What systemd hears of a program that serves: that it is ready, that it lives, that it stops.
package struct Supervision: Service {
    private let manager: ServiceManager
    private let logger: Logger
    private let isAlive: @Sendable () async throws -> Void

    /// Nil when nobody supervises.
    ///
    /// - Parameters:
    ///   - logger: Hears when the program does not live.
    ///   - isAlive: Does a little of what the program is for; when it fails or hangs, systemd starts the program anew.
    package init?(logger: Logger, isAlive: @escaping @Sendable () async throws -> Void) {
        guard let manager = ServiceManager() else { return nil }
        self.manager = manager
        self.logger = logger
        self.isAlive = isAlive
    }

    package func tellReady() { manager.notify(.ready) }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            // Twice as often as it must be (sd_watchdog_enabled(3)).
            let pause = manager.watchdog.map { Duration.microseconds($0 / 2) } ?? .seconds(86_400)
            while !Task.isCancelled {
                if manager.watchdog != nil { await tellAlive() }
                try? await Task.sleep(for: pause)
            }
        }
        manager.notify(.stopping)
    }

    private func tellAlive() async {
        do {
            try await isAlive()
            manager.notify(.watchdog)
        } catch is CancellationError {
        } catch {
            logger.critical("the watchdog hears nothing", metadata: ["error": "\(error)"])
        }
    }
}
