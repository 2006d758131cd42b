import Backup
import Foundation
import Testing

/// A temporary directory for one test, removed at its end.
final class Scratch: Sendable {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "clavitor-test-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }

    func file(_ name: String) -> String { "\(path)/\(name)" }

    @discardableResult
    func write(_ bytes: [UInt8], to name: String) throws -> String {
        try Data(bytes).write(to: URL(fileURLWithPath: file(name)))
        return file(name)
    }

    func read(_ name: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: URL(fileURLWithPath: file(name))))
    }

    /// The content of a file; nil if it cannot be read.
    func content(_ name: String) -> [UInt8]? {
        try? read(name)
    }

    /// The plaintext of an age file; nil if it cannot be decrypted.
    func decrypted(_ name: String, with identity: AgeIdentity) -> [UInt8]? {
        content(name).flatMap { try? AgeFile.decrypt($0, with: [identity]) }
    }

    /// All names, hidden ones too; nil for a missing directory.
    func names(in directory: String = "") -> [String]? {
        try? FileManager.default.contentsOfDirectory(atPath: file(directory)).sorted()
    }

    /// The permission bits.
    func mode(_ name: String) -> Int? {
        try? FileManager.default.attributesOfItem(atPath: file(name))[.posixPermissions] as? Int
    }
}

struct CommandFailed: Error {
    var output: String
}

/// Runs an installed program and returns its output.
@discardableResult
func run(_ program: String, _ arguments: String...) throws -> String {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [program] + arguments
    let output = Pipe()
    process.standardOutput = output
    process.standardError = output
    try process.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw CommandFailed(output: text) }
    return text
}

/// Deterministic pseudorandom bytes.
func pattern(_ count: Int) -> [UInt8] {
    var state: UInt64 = 0x9e37_79b9_7f4a_7c15
    return (0..<count).map { _ in
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return UInt8(truncatingIfNeeded: state >> 56)
    }
}

/// The result of a call that may throw `AgeError`.
func outcome<Value>(_ body: () throws(AgeError) -> Value) -> Result<Value, AgeError> {
    do throws(AgeError) {
        return .success(try body())
    } catch {
        return .failure(error)
    }
}

extension Result where Failure == AgeError {
    var error: AgeError? {
        if case .failure(let error) = self { error } else { nil }
    }
}
