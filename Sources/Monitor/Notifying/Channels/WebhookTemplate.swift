import Encoding
import FoundationEssentials

/// An operator's body template with the placeholders `{title}`, `{severity}`, `{node}`, `{region}`, `{kind}`,
/// `{detail}`, `{url}` and `{time}`. Values are escaped for the content type; other braces are kept.
struct WebhookTemplate: Sendable {
    let text: String
    let escaping: Escaping

    enum Escaping: Sendable { case json, form, none }

    init(_ text: String, contentType: String) {
        self.text = text
        let type = contentType.prefix { $0 != ";" }.lowercased()
        escaping =
            if type.hasSuffix("json") {
                .json
            } else if type.hasPrefix("application/x-www-form-urlencoded") {
                .form
            } else {
                .none
            }
    }

    func filled(with message: Message, dashboard: String?) -> String {
        let values = Self.values(message, dashboard: dashboard)
        var result = ""
        var rest = text[...]
        // A single pass, so that a brace in a value is never read as a placeholder.
        while let open = rest.firstIndex(of: "{") {
            result += rest[..<open]
            let behind = rest[rest.index(after: open)...]
            if let close = behind.firstIndex(of: "}"), let value = values[String(behind[..<close])] {
                result += escaped(value)
                rest = behind[behind.index(after: close)...]
            } else {
                result += "{"
                rest = behind
            }
        }
        return result + rest
    }

    private static func values(_ message: Message, dashboard: String?) -> [String: String] {
        let text = MessageText(message)
        return [
            "title": text.title, "detail": text.lines.joined(separator: "\n"), "severity": message.severity.rawValue,
            "node": common(message, \.incident.node), "region": common(message, \.incident.region),
            "kind": common(message, \.kind.rawValue), "url": message.link(from: dashboard) ?? "",
            "time": Date(timeIntervalSince1970: Double(message.at / 1_000)).formatted(.iso8601),
        ]
    }

    /// The common value of all changes; "several" when they differ.
    private static func common(_ message: Message, _ part: (IncidentChange) -> String?) -> String {
        let all = Set(message.changes.map { part($0) ?? "" })
        return all.count == 1 && message.total == message.changes.count ? all.first ?? "" : "several"
    }

    private func escaped(_ value: String) -> String {
        switch escaping {
        case .none: value
        case .json: Self.jsonEscaped(value)
        case .form:
            value.utf8.map { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"):
                    String(UnicodeScalar(byte))
                default: "%\(Hexadecimal.encode(CollectionOfOne(byte)).uppercased())"
                }
            }.joined()
        }
    }

    /// Escapes the content of a JSON string (RFC 8259 section 7).
    private static func jsonEscaped(_ value: String) -> String {
        value.unicodeScalars.map { scalar in
            switch scalar {
            case "\"": "\\\""
            case "\\": "\\\\"
            case "\n": "\\n"
            case "\t": "\\t"
            case _ where scalar.value < 0x20:
                "\\u00\(Hexadecimal.encode(CollectionOfOne(UInt8(scalar.value))))"
            default: String(scalar)
            }
        }.joined()
    }
}
