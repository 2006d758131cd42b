/// Pressure stall information: the share of time in which tasks waited for a resource.
package struct Pressure: Equatable, Sendable {
    /// Share of the last ten seconds in which at least one task waited, in percent.
    package var some: Double

    package init(some: Double) {
        self.some = some
    }

    /// Reads the text of `/proc/pressure/memory` or `/proc/pressure/io`.
    package init(pressure text: String) throws(MachineError) {
        let name = "some avg10"
        guard let line = text.split(separator: "\n").first(where: { $0.hasPrefix("some ") }) else {
            throw .missing(name)
        }
        let words = line.split(separator: " ")
        // "some avg10=0.04 avg60=…": complete only if another value follows.
        guard words.count >= 3, words[1].hasPrefix("avg10=") else { throw .missing(name) }
        guard let share = Double(words[1].dropFirst("avg10=".count)), share.isFinite, (0...100).contains(share) else {
            throw .malformed(name)
        }
        some = share
    }
}
