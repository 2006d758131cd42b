import Backup
import Foundation
import TestSupport
import Testing

extension Scratch {
    /// The content of a file; nil if it cannot be read.
    func content(_ name: String) -> [UInt8]? { try? read(name) }

    /// The plaintext of an age file; nil if it cannot be decrypted.
    func decrypted(_ name: String, with identity: AgeIdentity) -> [UInt8]? {
        content(name).flatMap { try? AgeFile.decrypt($0, with: [identity]) }
    }
}

struct CommandFailed: Error {
    var output: String
}

/// Runs an installed program and returns its output.
@discardableResult
func run(_ program: String, _ arguments: String...) throws -> String {
    let tool = try Tool(program, arguments)
    guard tool.status == 0 else { throw CommandFailed(output: tool.text) }
    return tool.text
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
