package import Foundation

/// A program of the system's, run to its end.
package struct Tool {
    package var status: Int32
    package var output: String
    package var errors: String

    /// `help`: What to do when it is missing.
    package init(
        _ name: String, _ help: String, _ arguments: [String], input: String = "", in folder: String? = nil
    ) throws {
        // Through files, so that no full pipe can hold it up.
        let scratch = try Scratch()
        try scratch.write(Array(input.utf8), to: "in")
        for file in ["out", "err"] { try scratch.write([], to: file) }
        let process = Process()
        process.executableURL = try Self.find(name, help)
        process.arguments = arguments
        process.standardInput = FileHandle(forReadingAtPath: scratch.file("in"))
        process.standardOutput = FileHandle(forWritingAtPath: scratch.file("out"))
        process.standardError = FileHandle(forWritingAtPath: scratch.file("err"))
        if let folder { process.currentDirectoryURL = URL(filePath: folder) }
        try process.run()
        process.waitUntilExit()
        status = process.terminationStatus
        output = String(decoding: try scratch.read("out"), as: UTF8.self)
        errors = String(decoding: try scratch.read("err"), as: UTF8.self)
    }

    package var lines: [String] { (output + errors).split(separator: "\n").map(String.init) }

    package static func find(_ name: String, _ help: String) throws -> URL {
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin").split(separator: ":")
        let paths = name.hasPrefix("/") ? [name] : folders.map { "\($0)/\(name)" }
        guard let path = paths.first(where: FileManager.default.isExecutableFile) else {
            throw Missing(description: "\(name) is missing: \(help)")
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
