import VaultFormat

/// What one of the options of `add` and `edit` says about a field.
struct FieldInput: Equatable {
    let label: String
    let kind: FieldKind
    let content: Content
    /// Whether the option means L2. What the node says of the field never lowers that.
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

    /// `LABEL=VALUE`, in the clear on the command line.
    init(field text: String) throws {
        guard let equals = text.firstIndex(of: "="), equals != text.startIndex else {
            throw CommandFailure(.usage, "--field \(text) lacks a value.", hint: "--field LABEL=VALUE")
        }
        self.init(
            label: String(text[..<equals]), kind: .text, content: .text(String(text[text.index(after: equals)...])))
    }

    /// `LABEL`, `LABEL=-` or `LABEL=@FILE`; any other value would stand on the command line.
    init(secret text: String, option: String, kind: FieldKind, isL2: Bool) throws {
        let (label, origin) = try Self.split(text, option: option)
        self.init(label: label, kind: kind, content: .secret(origin), isL2: isL2)
    }

    static func split(_ text: String, option: String) throws -> (label: String, origin: SecretOrigin) {
        guard let equals = text.firstIndex(of: "=") else {
            guard !text.isEmpty else { throw CommandFailure(.usage, "\(option) lacks a label.") }
            return (text, .prompt)
        }
        let label = String(text[..<equals])
        let rest = text[text.index(after: equals)...]
        guard !label.isEmpty else { throw CommandFailure(.usage, "\(option) lacks a label.") }
        if rest == "-" { return (label, .input) }
        if rest.first == "@", rest.count > 1 { return (label, .file(String(rest.dropFirst()))) }
        throw CommandFailure(
            .usage, "\(option) takes no value on the command line: every process of this machine could read it.",
            hint: "\(option) \(label) asks for it, \(label)=- reads standard input, \(label)=@FILE a file.")
    }
}
