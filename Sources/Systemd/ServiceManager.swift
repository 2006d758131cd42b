import Glibc

/// systemd, for a service that it started: readiness, watchdog, credentials (sd_notify(3), systemd.exec(5)).
///
/// A program that nobody supervises has none, and says nothing to nobody.
package struct ServiceManager: Sendable {
    private let address: NotifyAddress
    /// How often the watchdog wants to hear something, in microseconds; nil when there is none.
    package let watchdog: Int64?

    /// - Parameters:
    ///   - environment: Of a name, what the environment has.
    ///   - process: The number of this process: the watchdog may be meant for another.
    package init?(environment: (String) -> String? = Environment.value, process: Int32 = getpid()) {
        guard let address = environment("NOTIFY_SOCKET").flatMap(NotifyAddress.init) else { return nil }
        self.address = address
        let isMeant = environment("WATCHDOG_PID").map { Int32($0) == process } ?? true
        watchdog = isMeant ? environment("WATCHDOG_USEC").flatMap { Int64($0) }.flatMap { $0 > 0 ? $0 : nil } : nil
    }

    package enum News: String, Sendable {
        case ready = "READY=1"
        case alive = "WATCHDOG=1"
        case stopping = "STOPPING=1"
    }

    /// Tells it, and never waits: who does not listen misses it.
    package func tell(_ news: News) { address.send(news.rawValue) }
}

/// The process's environment. The one place where our programs read it.
package enum Environment {
    package static func value(_ name: String) -> String? {
        guard let text = unsafe getenv(name) else { return nil }
        return unsafe String(cString: text)
    }

    /// Where systemd put the files of `LoadCredential`.
    package static var credentialsDirectory: String? { value("CREDENTIALS_DIRECTORY") }
}
