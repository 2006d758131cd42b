package import Autocert
package import Logging
import ServerRuntime
import Vault

/// Writes certificate events to the node's audit log.
package struct CertificateEventRecorder: Sendable {
    package let node: Node
    package let logger: Logger

    package init(node: Node, logger: Logger) {
        self.node = node
        self.logger = logger
    }

    package func add(_ event: CertificateRenewer.Event) async {
        switch event {
        case .ordering(let directory): await record(.certificateOrder, "account key used at \(directory)")
        case .issued(let certificate, _):
            await record(.certificateIssue, "serial \(certificate.serial) of \(certificate.issuer)")
        case .failed(let why, _): await record(.certificateFail, why)
        case .quarantined, .renewalExplained: break
        }
    }

    /// Failures are logged only: a read-only node still renews its certificate.
    private func record(_ action: AuditEvent.Action, _ reason: String) async {
        do {
            try await node.record(
                AuditEvent(
                    action, by: .init(.node), outcome: action == .certificateFail ? .failed : .ok,
                    reason: String(reason.prefix(500))))
        } catch {
            logger.warning("certificate event not recorded in the audit log", metadata: ["error": "\(error)"])
        }
    }
}
