import Auth
import Backup
import Encoding
import RootKeySources
import Storage
import Vault
import VaultFormat

/// Answers control requests: in the node that serves, or in a command while none does.
package struct ControlHandler: Sendable {
    let node: Node
    /// Nil without backups in the settings.
    let backup: BackupJob?

    package init(node: Node, backup: BackupJob? = nil) {
        self.node = node
        self.backup = backup
    }

    /// `user`: The user id of the one who asks.
    package func answer(_ request: ControlRequest, from user: UInt32) async -> ControlAnswer {
        do {
            return try await perform(request, user)
        } catch {
            return .refused("\(error)")
        }
    }

    private func perform(_ request: ControlRequest, _ user: UInt32) async throws -> ControlAnswer {
        switch request {
        case .backup:
            guard let backup else {
                return .refused(
                    "The node's settings name no backups. Set `backup-to` and `backup-recipient`, or stop the node and give --to and --recipient."
                )
            }
            return .backup(try await backup.run(), in: backup.folder)
        case .invite(let expires):
            return .text(node.keys.makeInvite(expires: expires))
        case .verify:
            let report = try await node.verification.run(node.store.database)
            return .report(
                epoch: report.head.epoch, lines: report.head.chain.sequence,
                head: Base64URL.encode(report.head.chain.hash), vaults: report.vaults, findings: report.findings)
        case .rootKey:
            guard user == 0 else {
                return .refused(
                    "A running node gives its root key to root alone. Run the command as root, or stop the node.")
            }
            // Recorded first: without its line the key is not given.
            try await node.record(Self.event(.rootKeyPrinted))
            return .text(RootKeyText.text(node.keys.root))
        case .record(let note):
            try await node.record(Self.event(note))
            return .done
        }
    }

    private static func event(_ note: OperatorNote) -> AuditEvent {
        let (action, reason): (AuditEvent.Action, String) =
            switch note {
            case .rootKeyPrinted: (.rootKeyExport, "printed")
            case .rootKeyEncrypted(let recipients): (.rootKeyExport, "to \(recipients) recipients")
            case .auditExported: (.export, "audit")
            case .certificateRevoked(let serial): (.certificateRevoke, "serial \(serial)")
            }
        return AuditEvent(action, by: .init(.operator_), reason: reason)
    }
}
