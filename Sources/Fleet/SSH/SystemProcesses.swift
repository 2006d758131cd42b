import Files
import Glibc
import Subprocess

/// Runs child processes of the operating system.
package struct SystemProcesses: ChildProcesses {
    package init() {
        // A child that ends before it has read its input must not end this program with SIGPIPE.
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
        // Its own process group, because this program handles ctrl-C.
        options.processGroupID = 0
        options.teardownSequence = [.gracefulShutDown(toProcessGroup: true, allowedDurationToNextStep: .seconds(2))]
        do {
            let result = try await Subprocess.run(
                .program(child.executable), arguments: Arguments(child.arguments),
                environment: .inherit.updating(variables),
                platformOptions: options, input: .inputWriter, output: .string(limit: child.maximumOutput),
                error: .string(limit: child.maximumOutput)
            ) { execution in
                // Write errors are ignored: a program that ends early reports the reason itself.
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
        case .outputLimitExceeded: .tooMuchOutput(child.executable, child.maximumOutput)
        default: .failed(child.executable, "\(error)")
        }
    }
}

extension Executable {
    /// Finds a program as a shell does: a name in PATH, anything with a slash as a path.
    fileprivate static func program(_ text: String) -> Executable {
        text.utf8.contains(UInt8(ascii: "/")) ? .path(path(text)) : .name(text)
    }

    /// Makes a `FilePath` from a literal, because its module is not a direct dependency and cannot be imported.
    private static func path<Path: ExpressibleByStringLiteral>(_ text: Path.StringLiteralType) -> Path {
        Path(stringLiteral: text)
    }
}
