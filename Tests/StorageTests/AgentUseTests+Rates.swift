import Auth
import IPNetworks
import OneTimePasswords
import SQLite
import TestSupport
import Testing
import Vault
import VaultFormat

/// Rate limits of agents.
extension AgentUseTests {
    @Test func theRateIsEnforcedAndRefills() async throws {
        let robot = try await agent(AgentPolicy(ratePerMinute: 6))
        var errors: [(any Error)?] = []
        for _ in 0..<7 { errors.append(await read(robot)) }
        node.moments.advance(by: 9)
        errors.append(await read(robot))
        node.moments.advance(by: 1)
        errors.append(await read(robot))
        errors.append(await read(robot))
        #expect(errors.prefix(6).allSatisfy { $0 == nil })
        #expect(errors[6] as? VaultError == .rateLimited(retryAfter: 10))
        #expect(errors[7] as? VaultError == .rateLimited(retryAfter: 1))
        #expect(errors[8] == nil)
        #expect(errors[9] as? VaultError == .rateLimited(retryAfter: 10))
    }

    /// Only operations counted by `maxUses`: finding and reading a value is one use.
    @Test func onlyUsesCountAgainstTheRate() async throws {
        let robot = try await agent(AgentPolicy(verbs: [.read, .write], ratePerMinute: 1))
        for _ in 0..<5 {
            let principal = try await node.principal(robot)
            _ = try await node.entries.list(.active, after: 0, limit: 10, as: principal)
            _ = try await node.entries.view(entry.id, as: principal)
            // A failure is not a use.
            let missing = await thrown { try await node.value(.random(), of: entry.id, as: principal) }
            #expect(missing as? VaultError == .noSuchField)
            let stale = await thrown {
                try await node.entries.update(entry.id, ifVersion: 9, .value("x", of: field), as: principal)
            }
            #expect(stale as? VaultError == .changedSince(version: 1))
        }
        #expect(await read(robot) == nil)
        #expect(await read(robot) as? VaultError == .rateLimited(retryAfter: 60))
        let principal = try await node.principal(robot)
        _ = try await node.entries.view(entry.id, as: principal)
        let write = await thrown {
            try await node.entries.update(entry.id, ifVersion: 1, .value("x", of: field), as: principal)
        }
        #expect(write as? VaultError == .rateLimited(retryAfter: 60))
    }

    @Test(arguments: 1...3) func concurrentReadsAreLimitedByTheRate(rate: Int) async throws {
        let principal = try await node.principal(try await agent(AgentPolicy(ratePerMinute: rate)))
        let errors = await withTaskGroup { group in
            for _ in 0..<20 {
                group.addTask { await thrown { try await node.value(field, of: entry.id, as: principal) } }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(errors.count { $0 == nil } == rate)
    }

    @Test func ratesAreCountedPerAgent() async throws {
        let one = try await agent(AgentPolicy(ratePerMinute: 1))
        let other = try await agent(AgentPolicy(ratePerMinute: 1))
        let errors = [await read(one), await read(one), await read(other)]
        #expect(errors.map { $0 == nil } == [true, false, true])
    }
}
