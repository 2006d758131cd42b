import Glibc
import Subprocess

/// Runs a program with secrets in its environment and masks them in what it prints.
struct ChildProcess {
    let command: String
    let arguments: [String]
    let secrets: [String: String]

    /// - Returns: Its exit code; 128 and the signal's number when a signal ended it, as shells have it.
    func run(masking: Bool) async throws -> Int32 {
        let variables: [Environment.Key: String?] = Dictionary(
            uniqueKeysWithValues: secrets.map { (Environment.Key(stringLiteral: $0.key), $0.value) })
        let configuration = Configuration(
            executable: .name(command), arguments: Arguments(arguments), environment: .inherit.updating(variables))
        ForwardedSignals.begin()
        defer { ForwardedSignals.end() }
        do {
            let status = masking ? try await runMasked(configuration) : try await runUnmasked(configuration)
            switch status {
            case .exited(let code): return code
            case .signaled(let signal): return 128 + signal
            }
        } catch let error as SubprocessError {
            throw CommandFailure(.failed, "\(command) cannot be run. (\(error))")
        }
    }

    private func runUnmasked(_ configuration: Configuration) async throws -> TerminationStatus {
        try await Subprocess.run(
            configuration, input: .currentStandardInput, output: .currentStandardOutput, error: .currentStandardError
        ) { execution in
            ForwardedSignals.send(to: execution.processIdentifier.value)
        }
        .terminationStatus
    }

    private func runMasked(_ configuration: Configuration) async throws -> TerminationStatus {
        let mask = SecretMask(secrets: Array(secrets.values))
        return try await Subprocess.run(
            configuration, input: .currentStandardInput, output: .sequence, error: .sequence
        ) { execution in
            ForwardedSignals.send(to: execution.processIdentifier.value)
            try await withThrowingTaskGroup(of: Void.self) { group in
                let output = execution.standardOutput
                let errors = execution.standardError
                group.addTask { try await Self.copy(output, to: STDOUT_FILENO, through: mask) }
                group.addTask { try await Self.copy(errors, to: STDERR_FILENO, through: mask) }
                try await group.waitForAll()
            }
        }
        .terminationStatus
    }

    private static func copy(
        _ output: SubprocessOutputSequence, to descriptor: Int32, through mask: SecretMask
    ) async throws {
        var mask = mask
        for try await buffer in output {
            let bytes = unsafe buffer.withUnsafeBytes { unsafe Array($0) }
            StandardStream.write(mask.pass(bytes), to: descriptor)
        }
        StandardStream.write(mask.finish(), to: descriptor)
    }
}
