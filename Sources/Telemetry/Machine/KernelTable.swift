/// Lines of a name, a colon, a number and `kB`, as the kernel writes them in `/proc/meminfo` and `/proc/self/status`.
struct KernelTable {
    private let lines: [Substring]

    init(_ text: String) {
        // By bytes: splitting by characters costs more than all the rest of a beat's reading.
        lines = text.utf8.split(separator: UInt8(ascii: "\n")).map(Substring.init)
    }

    /// In bytes. Nil for a name that is not there, and for a line that was cut short: without its unit a number may have
    /// lost its last digits.
    func bytes(_ name: String) throws(MachineError) -> UInt64? {
        for line in lines where line.hasPrefix(name) {
            let rest = line.dropFirst(name.count)
            guard rest.first == ":" else { continue }
            let words = rest.dropFirst().split { $0 == " " || $0 == "\t" }
            guard words.count == 2, words[1] == "kB" else { return nil }
            guard let kibibytes = UInt64(words[0]) else { throw .malformed(name) }
            let (bytes, isTooMuch) = kibibytes.multipliedReportingOverflow(by: 1024)
            guard !isTooMuch else { throw .malformed(name) }
            return bytes
        }
        return nil
    }
}
