/// The program `age`: what is written to its recipients only its identity opens.
///
/// Plain text goes through pipes alone, never through a file or an argument.
package struct AgeProgram: Sendable {
    private static let patience = Duration.seconds(120)

    private let recipients: [String]
    private let identity: String?
    private let processes: any ChildProcesses

    /// Takes what the operator's settings say.
    ///
    /// - Parameters:
    ///   - recipients: Whom to encrypt to, `age1…` or an SSH key.
    ///   - identity: The file that opens it again; nil on a machine that only writes.
    ///   - processes: Runs it.
    /// - Throws: `noRecipients`, `recipient`.
    package init(recipients: [String], identity: String?, processes: any ChildProcesses) throws(AgeSettingsError) {
        guard !recipients.isEmpty else { throw .noRecipients }
        // One that began with a hyphen would be an option.
        guard recipients.allSatisfy({ $0.hasPrefix("age1") || $0.hasPrefix("ssh-") }) else { throw .recipient }
        self.recipients = recipients
        self.identity = identity
        self.processes = processes
    }

    /// - Returns: An armored file.
    func encrypt(_ text: String) async throws -> String {
        try await run(["--encrypt", "--armor"] + recipients.flatMap { ["--recipient", $0] }, text)
    }

    func decrypt(_ text: String) async throws -> String {
        guard let identity else { throw AgeSettingsError.noIdentity }
        return try await run(["--decrypt", "--identity", identity], text)
    }

    private func run(_ arguments: [String], _ input: String) async throws -> String {
        let outcome = try await processes.run(
            ChildProcess("age", arguments, input: input, deadline: Self.patience))
        guard outcome.status == 0 else {
            let said = outcome.errors.split(separator: "\n").first
            throw AgeProgramError.failed(said.map(String.init) ?? "no reason given")
        }
        return outcome.output
    }
}

/// What soc.toml must say first.
package enum AgeSettingsError: Refusal, Equatable, Sendable {
    case noRecipients
    case recipient
    case noIdentity

    package var description: String {
        switch self {
        case .noRecipients:
            "Secrets are kept encrypted. Make a key with `age-keygen` and name it in soc.toml: age-recipients."
        case .recipient: "age-recipients in soc.toml has an entry that is none: they begin with age1 or ssh-."
        case .noIdentity: "To read a secret the file of the age key is needed. Name it in soc.toml: age-identity."
        }
    }
}

package enum AgeProgramError: Error, Equatable, Sendable, CustomStringConvertible {
    case failed(String)

    package var description: String {
        switch self {
        case .failed(let why): "age did not do it: \(why)"
        }
    }
}
