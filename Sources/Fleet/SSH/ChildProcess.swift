/// A program to run on the operator's machine, and what bounds it.
package struct ChildProcess: Equatable, Sendable, CustomStringConvertible {
    package var executable: String
    package var arguments: [String]
    package var environment: [String: String] = [:]
    /// Nothing when nil.
    package var input: String?
    /// A file for standard input instead, of any size.
    package var inputFile: String?
    package var deadline: Duration
    /// Bytes that are kept, of each of the two outputs. More ends the program.
    package var mostOutput = 1 << 20

    package init(_ executable: String, _ arguments: [String], input: String? = nil, deadline: Duration) {
        self.executable = executable
        self.arguments = arguments
        self.input = input
        self.deadline = deadline
    }

    /// As a person would type it.
    package var description: String {
        let assignments = environment.sorted { $0.key < $1.key }.map { "\($0.key)=\(RemoteCommand.quoted($0.value))" }
        return (assignments + [RemoteCommand([executable] + arguments).description]).joined(separator: " ")
    }
}

package struct ChildOutcome: Equatable, Sendable {
    /// 128 and the signal's number when a signal ended it.
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
        case .notFound(let program): "There is no program \(program) here; install it."
        case .timedOut(let program, let limit): "\(program) did not finish within \(limit.components.seconds) s"
        case .tooMuchOutput(let program, let limit): "\(program) printed more than \(limit) bytes"
        case .failed(let program, let why): "\(program): \(why)"
        }
    }
}

/// Who runs programs. One runs them, tests have others.
package protocol ChildProcesses: Sendable {
    /// - Throws: `ChildError`; a status other than zero is an outcome and no error.
    func run(_ child: ChildProcess) async throws -> ChildOutcome
}
