/// A program to run on the operator's machine, with its limits.
package struct ChildProcess: Equatable, Sendable, CustomStringConvertible {
    package var executable: String
    package var arguments: [String]
    package var environment: [String: String] = [:]
    /// Standard input; nil for none.
    package var input: String?
    /// A file of any size as standard input instead.
    package var inputFile: String?
    package var deadline: Duration
    /// Limit in bytes for each of the two outputs. A program that exceeds it is ended.
    package var maximumOutput = 1 << 20

    package init(_ executable: String, _ arguments: [String], input: String? = nil, deadline: Duration) {
        self.executable = executable
        self.arguments = arguments
        self.input = input
        self.deadline = deadline
    }

    /// The command line for a shell.
    package var description: String {
        let assignments = environment.sorted { $0.key < $1.key }.map { "\($0.key)=\(RemoteCommand.quoted($0.value))" }
        return (assignments + [RemoteCommand([executable] + arguments).description]).joined(separator: " ")
    }
}

package struct ChildOutcome: Equatable, Sendable {
    /// 128 plus the signal's number if a signal ended it.
    package var status: Int32
    package var output: String
    package var errors: String

    package init(status: Int32, output: String, errors: String = "") {
        self.status = status
        self.output = output
        self.errors = errors
    }
}

package enum ChildError: Error, Equatable, CustomStringConvertible, Sendable {
    case notFound(String)
    case timedOut(String, Duration)
    case tooMuchOutput(String, Int)
    case failed(String, String)

    package var description: String {
        switch self {
        case .notFound(let program): "The program \(program) is not installed on this machine; install it."
        case .timedOut(let program, let limit): "\(program) did not finish within \(limit.components.seconds) s"
        case .tooMuchOutput(let program, let limit): "\(program) printed more than \(limit) bytes"
        case .failed(let program, let why): "\(program): \(why)"
        }
    }
}

/// Runs child processes.
package protocol ChildProcesses: Sendable {
    /// - Throws: `ChildError`; a non-zero status is an outcome and not an error.
    func run(_ child: ChildProcess) async throws -> ChildOutcome
}
