extension [UInt8] {
    /// Without a final LF or CR LF, if there is no other line.
    package var withoutEndOfSingleLine: [UInt8] {
        let (lf, cr) = (UInt8(ascii: "\n"), UInt8(ascii: "\r"))
        guard last == lf, firstIndex(of: lf) == endIndex - 1 else { return self }
        let line = dropLast()
        return Array(line.last == cr ? line.dropLast() : line)
    }
}
