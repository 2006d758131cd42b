import Dispatch
import Synchronization
import TestSupport
import Testing
import Vault
import VaultFormat

@Suite struct OperationBudgetTests {
    @Test func operationsAreChargedAndUrgentOnesHaveATenthMore() throws {
        let budget = OperationBudget(perDay: 100) { 1_000 }
        let vault = VaultID.random()
        try budget.spend(vault, count: 99)
        #expect(throws: VaultError.self) { try budget.spend(vault, count: 2) }
        try budget.spend(vault)
        #expect(throws: VaultError.self) { try budget.spend(vault) }
        for _ in 0..<10 { try budget.spend(vault, share: .urgent) }
        #expect(throws: VaultError.self) { try budget.spend(vault, share: .urgent) }
        try budget.spend(.random())
    }

    /// A crash does not grant a new day's budget.
    @Test func aCrashLeavesHalfADaysBudget() throws {
        let budget = OperationBudget(perDay: 100, isUnclean: true) { 1_000 }
        let vault = VaultID.random()
        try budget.spend(vault, count: 50)
        #expect(throws: VaultError.self) { try budget.spend(vault) }
    }
}
