/// The machine's uptime.
package struct Uptime: Equatable, Sendable {
    package var seconds: Int64

    package init(seconds: Int64) {
        self.seconds = seconds
    }

    /// Reads the text of `/proc/uptime`: uptime in seconds with hundredths, followed by idle time.
    package init(uptime text: String) throws(MachineError) {
        let words = text.split(separator: " ", omittingEmptySubsequences: false)
        guard words.count >= 2 else { throw .missing("uptime") }
        guard let seconds = Int64(words[0].prefix { $0 != "." }), seconds >= 0 else { throw .malformed("uptime") }
        self.seconds = seconds
    }
}
