/// What scripts print: `key=value`, a line each. Other lines are somebody else's.
struct NodeLines: Equatable {
    private var values: [String: String] = [:]

    init(_ text: String) {
        for line in text.split(whereSeparator: \.isNewline) {
            guard let equals = line.firstIndex(of: "=") else { continue }
            values[String(line[..<equals])] = String(line[line.index(after: equals)...])
        }
    }

    /// Nil when it is not there or empty.
    func text(_ key: String) -> String? { values[key].flatMap { $0.isEmpty ? nil : $0 } }

    func number(_ key: String) -> Int64? { values[key].flatMap { Int64($0) } }
}
