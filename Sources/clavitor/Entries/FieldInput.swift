import VaultFormat

/// A field given by an option of `add`, `edit` or `deposit`.
struct FieldInput: Equatable {
    let label: String
    let kind: FieldKind
    let content: Content
    /// Whether the option requires L2. The node's metadata never lowers it.
    let isL2: Bool

    enum Content: Equatable {
        case text(String)
        case secret(SecretOrigin)
        case generated(length: Int)
    }

    init(label: String, kind: FieldKind, content: Content, isL2: Bool = false) {
        self.label = label
        self.kind = kind
        self.content = content
        self.isL2 = isL2
    }

    /// Parses `LABEL=VALUE`, a plain text value.
    init(field text: String) throws {
        guard let equals = text.firstIndex(of: "="), equals != text.startIndex else {
            throw CommandFailure(.usage, "--field \(text) must be LABEL=VALUE.", hint: "--field LABEL=VALUE")
        }
        self.init(
            label: String(text[..<equals]), kind: .text, content: .text(String(text[text.index(after: equals)...])))
    }

    /// Parses `LABEL`, `LABEL=-` or `LABEL=@FILE`. A value is rejected, because arguments are visible to other processes.
    init(secret text: String, option: String, kind: FieldKind, isL2: Bool) throws {
        let (label, origin) = try Self.split(text, option: option)
        self.init(label: label, kind: kind, content: .secret(origin), isL2: isL2)
    }

    static func split(_ text: String, option: String) throws -> (label: String, origin: SecretOrigin) {
        guard let equals = text.firstIndex(of: "=") else {
            guard !text.isEmpty else { throw CommandFailure(.usage, "\(option) requires a label.") }
            return (text, .prompt)
        }
        let label = String(text[..<equals])
        let rest = text[text.index(after: equals)...]
        guard !label.isEmpty else { throw CommandFailure(.usage, "\(option) requires a label.") }
        if rest == "-" { return (label, .input) }
        if rest.first == "@", rest.count > 1 { return (label, .file(String(rest.dropFirst()))) }
        throw CommandFailure(
            .usage,
            "\(option) must not have a value on the command line, where every process on this machine can read it.",
            hint: "\(option) \(label) prompts for it; \(label)=- reads standard input, \(label)=@FILE a file.")
    }
}
