import Files
import Glibc
import Subprocess

/// Runs programs for real.
package struct SystemProcesses: ChildProcesses {
    package init() {
        // A child that ends before it has read its input must not end this program.
        signal(SIGPIPE, SIG_IGN)
    }

    package func run(_ child: ChildProcess) async throws -> ChildOutcome {
        try await withThrowingTaskGroup(of: ChildOutcome?.self) { group in
            group.addTask { try await Self.run(child) }
            group.addTask {
                try await Task.sleep(for: child.deadline)
                return nil
            }
            defer { group.cancelAll() }
            guard let first = try await group.next(), let outcome = first else {
                throw ChildError.timedOut(child.executable, child.deadline)
            }
            return outcome
        }
    }

    private static func run(_ child: ChildProcess) async throws -> ChildOutcome {
        let variables: [Environment.Key: String?] = Dictionary(
            uniqueKeysWithValues: child.environment.map { (Environment.Key(stringLiteral: $0.key), $0.value) })
        var options = PlatformOptions()
        // Not in the terminal's group: ctrl-C is for this program to decide about.
        options.processGroupID = 0
        options.teardownSequence = [.gracefulShutDown(toProcessGroup: true, allowedDurationToNextStep: .seconds(2))]
        do {
            let result = try await Subprocess.run(
                .program(child.executable), arguments: Arguments(child.arguments),
                environment: .inherit.updating(variables),
                platformOptions: options, input: .inputWriter, output: .string(limit: child.mostOutput),
                error: .string(limit: child.mostOutput)
            ) { execution in
                // A program that ends before it read its input says why by itself.
                try? await write(child, to: execution.standardInputWriter)
                try? await execution.standardInputWriter.finish()
            }
            let status: Int32 =
                switch result.terminationStatus {
                case .exited(let code): code
                case .signaled(let signal): 128 + signal
                }
            return ChildOutcome(
                status: status, output: result.standardOutput, errors: result.standardError)
        } catch let error as SubprocessError {
            try Task.checkCancellation()
            throw reason(error, child)
        }
    }

    private static func write(_ child: ChildProcess, to writer: StandardInputWriter) async throws {
        guard let path = child.inputFile else {
            _ = try await writer.write(child.input ?? "")
            return
        }
        let file = try OpenFile(reading: path)
        while true {
            let bytes = try file.read(1 << 18)
            if bytes.isEmpty { return }
            _ = try await writer.write(bytes)
        }
    }

    private static func reason(_ error: SubprocessError, _ child: ChildProcess) -> ChildError {
        switch error.code {
        case .executableNotFound: .notFound(child.executable)
        case .outputLimitExceeded: .tooMuchOutput(child.executable, child.mostOutput)
        default: .failed(child.executable, "\(error)")
        }
    }
}

extension Executable {
    /// As a shell looks for it: a word along PATH, and what has a slash where it says.
    fileprivate static func program(_ text: String) -> Executable {
        text.utf8.contains(UInt8(ascii: "/")) ? .path(path(text)) : .name(text)
    }

    /// A `FilePath`, whose module is Subprocess's dependency and not ours: it can be had as a literal without an import.
    private static func path<Path: ExpressibleByStringLiteral>(_ text: Path.StringLiteralType) -> Path {
        Path(stringLiteral: text)
    }
}
