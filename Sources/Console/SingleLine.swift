extension [UInt8] {
    /// The bytes without a final LF or CR LF, if they are a single line.
    package var withoutEndOfSingleLine: [UInt8] {
        let (lf, cr) = (UInt8(ascii: "\n"), UInt8(ascii: "\r"))
        guard last == lf, firstIndex(of: lf) == endIndex - 1 else { return self }
        let line = dropLast()
        return Array(line.last == cr ? line.dropLast() : line)
    }
}
