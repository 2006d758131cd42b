package import Foundation

/// A program of the system's, run to its end.
package struct Tool: Sendable {
    /// The exit code; 128 and the number of the signal that ended it.
    package var status: Int32
    package var output: String
    package var errors: String

    /// `help`: What to do when the program is missing.
    package init(
        _ name: String, _ arguments: [String], help: String = "", input: String = "", in folder: String? = nil,
        environment: [String: String]? = nil
    ) throws {
        let running = try RunningTool(
            name, arguments, help: help, input: input, in: folder, environment: environment)
        self.init(running, status: running.waitUntilExit())
    }

    /// The same without blocking the task's thread. Cancelling the task ends the program.
    package init(
        _ name: String, _ arguments: [String], help: String = "", input: String = "", in folder: String? = nil,
        environment: [String: String]? = nil
    ) async throws {
        let running = try RunningTool(
            name, arguments, help: help, input: input, in: folder, environment: environment)
        self.init(running, status: await running.waitUntilExit())
    }

    private init(_ running: RunningTool, status: Int32) {
        self.status = status
        output = running.output
        errors = running.errors
    }

    /// Output and errors.
    package var text: String { output + errors }
    package var lines: [String] { text.split(separator: "\n").map(String.init) }

    package static func find(_ name: String, _ help: String = "") throws -> URL {
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin").split(separator: ":")
        let paths = name.hasPrefix("/") ? [name] : folders.map { "\($0)/\(name)" }
        guard let path = paths.first(where: FileManager.default.isExecutableFile) else {
            throw Missing(description: "\(name) is missing. \(help)")
        }
        return URL(filePath: path)
    }

    package struct Missing: Error, CustomStringConvertible { package var description: String }
}

/// The project's own files.
package enum Project {
    package static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
}
