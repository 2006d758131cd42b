/// Open file descriptors of the program and their limit.
package struct OpenFiles: Equatable, Sendable {
    package var count: Int
    /// Nil without a limit.
    package var limit: Int?

    package init(count: Int, limit: Int?) {
        self.count = count
        self.limit = limit
    }

    /// Reads the text of `/proc/self/limits`.
    ///
    /// - Parameters:
    ///   - count: Entries of `/proc/self/fd`.
    ///   - text: A table with a line of "Max open files", the soft limit, the hard one and a unit.
    /// - Throws: `MachineError` when the line is not there, or is no limit.
    package init(count: Int, limits text: String) throws(MachineError) {
        let name = "Max open files"
        guard let line = text.split(separator: "\n").first(where: { $0.hasPrefix(name) }) else { throw .missing(name) }
        let words = line.dropFirst(name.count).split(separator: " ")
        guard words.count >= 2 else { throw .missing(name) }
        self.count = count
        guard words[0] != "unlimited" else { return }
        guard let limit = Int(words[0]), limit > 0 else { throw .malformed(name) }
        self.limit = limit
    }

    /// Used file descriptors in percent.
    package var usedPercent: Double { limit.map { 100 * Double(count) / Double($0) } ?? 0 }
}
