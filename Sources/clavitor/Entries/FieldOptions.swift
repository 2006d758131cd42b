import ArgumentParser
import VaultFormat

/// The options of `add`, `edit` and `deposit` that set fields.
struct FieldOptions: ParsableArguments {
    @Option(help: "The user name.")
    var username: String?

    @Flag(help: "A password, end-to-end encrypted (L2): asked for.")
    var password = false

    @Flag(help: "Make the password up instead of asking for it.")
    var generate = false

    @Option(help: ArgumentHelp("Characters of a password that is made up.", valueName: "characters"))
    var length = 20

    @Option(help: ArgumentHelp("A field with text.", valueName: "label=value"))
    var field: [String] = []

    @Option(
        help: ArgumentHelp(
            "A secret that agents can be granted (L1): asked for; LABEL=- from standard input, LABEL=@FILE.",
            valueName: "label"))
    var secret: [String] = []

    @Option(
        help: ArgumentHelp(
            "A secret for nobody but you (L2, end-to-end encrypted): asked for; also LABEL=- and LABEL=@FILE.",
            valueName: "label"))
    var l2: [String] = []

    @Option(
        help: ArgumentHelp("A seed for one-time codes: asked for; also LABEL=- and LABEL=@FILE.", valueName: "label"))
    var totp: [String] = []

    func validate() throws {
        guard Generator.lengths.contains(length) else {
            throw ValidationError(
                "--length is from \(Generator.lengths.lowerBound) to \(Generator.lengths.upperBound).")
        }
    }

    /// - Throws: `CommandFailure` when a label appears twice, or a secret stands on the command line.
    func inputs() throws -> [FieldInput] {
        var inputs: [FieldInput] = []
        if let username { inputs.append(FieldInput(label: "username", kind: .username, content: .text(username))) }
        if password || generate {
            inputs.append(
                FieldInput(
                    label: "password", kind: .secret,
                    content: generate ? .generated(length: length) : .secret(.prompt), isL2: true))
        }
        inputs += try field.map { try FieldInput(field: $0) }
        inputs += try secret.map { try FieldInput(secret: $0, option: "--secret", kind: .secret, isL2: false) }
        inputs += try l2.map { try FieldInput(secret: $0, option: "--l2", kind: .secret, isL2: true) }
        inputs += try totp.map { try FieldInput(secret: $0, option: "--totp", kind: .totp, isL2: false) }
        var labels: Set<String> = []
        for input in inputs where !labels.insert(input.label.lowercased()).inserted {
            throw CommandFailure(.usage, "The field \"\(input.label)\" is given twice.")
        }
        return inputs
    }
}
