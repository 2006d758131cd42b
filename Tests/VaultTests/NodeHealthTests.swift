import Synchronization
import TestSupport
import Testing
import Vault
import VaultFormat

@Suite struct NodeHealthTests {
    struct Case: CustomTestStringConvertible {
        var testDescription: String
        var faults: [NodeHealth.Fault]
        var hasSpaceAgain = false
        var mode: NodeHealth.Mode
    }

    @Test(arguments: [
        Case(testDescription: "nothing", faults: [], mode: .normal),
        Case(testDescription: "a full disk", faults: [.diskFull], mode: .readOnly(.diskFull)),
        Case(
            testDescription: "a full disk with free space again", faults: [.diskFull], hasSpaceAgain: true,
            mode: .normal),
        Case(testDescription: "damage", faults: [.damaged], mode: .readOnly(.damaged)),
        Case(
            testDescription: "free space does not clear damage", faults: [.damaged], hasSpaceAgain: true,
            mode: .readOnly(.damaged)),
        Case(testDescription: "damage after a full disk", faults: [.diskFull, .damaged], mode: .readOnly(.damaged)),
        Case(testDescription: "a full disk after damage", faults: [.damaged, .diskFull], mode: .readOnly(.damaged)),
        Case(testDescription: "a failed fsync", faults: [.ioError], mode: .closed(.ioError)),
        Case(testDescription: "a failed fsync after damage", faults: [.damaged, .ioError], mode: .closed(.ioError)),
        Case(testDescription: "a write by another program", faults: [.foreignWrite], mode: .closed(.foreignWrite)),
        Case(
            testDescription: "damage after a failed fsync", faults: [.ioError, .damaged], hasSpaceAgain: true,
            mode: .closed(.ioError)),
    ])
    func faultsOnlyWorsenTheMode(_ example: Case) {
        let health = NodeHealth()
        for fault in example.faults { health.note(fault) }
        if example.hasSpaceAgain { health.diskHasRoom() }
        #expect(health.mode == example.mode)
    }

    @Test func reportsWhetherTheModeChanged() {
        let health = NodeHealth()
        let changes = [health.note(.diskFull), health.note(.diskFull), health.note(.damaged), health.note(.diskFull)]
        #expect(changes == [true, false, true, false])
    }
}
