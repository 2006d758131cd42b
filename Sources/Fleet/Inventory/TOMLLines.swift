/// A TOML file as lines, with the ranges of entries and of values. Supports only one-line values.
struct TOMLLines {
    private var lines: [[UInt8]]

    init(_ text: String) {
        lines = text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map { Array($0) }
        // The final newline does not start another line.
        if lines.last == [] { lines.removeLast() }
    }

    var text: String { lines.map { String(decoding: $0, as: UTF8.self) + "\n" }.joined() }

    var count: Int { lines.count }

    mutating func insert(_ new: [String], at place: Int) {
        lines.insert(contentsOf: new.map { Array($0.utf8) }, at: place)
    }

    /// Removes one adjacent empty line too, so that empty lines do not accumulate.
    mutating func remove(_ range: Range<Int>) {
        lines.removeSubrange(range)
        let place = range.lowerBound
        if place < lines.count, isBlank(place) {
            lines.remove(at: place)
        } else if place == lines.count, place > 0, isBlank(place - 1) {
            lines.remove(at: place - 1)
        }
    }

    /// The ranges from each `[[key]]` to its last key; comments after that belong to the next header.
    func entries(_ key: String) -> [Range<Int>] {
        var entries: [Range<Int>] = []
        var start: Int?
        var end = 0
        for index in lines.indices {
            let line = String(decoding: lines[index], as: UTF8.self).trimmed
            if line.hasPrefix("[") {
                if let start { entries.append(start..<end) }
                start = line.hasPrefix("[[\(key)]]") ? index : nil
                end = index + 1
            } else if !line.isEmpty, !line.hasPrefix("#") {
                end = index + 1
            }
        }
        if let start { entries.append(start..<end) }
        return entries
    }

    /// The lines of the table `[key]`, including its header; nil if there is no such header.
    func table(_ key: String) -> Range<Int>? {
        let headers = lines.indices.filter { String(decoding: lines[$0], as: UTF8.self).trimmed.hasPrefix("[") }
        guard
            let start = headers.first(where: { index in
                let line = String(decoding: lines[index], as: UTF8.self).trimmed
                return String(line.prefix { $0 != "#" }).trimmed == "[\(key)]"
            })
        else { return nil }
        return start..<(headers.first { $0 > start } ?? lines.count)
    }

    /// The value as written, with its quotes.
    func value(of key: String, in range: Range<Int>) -> String? {
        for index in range {
            if let place = valuePlace(of: key, in: lines[index]) {
                return String(decoding: lines[index][place], as: UTF8.self)
            }
        }
        return nil
    }

    /// - Returns: False if the key does not exist.
    mutating func replaceValue(of key: String, in range: Range<Int>, with value: String) -> Bool {
        for index in range {
            guard let place = valuePlace(of: key, in: lines[index]) else { continue }
            lines[index].replaceSubrange(place, with: Array(value.utf8))
            return true
        }
        return false
    }

    /// A basic string.
    static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case "\u{0}"..."\u{1f}", "\u{7f}":
                let hex = String(scalar.value, radix: 16)
                quoted += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }

    /// A one-line list; its strings may contain brackets.
    private func listPlace(from start: Int, in line: [UInt8]) -> Range<Int>? {
        var quote: UInt8?
        var depth = 0
        for index in start..<line.count {
            let byte = line[index]
            if let open = quote {
                if byte == open { quote = nil }
            } else if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") {
                quote = byte
            } else if byte == UInt8(ascii: "[") {
                depth += 1
            } else if byte == UInt8(ascii: "]") {
                depth -= 1
                if depth == 0 { return start..<(index + 1) }
            }
        }
        return nil
    }

    private func isBlank(_ index: Int) -> Bool { String(decoding: lines[index], as: UTF8.self).trimmed.isEmpty }

    /// A list of basic strings.
    static func quoted(_ texts: [String]) -> String { "[\(texts.map { quoted($0) }.joined(separator: ", "))]" }

    private func valuePlace(of key: String, in line: [UInt8]) -> Range<Int>? {
        guard let equals = line.firstIndex(of: UInt8(ascii: "=")),
            String(decoding: line[..<equals], as: UTF8.self).trimmed == key
        else { return nil }
        let rest = line[(equals + 1)...]
        guard let start = rest.firstIndex(where: { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\t") }) else {
            return nil
        }
        let quote = line[start]
        if quote == UInt8(ascii: "[") { return listPlace(from: start, in: line) }
        guard quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'") else {
            let end = line[start...].firstIndex { [UInt8(ascii: " "), 9, 13, UInt8(ascii: "#")].contains($0) }
            return start..<(end ?? line.count)
        }
        var index = start + 1
        while index < line.count, line[index] != quote {
            index += quote == UInt8(ascii: "\"") && line[index] == UInt8(ascii: "\\") ? 2 : 1
        }
        return index < line.count ? start..<(index + 1) : nil
    }
}

extension String {
    fileprivate var trimmed: String {
        var view = self[...].unicodeScalars
        while let first = view.first, first.value <= 32 { view.removeFirst() }
        while let last = view.last, last.value <= 32 { view.removeLast() }
        return String(view)
    }
}
