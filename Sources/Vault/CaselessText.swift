@_spi(_Unicode) import Swift

extension StringProtocol {
    /// The text as names are compared: NFC, without case. Two spellings of one name are one name, in every table and
    /// under every key.
    ///
    /// Case goes by the full mappings to lower, upper and lower case of each scalar (Unicode, chapter 3.13), without
    /// context: `ß` and `ẞ` are `ss`, a final sigma is a sigma. `docs/FORMAT.md` has it for other programs.
    package var caseless: String {
        if utf8.allSatisfy({ $0 < 0x80 }) { return lowercased() }
        let first = String(self)._nfc.reduce(into: "") { $0 += $1.properties.lowercaseMapping }
        let upper = first._nfc.reduce(into: "") { $0 += $1.properties.uppercaseMapping }
        let lower = upper._nfc.reduce(into: "") { $0 += $1.properties.lowercaseMapping }
        return lower._nfc.reduce(into: "") { $0.unicodeScalars.append($1) }
    }
}
