import Glibc

/// systemd's notification protocol for the service that it started (sd_notify(3)).
///
/// A program without a supervisor has no instance of it and sends nothing.
package struct ServiceManager: Sendable {
    private let address: NotifyAddress
    /// The watchdog timeout in microseconds; nil without a watchdog.
    package let watchdog: Int64?

    /// - Parameters:
    ///   - environment: Looks up an environment variable.
    ///   - process: The id of this process: the watchdog may be meant for another one.
    package init?(environment: (String) -> String? = Environment.value, process: Int32 = getpid()) {
        guard let address = environment("NOTIFY_SOCKET").flatMap(NotifyAddress.init) else { return nil }
        self.address = address
        let isMeant = environment("WATCHDOG_PID").map { Int32($0) == process } ?? true
        watchdog = isMeant ? environment("WATCHDOG_USEC").flatMap { Int64($0) }.flatMap { $0 > 0 ? $0 : nil } : nil
    }

    package enum Notification: String, Sendable {
        case ready = "READY=1"
        case watchdog = "WATCHDOG=1"
        case stopping = "STOPPING=1"
    }

    /// Sends a notification without blocking; it is lost if the socket is full.
    package func notify(_ notification: Notification) { address.send(notification.rawValue) }
}

/// The process's environment: the only place where the programs read it.
package enum Environment {
    package static func value(_ name: String) -> String? {
        guard let text = unsafe getenv(name) else { return nil }
        return unsafe String(cString: text)
    }

    /// The directory of `LoadCredential` files (systemd.exec(5)).
    package static var credentialsDirectory: String? { value("CREDENTIALS_DIRECTORY") }
}
