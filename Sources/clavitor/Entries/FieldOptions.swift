import ArgumentParser
import VaultFormat

/// The options of `add`, `edit` and `deposit` that set fields.
struct FieldOptions: ParsableArguments {
    @Option(help: "User name.")
    var username: String?

    @Flag(help: "Prompt for a password, end-to-end encrypted (L2).")
    var password = false

    @Flag(help: "Generate the password instead of prompting.")
    var generate = false

    @Option(help: ArgumentHelp("Length of the generated password.", valueName: "characters"))
    var length = 20

    @Option(help: ArgumentHelp("Plain text field.", valueName: "label=value"))
    var field: [String] = []

    @Option(
        help: ArgumentHelp(
            "Secret that can be granted to agents (L1): prompts; LABEL=- reads standard input, LABEL=@FILE a file.",
            valueName: "label"))
    var secret: [String] = []

    @Option(
        help: ArgumentHelp(
            "Secret with end-to-end encryption (L2): prompts; also LABEL=- and LABEL=@FILE.",
            valueName: "label"))
    var l2: [String] = []

    @Option(
        help: ArgumentHelp("TOTP seed: prompts; also LABEL=- and LABEL=@FILE.", valueName: "label"))
    var totp: [String] = []

    func validate() throws {
        guard Generator.lengths.contains(length) else {
            throw ValidationError(
                "--length must be an integer from \(Generator.lengths.lowerBound) to \(Generator.lengths.upperBound).")
        }
    }

    /// - Throws: `CommandFailure` for a duplicate label, or a secret on the command line.
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
