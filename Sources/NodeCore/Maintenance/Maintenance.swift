import Auth
import Backup
import Files
package import Logging
package import SQLite
import ServerRuntime
package import ServiceLifecycle
import Storage
import Vault

/// Periodic maintenance of a serving node: integrity checks, disk space and expiry.
package struct Maintenance: Sendable {
    package let node: Node
    package let directory: DataDirectory
    package let logger: Logger

    package init(node: Node, directory: DataDirectory, logger: Logger) {
        self.node = node
        self.directory = directory
        self.logger = logger
    }

    package var services: [any Service] {
        [
            Periodic(name: "failures", interval: .seconds(60), logger: logger) { try await node.failures.flush() },
            Periodic(name: "sweep", interval: .seconds(600), logger: logger) {
                try await node.store.sweep(sessionIdle: node.settings.sessionIdle.seconds, audit: node.audit)
            },
            Periodic(name: "erase", delay: .seconds(10), interval: .seconds(600), logger: logger) {
                try await node.store.eraseClosedAccounts()
            },
            Periodic(name: "expiry", delay: .seconds(60), interval: .seconds(3_600), logger: logger) {
                try await Expiry(node: node).run()
            },
            Periodic(name: "verified", delay: .seconds(1_800), interval: .seconds(3_600), logger: logger) {
                try await verifyChain()
            },
            Periodic(name: "foreign-commits", interval: .seconds(10), logger: logger) {
                try await node.store.noticeForeignCommits()
            },
            Periodic(name: "disk", interval: .seconds(10), logger: logger) { try await checkDiskSpace() },
            Periodic(name: "quick-check", delay: .seconds(5), interval: .seconds(6 * 3_600), logger: logger) {
                try await check(.quick)
            },
            Periodic(name: "audit", delay: .seconds(3_600), interval: .seconds(86_400), logger: logger) {
                try await check(.full)
                try await verifyAudit()
            },
        ]
    }

    package func check(_ depth: IntegrityDepth) async throws {
        let findings = try await node.store.database.checkIntegrity(depth)
        guard !findings.isEmpty else { return }
        try await reportFault(.damaged, findings)
    }

    /// Verifies the audit chain from the last verified line on, so that little remains after an unclean shutdown.
    package func verifyChain() async throws {
        try await reportDamage { try await node.verification.runSinceVerified(node.store.database) }
    }

    package func verifyAudit() async throws {
        try await reportDamage {
            let report = try await node.verification.run(node.store.database)
            if report.findings.isEmpty {
                node.isAuditVerified.value = true
                try await node.verification.saveCheckpoint(report.head, node.store.database)
            }
            return report.findings
        }
    }

    /// Reports the findings of an audit check. An unreadable row counts as a finding.
    private func reportDamage(_ check: () async throws -> [String]) async throws {
        let findings: [String]
        do {
            findings = try await check()
        } catch VaultError.damaged(let what) {
            findings = [what]
        }
        guard !findings.isEmpty else { return }
        node.isAuditVerified.value = false
        try await reportFault(.damaged, findings)
    }

    /// Releases the reserve when the disk is full and allocates it again when there is space. Without a reserve and without space
    /// for one the disk counts as full, because revocations would soon fail.
    package func checkDiskSpace() async throws {
        guard var free = FileStatus.freeSpace(directory.path) else { return }
        switch node.health.mode {
        case .readOnly(.diskFull):
            let isReleased = directory.reserve.release()
            await truncateLog()
            if isReleased {
                return try await reportFault(.diskFull, ["\(free) bytes free"])
            }
            // SQLite keeps the pages of deleted rows in the file.
            if free <= Self.spaceToRecover, (try? await node.store.database.reclaimFreePages()) ?? 0 > 0 {
                free = FileStatus.freeSpace(directory.path) ?? free
            }
            guard free > Self.spaceToRecover else { return }
            node.health.diskHasRoom()
            _ = await node.store.limitWAL(false)
            _ = directory.reserve.allocate(free: free)
            logger.notice("disk space recovered", metadata: ["free": "\(free)"])
        case .normal:
            _ = directory.logReserve.allocate(free: free)
            if !directory.reserve.allocate(free: free) {
                logger.warning("no space for the reserve", metadata: ["free": "\(free)"])
            }
            if !directory.reserve.isAllocated, free <= 2 * ReserveFile.bytes {
                try await reportFault(.diskFull, ["\(free) bytes free, no reserve"])
            }
        case .readOnly:
            // Revocations still work in this state and need space.
            guard free < ReserveFile.lowSpace else { return }
            _ = directory.reserve.release()
            await truncateLog()
        case .closed:
            break
        }
    }

    /// Truncates the WAL, releasing the log reserve if there is no other space.
    private func truncateLog() async {
        if await !node.store.limitWAL(true), directory.logReserve.release() {
            _ = await node.store.limitWAL(true)
        }
        if let free = FileStatus.freeSpace(directory.path) { _ = directory.logReserve.allocate(free: free) }
    }

    /// Free bytes above which a full disk counts as recovered.
    private static let spaceToRecover = 4 * ReserveFile.bytes

    private func reportFault(_ fault: NodeHealth.Fault, _ findings: [String]) async throws {
        if fault == .damaged { node.damageMark.set(findings.prefix(5).joined(separator: "; ")) }
        node.health.note(fault)
        logger.critical(
            "the node is read-only",
            metadata: ["fault": "\(fault.rawValue)", "findings": "\(findings.prefix(5).joined(separator: "; "))"])
        try await node.record(AuditEvent(.readOnly, by: .init(.node), reason: fault.rawValue))
    }
}
