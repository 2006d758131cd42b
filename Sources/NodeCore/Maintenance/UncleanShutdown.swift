import Files
package import Logging
import ServerRuntime
import Storage
import Vault

/// After an unclean shutdown, verifies the audit chain from the last verified line on, before any value is served.
package struct UncleanShutdown {
    package let directory: DataDirectory

    package init(_ directory: DataDirectory) {
        self.directory = directory
    }

    /// - Returns: Whether the previous process ended without a clean shutdown.
    package func run(_ logger: Logger) async throws -> Bool {
        let node = try Node(offline: directory)
        guard try await endedUncleanly(node) else { return false }
        logger.notice("unclean shutdown; verifying the audit chain")
        let findings = try await node.verification.runSinceVerified(node.store.database)
        if !findings.isEmpty {
            node.damageMark.set(findings.prefix(5).joined(separator: "; "))
            logger.critical(
                "the audit chain is damaged; the node is read-only",
                metadata: ["findings": "\(findings.prefix(5).joined(separator: "; "))"])
        }
        return true
    }

    /// A clean shutdown writes the last line of the log. A new node has no line yet.
    private func endedUncleanly(_ node: Node) async throws -> Bool {
        let last: SealedAuditLine?
        do { last = try await node.store.lastAuditLine() } catch VaultError.damaged { return true }
        guard let last else { return false }
        guard last.vault == nil, let event = try? node.audit.open(last) else { return true }
        return event.action != .nodeStop
    }
}
