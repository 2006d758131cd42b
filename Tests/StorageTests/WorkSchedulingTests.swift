import Foundation
import SQLite
import Storage
import TestSupport
import Testing
import Vault
import VaultFormat

/// Long work is scheduled by principal, and ends with its principal's access.
@Suite(.timeLimit(.minutes(5))) struct WorkSchedulingTests {
    let node: TestVault
    let owner: Principal

    init() async throws {
        node = try TestVault()
        owner = try await node.owner()
    }

    private static func spend() {
        let start = ContinuousClock.now
        while start.duration(to: .now) < .milliseconds(25) {}
    }

    /// A large value is read through the work queue, a small one immediately.
    @Test func aLargeValueIsReadThroughTheWorkQueue() async throws {
        let fields = [
            EntryEdit.Field(label: "large", content: .value(String(repeating: "\u{1}", count: 60_000))),
            EntryEdit.Field(label: "small", content: .value("hunter2")),
        ]
        let entry = try await node.entries.create(EntryEdit(title: "t", fields: fields), id: nil, as: owner)
        let (large, small) = (entry.field("large"), entry.field("small"))
        let gate = AsyncGate()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<2 {
                group.addTask {
                    try await node.entries.work.run(for: .random(), of: .owner, in: .random()) { await gate.wait() }
                }
            }
            await until(node.entries.work.running >= 2)
            for version in [nil, 1] {
                let before = node.entries.work.waiting
                group.addTask {
                    if let version {
                        _ = try await node.entries.read(large, of: entry.id, at: version, as: owner)
                    } else {
                        _ = try await node.entries.read(large, of: entry.id, as: owner)
                    }
                }
                await until(node.entries.work.waiting != before)
            }
            // Neither of these waits.
            #expect(try await node.entries.read(small, of: entry.id, as: owner).content == .value("hunter2"))
            #expect(try await node.entries.read(small, of: entry.id, at: 1, as: owner).content == .value("hunter2"))
            gate.open()
            try await group.waitForAll()
        }
    }

    /// Waiting work holds no value, because it may be revoked meanwhile.
    @Test func aLargeValueRevokedMeanwhileIsNotRead() async throws {
        let large = EntryEdit.Field(label: "large", content: .value(String(repeating: "\u{1}", count: 60_000)))
        let entry = try await node.entries.create(
            EntryEdit(title: "t", tags: ["t"], fields: [large]), id: nil, as: owner)
        let principal = try await node.principal(try await node.agent(grants: [.tag("t")], as: owner))
        let gate = AsyncGate()
        let blocks = (0..<2).map { _ in
            Task { try await node.entries.work.run(for: .random(), of: .owner, in: .random()) { await gate.wait() } }
        }
        await until(node.entries.work.running >= 2)
        let read = Task { try await node.entries.read(entry.field("large"), of: entry.id, as: principal) }
        await until(node.entries.work.waiting > 0)
        // As a narrowing change does, without the work queue.
        try node.file().script("DELETE FROM wrap WHERE is_sealed = 1 OR holder IN (SELECT holder FROM agent)")
        gate.open()
        await #expect(throws: VaultError.noSuchField) { try await read.value }
        for block in blocks { try await block.value }
    }

    @Test func anOverlongSeedIsRefused() async throws {
        let seed = "otpauth://totp/?" + String(repeating: "a=b&", count: 1_000) + "secret=JBSWY3DPEHPK3PXP"
        let entry = try await node.entries.create(
            EntryEdit(title: "t", fields: [.init(label: "code", kind: .totp, content: .value(seed))]), id: nil,
            as: owner)
        await #expect(throws: VaultError.notATOTPSeed) {
            try await node.entries.code(entry.field("code"), of: entry.id, as: owner)
        }
    }

    enum Ending: CaseIterable { case paused, revoked }

    /// Access ends in the middle or at the end of the work.
    @Test(arguments: Ending.allCases, [true, false]) func workEndsWithItsPrincipalsAccess(
        _ ending: Ending, _ isInTheMiddle: Bool
    ) async throws {
        let robot = try await node.agent(grants: [.tag("t")], as: owner)
        let principal = try await node.principal(robot)
        let gate = AsyncGate()
        let begun = AsyncGate()
        let work = Task {
            try await node.entries.work.run(as: principal, in: node.store) {
                begun.open()
                await gate.wait()
                guard isInTheMiddle else { return }
                Self.spend()
                try await WorkQueue.yieldIfNeeded()
                Issue.record("the work continues")
            }
        }
        await begun.wait()
        switch ending {
        case .paused:
            _ = try await node.agents.update(
                robot.id, name: nil, grants: nil, policy: nil, isPaused: true, as: owner)
        case .revoked: _ = try await node.agents.revoke(robot.id, as: owner)
        }
        gate.open()
        await #expect(throws: VaultError.principalGone) { try await work.value }
    }
}
