/// A table of `name: number kB` lines, as in `/proc/meminfo` and `/proc/self/status`.
struct KernelTable {
    private let lines: [Substring]

    init(_ text: String) {
        // Split by bytes: splitting by characters costs more than all other reading for a heartbeat.
        lines = text.utf8.split(separator: UInt8(ascii: "\n")).map(Substring.init)
    }

    /// Returns a value in bytes. Nil when the name is missing or its line is truncated: without its unit a number may
    /// have lost digits.
    func bytes(_ name: String) throws(MachineError) -> UInt64? {
        for line in lines where line.hasPrefix(name) {
            let rest = line.dropFirst(name.count)
            guard rest.first == ":" else { continue }
            let words = rest.dropFirst().split { $0 == " " || $0 == "\t" }
            guard words.count == 2, words[1] == "kB" else { return nil }
            guard let kibibytes = UInt64(words[0]) else { throw .malformed(name) }
            let (bytes, overflows) = kibibytes.multipliedReportingOverflow(by: 1024)
            guard !overflows else { throw .malformed(name) }
            return bytes
        }
        return nil
    }
}
