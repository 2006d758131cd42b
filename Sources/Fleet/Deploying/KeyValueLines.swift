/// The output of remote scripts: lines of `key=value`. Other lines are ignored.
struct KeyValueLines: Equatable {
    private var values: [String: String] = [:]

    init(_ text: String) {
        for line in text.split(whereSeparator: \.isNewline) {
            guard let equals = line.firstIndex(of: "=") else { continue }
            values[String(line[..<equals])] = String(line[line.index(after: equals)...])
        }
    }

    /// Nil for a missing or empty value.
    func text(_ key: String) -> String? { values[key].flatMap { $0.isEmpty ? nil : $0 } }

    func number(_ key: String) -> Int64? { values[key].flatMap { Int64($0) } }
}
