import Console
import Files
import Glibc

/// Finds a program as POSIX shells do (POSIX.1-2024, XCU 2.9.1.4): a name with a slash is a path, any other name is searched for
/// in PATH.
enum Executable {
    /// - Throws: `CommandFailure` with the exit codes of POSIX shells: 127 if not found, 126 if not executable.
    static func path(of command: String, searching path: String?) throws(CommandFailure) -> String {
        guard !command.isEmpty else { throw CommandFailure(.noProgram, "The program's name is empty.") }
        if command.contains("/") {
            try check(command)
            return command
        }
        var refused: CommandFailure?
        for directory in (path ?? "/usr/local/bin:/usr/bin:/bin").split(
            separator: ":", omittingEmptySubsequences: false)
        {
            let candidate = directory.isEmpty ? "./\(command)" : "\(directory)/\(command)"
            do throws(CommandFailure) {
                try check(candidate)
                return candidate
            } catch  where error.outcome == .cannotRun {
                refused = refused ?? error
            } catch {}
        }
        throw refused
            ?? CommandFailure(
                .noProgram, "There is no program \"\(command.printable)\" in PATH.",
                hint: "For a program elsewhere, give its path, such as ./\(command.printable).")
    }

    /// The failure for an errno of exec, consistent with the checks before it.
    static func failure(of program: String, errno code: Int32) -> CommandFailure {
        switch code {
        case ENOENT, ENOTDIR: CommandFailure(.noProgram, "\(program.printable) or its interpreter does not exist.")
        case ENOEXEC:
            CommandFailure(
                .cannotRun, "\(program.printable) is not an executable for this system.",
                hint: "A script requires a first line such as #!/bin/sh.")
        default:
            CommandFailure(.cannotRun, "\(program.printable) cannot be run: \(SystemCallError.reason(of: code)).")
        }
    }

    private static func check(_ path: String) throws(CommandFailure) {
        var facts = stat()
        guard unsafe fstatat(AT_FDCWD, path, &facts, 0) == 0 else { throw failure(of: path, errno: errno) }
        guard facts.st_mode & S_IFMT != S_IFDIR else {
            throw CommandFailure(.cannotRun, "\(path.printable) is a directory.")
        }
        guard unsafe access(path, X_OK) == 0 else { throw failure(of: path, errno: errno) }
    }
}
