import Auth
import Backup
import Files
package import Logging
package import SQLite
package import ServiceLifecycle
import Serving
import Storage
import Vault

/// What a node does for itself while it serves: looks for damage, keeps room on the disk, forgets what has run out.
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
                try await node.store.sweep(sessionIdle: node.settings.sessionIdle.seconds)
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
            Periodic(name: "disk", interval: .seconds(10), logger: logger) { try await watchDisk() },
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
        try await declare(.damaged, findings)
    }

    /// Follows the chain from where it was followed last, so that little is left to do after an unclean stop.
    package func verifyChain() async throws {
        try await declareDamage { try await node.verification.runSinceVerified(node.store.database) }
    }

    package func verifyAudit() async throws {
        try await declareDamage {
            let report = try await node.verification.run(node.store.database)
            if report.findings.isEmpty {
                node.isAuditWell.value = true
                try await node.verification.saveCheckpoint(report.head, node.store.database)
            }
            return report.findings
        }
    }

    /// Declares what a check of the log finds. A row that cannot even be read is as bad as one that says something else.
    private func declareDamage(_ check: () async throws -> [String]) async throws {
        let findings: [String]
        do {
            findings = try await check()
        } catch VaultError.damaged(let what) {
            findings = [what]
        }
        guard !findings.isEmpty else { return }
        node.isAuditWell.value = false
        try await declare(.damaged, findings)
    }

    /// Gives the reserve up when the disk is full and takes it back when there is room again. Without a reserve, and without
    /// room for one, the disk is as good as full: what takes access away would soon find no room.
    package func watchDisk() async throws {
        guard var free = FileStatus.freeSpace(directory.path) else { return }
        switch node.health.mode {
        case .readOnly(.diskFull):
            let isGivenBack = directory.reserve.release()
            await cutLog()
            if isGivenBack {
                return try await declare(.diskFull, ["\(free) bytes free"])
            }
            // The file keeps the room of what was deleted.
            if free <= Self.enough, (try? await node.store.database.reclaimFreePages()) ?? 0 > 0 {
                free = FileStatus.freeSpace(directory.path) ?? free
            }
            guard free > Self.enough else { return }
            node.health.diskHasRoom()
            _ = await node.store.limitWAL(false)
            _ = directory.reserve.allocate(free: free)
            logger.notice("the disk has room again", metadata: ["free": "\(free)"])
        case .normal:
            _ = directory.logReserve.allocate(free: free)
            if !directory.reserve.allocate(free: free) {
                logger.warning("no room for the reserve", metadata: ["free": "\(free)"])
            }
            if !directory.reserve.isAllocated, free <= 2 * ReserveFile.bytes {
                try await declare(.diskFull, ["\(free) bytes free, and none in reserve"])
            }
        case .readOnly:
            // What takes access away goes on there, too.
            guard free < ReserveFile.lowSpace else { return }
            _ = directory.reserve.release()
            await cutLog()
        case .closed:
            break
        }
    }

    /// With the room that is held for this alone, where there is no other.
    private func cutLog() async {
        if await !node.store.limitWAL(true), directory.logReserve.release() {
            _ = await node.store.limitWAL(true)
        }
        if let free = FileStatus.freeSpace(directory.path) { _ = directory.logReserve.allocate(free: free) }
    }

    /// Bytes beyond which a full disk is none any more.
    private static let enough = 4 * ReserveFile.bytes

    private func declare(_ fault: NodeHealth.Fault, _ findings: [String]) async throws {
        if fault == .damaged { node.mark.set(findings.prefix(5).joined(separator: "; ")) }
        node.health.note(fault)
        logger.critical(
            "the node is read-only",
            metadata: ["fault": "\(fault.rawValue)", "findings": "\(findings.prefix(5).joined(separator: "; "))"])
        try await node.record(AuditEvent(.readOnly, by: .init(.node), reason: fault.rawValue))
    }
}
