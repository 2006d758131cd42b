/// A command that ends without having done what was asked. Says what happened and what to do next.
struct CommandFailure: Error, Equatable {
    let outcome: Outcome
    let message: String
    /// What to do about it.
    let hint: String?

    init(_ outcome: Outcome, _ message: String, hint: String? = nil) {
        self.outcome = outcome
        self.message = message
        self.hint = hint
    }

    var printed: String { [message, hint].compactMap(\.self).joined(separator: "\n") }
}

/// The exit codes of the program, as `clavitor --help` lists them.
enum Outcome: Int32, CaseIterable {
    case failed = 1
    case usage = 2
    case notSignedIn = 3
    case notFound = 4
    case conflict = 5
    case refused = 6
    case unreachable = 7
    case readOnly = 8
    /// Of `run` alone, as shells have them.
    case cannotRun = 126
    case noProgram = 127

    static let table = """
        EXIT CODES
          0  done
          1  another failure
          2  usage: wrong options or arguments
          3  not signed in, or the session has expired
          4  no such entry, field, version, agent or deposit
          5  conflict: changed since, already there, or more than one match
          6  refused: wrong password, not allowed, or too many attempts
          7  the node cannot be reached, or its TLS certificate is not trusted
          8  the node is read-only at the moment
        `clavitor run` ends with the exit code of the program it ran; 127 when there is none, 126 when it cannot be run.
        """
}
