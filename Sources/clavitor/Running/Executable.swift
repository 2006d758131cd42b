import Console
import Glibc

/// Where a program is, as shells look for it (POSIX.1-2024, XCU 2.9.1.4): what has a slash is a path, anything else is
/// looked for in the directories of PATH.
enum Executable {
    /// - Throws: `CommandFailure` with the exit codes of shells: 127 for what is not there, 126 for what cannot be run.
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
                hint: "For one elsewhere give its path, such as ./\(command.printable).")
    }

    /// What starting it came to, in the words and codes of the checks before it.
    static func failure(of program: String, errno code: Int32) -> CommandFailure {
        switch code {
        case ENOENT, ENOTDIR: CommandFailure(.noProgram, "There is no \(program.printable), or none that runs it.")
        case ENOEXEC:
            CommandFailure(
                .cannotRun, "\(program.printable) is no program of this system.",
                hint: "A script needs a first line such as #!/bin/sh.")
        default:
            CommandFailure(.cannotRun, "\(program.printable) cannot be run: \(systemMessage(code)).")
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

    private static func systemMessage(_ code: Int32) -> String {
        unsafe String(cString: strerror(code))
    }
}
