/// Encryption and decryption with the program `age`.
///
/// Plaintext is passed through pipes only, never through a file or an argument.
package struct AgeProgram: Sendable {
    private static let timeout = Duration.seconds(120)

    private let recipients: [String]
    private let identity: String?
    private let processes: any ChildProcesses

    /// Configures age from the operator's settings.
    ///
    /// - Parameters:
    ///   - recipients: `age1…` or SSH public keys.
    ///   - identity: The file that decrypts; nil on a machine that only encrypts.
    ///   - processes: Runs age.
    /// - Throws: `noRecipients`, `recipient`.
    package init(recipients: [String], identity: String?, processes: any ChildProcesses) throws(AgeSettingsError) {
        guard !recipients.isEmpty else { throw .noRecipients }
        // A recipient that begins with a hyphen would be an option.
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
            ChildProcess("age", arguments, input: input, deadline: Self.timeout))
        guard outcome.status == 0 else {
            let message = outcome.errors.split(separator: "\n").first
            throw AgeProgramError.failed(message.map(String.init) ?? "no reason given")
        }
        return outcome.output
    }
}

/// Missing or invalid age settings in soc.toml.
package enum AgeSettingsError: PreconditionError, Equatable, Sendable {
    case noRecipients
    case recipient
    case noIdentity

    package var description: String {
        switch self {
        case .noRecipients:
            "Secrets are stored encrypted. Make a key with `age-keygen` and set it in soc.toml: age-recipients."
        case .recipient: "Every entry of age-recipients in soc.toml must begin with age1 or ssh-."
        case .noIdentity: "Reading a secret requires the file of the age key. Set it in soc.toml: age-identity."
        }
    }
}

package enum AgeProgramError: Error, Equatable, Sendable, CustomStringConvertible {
    case failed(String)

    package var description: String {
        switch self {
        case .failed(let why): "age failed: \(why)"
        }
    }
}
