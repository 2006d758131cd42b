package import Backup
package import ServerRuntime

/// What a command asks of the node that serves its data directory.
package enum ControlRequest: Codable, Equatable, Sendable {
    /// A backup as the node's settings say: to their folder and recipients, and to no others.
    case backup
    /// An invitation. `expires`: Unix seconds.
    case invite(expires: Int64)
    /// The verification of the whole audit log.
    case verify
    /// The root key, which only root gets.
    case rootKey
    /// A line of the audit log on what an operator did with the files.
    case record(OperatorNote)
}

/// What an operator did that the audit log records.
package enum OperatorNote: Codable, Equatable, Sendable {
    case rootKeyPrinted
    case rootKeyEncrypted(recipients: Int)
    case auditExported
    case certificateRevoked(serial: String)
}

package enum ControlAnswer: Codable, Equatable, Sendable {
    case done
    case text(String)
    case backup(file: String, bytes: Int64, sha256: String)
    case report(epoch: Int64, lines: Int64, head: String, vaults: Int, findings: [String])
    /// Why not, and what to do.
    case refused(String)
}

extension ControlAnswer {
    package static func backup(_ written: BackupFolder.Written, in folder: BackupFolder) -> ControlAnswer {
        .backup(
            file: "\(folder.path)/\(written.name.fileName)", bytes: written.byteCount, sha256: written.sha256)
    }
}

extension Failure {
    /// A node of another version answers otherwise.
    package static var unexpectedAnswer: Failure {
        Failure("The node answered something else: command and node have different versions.")
    }
}
