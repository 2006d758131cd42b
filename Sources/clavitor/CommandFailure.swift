/// The failure of a command: the exit status, what happened, and a hint what to do.
struct CommandFailure: Error, Equatable {
    let outcome: ExitStatus
    let message: String
    /// What to do.
    let hint: String?

    init(_ outcome: ExitStatus, _ message: String, hint: String? = nil) {
        self.outcome = outcome
        self.message = message
        self.hint = hint
    }

    var printed: String { [message, hint].compactMap(\.self).joined(separator: "\n") }
}

/// The exit codes of the program, as `clavitor --help` lists them.
enum ExitStatus: Int32, CaseIterable {
    case failed = 1
    case usage = 2
    case notSignedIn = 3
    case notFound = 4
    case conflict = 5
    case refused = 6
    case unreachable = 7
    case readOnly = 8
    /// Used by `run` only, with the values of POSIX shells.
    case cannotRun = 126
    case noProgram = 127

    static let table = """
        EXIT CODES
          0  done
          1  another failure
          2  usage: wrong options or arguments
          3  not signed in, or the session has expired
          4  no such entry, field, version, agent or deposit
          5  conflict: changed meanwhile, already exists, or ambiguous
          6  refused: wrong password, not allowed, or too many attempts
          7  the node cannot be reached, or its TLS certificate is not trusted
          8  the node is read-only
        `clavitor run` exits with the exit code of the program; 127 if it does not exist, 126 if it cannot be run.
        """
}
