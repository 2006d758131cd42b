/// The average number of runnable tasks.
package struct LoadAverage: Equatable, Sendable {
    package var lastMinute: Double

    package init(lastMinute: Double) {
        self.lastMinute = lastMinute
    }

    /// Reads the text of `/proc/loadavg`.
    package init(loadavg text: String) throws(MachineError) {
        let words = text.split(separator: " ", omittingEmptySubsequences: false)
        // The number is complete only if something follows it.
        guard words.count >= 2 else { throw .missing("the load of the last minute") }
        guard let load = Double(words[0]), load.isFinite, load >= 0 else {
            throw .malformed("the load of the last minute")
        }
        lastMinute = load
    }
}
