@_spi(_Unicode) import Swift

extension StringProtocol {
    /// The text normalized for comparing names: NFC and case-folded. Two spellings of a name are equal, in every table and under
    /// every key.
    ///
    /// Folding uses the full mappings to lower, upper and lower case of each scalar (Unicode, chapter 3.13), without
    /// context: `ß` and `ẞ` are `ss`, a final sigma is a sigma. `docs/FORMAT.md` specifies it for other programs.
    package var caseless: String {
        if utf8.allSatisfy({ $0 < 0x80 }) { return lowercased() }
        return CaselessLetters.fold(unicodeScalars) ?? folded
    }

    /// Folds any text. About fifty times slower than `CaselessLetters.fold`.
    fileprivate var folded: String {
        let first = String(self)._nfc.reduce(into: "") { $0 += $1.properties.lowercaseMapping }
        let upper = first._nfc.reduce(into: "") { $0 += $1.properties.uppercaseMapping }
        let lower = upper._nfc.reduce(into: "") { $0 += $1.properties.lowercaseMapping }
        return lower._nfc.reduce(into: "") { $0.unicodeScalars.append($1) }
    }
}

/// A fast path for scalars that can be folded one by one: those that neither combine with a neighbour nor decompose, before,
/// between and after the mappings. Most text of most languages has no others.
private enum CaselessLetters {
    /// Nil for text that has others.
    static func fold(_ text: some Sequence<Unicode.Scalar>) -> String? {
        var bytes: [UInt8] = []
        for scalar in text {
            if scalar.value < UInt32(letters.count) {
                guard let folded = letters[Int(scalar.value)] else { return nil }
                bytes += folded
            } else if unchanged.contains(where: { $0.contains(scalar.value) }) {
                bytes += UTF8.encode(scalar).map(Array.init) ?? []
            } else {
                return nil
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Latin, Greek, Cyrillic and Armenian, by scalar.
    private static let letters: [[UInt8]?] = (0..<0x590).map { value in
        guard let scalar = Unicode.Scalar(UInt32(value)), isIndependent(scalar) else { return nil }
        let text = String(Character(scalar))
        let folded = text.folded
        // Every intermediate form is checked, so that none combines with the scalar before or after it.
        let forms = [text.lowercased(), text.uppercased(), folded]
        return forms.allSatisfy { $0.unicodeScalars.allSatisfy(isIndependent) } ? Array(folded.utf8) : nil
    }

    /// Scalars without case: hiragana and katakana without their marks, CJK ideographs, Hangul syllables, and some signs.
    private static let unchanged: [ClosedRange<UInt32>] = [
        0x2010...0x2027, 0x2030...0x203b, 0x20a0...0x20bf, 0x3001...0x3029, 0x3041...0x3096, 0x30a1...0x30fa,
        0x4e00...0x9fff, 0xac00...0xd7a3, 0xff01...0xff20, 0x1f300...0x1f64f, 0x1f680...0x1f6ff, 0x1f900...0x1f9ff,
    ]

    /// Whether the scalar is independent of its neighbours: not a combining mark, and its own canonical form.
    private static func isIndependent(_ scalar: Unicode.Scalar) -> Bool {
        scalar.properties.canonicalCombiningClass == .notReordered
            && !scalar.properties.isGraphemeExtend
            && String(Character(scalar))._nfc.elementsEqual([scalar])
    }
}
