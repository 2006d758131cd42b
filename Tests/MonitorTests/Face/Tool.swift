import Foundation
import TestSupport

/// A program of the system's, run to its end.
struct Tool {
    var status: Int32
    var output: String
    var errors: String

    /// `help`: What to do when it is missing.
    init(
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

    var lines: [String] { (output + errors).split(separator: "\n").map(String.init) }

    static func find(_ name: String, _ help: String) throws -> URL {
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin").split(separator: ":")
        let paths = name.hasPrefix("/") ? [name] : folders.map { "\($0)/\(name)" }
        guard let path = paths.first(where: FileManager.default.isExecutableFile) else {
            throw Missing(description: "\(name) is missing: \(help)")
        }
        return URL(filePath: path)
    }

    struct Missing: Error, CustomStringConvertible { var description: String }
}

extension Tool {
    static func promtool(_ arguments: String..., input: String = "", in folder: String? = nil) throws -> Tool {
        try Tool("promtool", "apt-get install prometheus", arguments, input: input, in: folder)
    }
}

/// The project's own files.
enum Project {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()
    static let observability = folder.appending(path: "docs/observability")

    static func observability(_ name: String) throws -> String {
        String(decoding: try Data(contentsOf: observability.appending(path: name)), as: UTF8.self)
    }
}
