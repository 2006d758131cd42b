import Fleet
import Testing

@Suite struct RecordsTests {
    @Test func everyNodeHasItsNameAndIsInTheNearestName() throws {
        let records = try Records(try sampleFleet(3))
        #expect(
            records.sets == [
                "api.example.org": RecordSet(addresses: addresses(1, 2, 3), ttl: 30),
                "n1.example.org": RecordSet(addresses: addresses(1), ttl: 30),
                "n2.example.org": RecordSet(addresses: addresses(2), ttl: 30),
                "n3.example.org": RecordSet(addresses: addresses(3), ttl: 30),
            ])
    }

    @Test func aWithdrawnNodeKeepsItsOwnName() throws {
        let records = try Records(try sampleFleet(3), withdrawn: ["n2"])
        #expect(records.sets["api.example.org"]?.addresses == addresses(1, 3))
        #expect(records.sets["n2.example.org"]?.addresses == addresses(2))
    }

    @Test func overridesMayGoBelowTheFloorButNotToZero() throws {
        let inventory = try sampleFleet(3, floor: 2)
        let records = try Records(inventory, withdrawn: ["n1", "n2"], belowFloor: 1)
        #expect(records.sets["api.example.org"]?.addresses == addresses(3))
        #expect(throws: RecordsError.self) { try Records(inventory, withdrawn: ["n1", "n2", "n3"], belowFloor: 3) }
    }

    @Test func theNearestNameListsNodesWithOpenRegistration() throws {
        func nearest(_ registrations: String?...) throws -> Set<HostAddress>? {
            let inventory = try sampleFleet(registrations.count) { nodes in
                for (index, registration) in registrations.enumerated() { nodes[index].registration = registration }
            }
            return try Records(inventory).sets["api.example.org"]?.addresses
        }
        #expect(try nearest(nil, "closed", "invite") == addresses(1, 3))
        #expect(try nearest(nil, "open", "invite", "closed") == addresses(2))
        #expect(throws: RecordsError.noMembers) { try nearest("closed", "closed") }
    }

    /// An apply that keeps the membership for a watch elsewhere keeps all addresses of a member.
    @Test func aMemberHasBothOfItsAddressesInTheNearestName() throws {
        let inventory = try sampleFleet(3) {
            $0[1].ipv6 = "2001:db8::2"
            $0[2].registration = "closed"
        }
        let standing = RecordSet(addresses: addresses(2, 3), ttl: 30)
        let plan = NamePlan(
            wanted: try Records(inventory), present: ["api.example.org": standing], names: ["api.example.org"],
            keepingMembers: true)
        #expect(plan.changes.first?.after.addresses == addresses(2).union([HostAddress("2001:db8::2")!]))
    }

    @Test func aNodeWithoutAnAddressHasNoRecord() throws {
        let records = try Records(try sampleFleet(3) { $0[2].ipv4 = "" })
        #expect(records.sets["n3.example.org"] == nil)
        #expect(records.sets["api.example.org"]?.addresses == addresses(1, 2))
    }

    @Test func namesAreComparedAsDNSDoes() throws {
        let records = try Records(try sampleFleet(2, nearest: "API.example.org.") { $0[0].domain = "N1.Example.ORG" })
        #expect(records.sets.keys.sorted() == ["api.example.org", "n1.example.org", "n2.example.org"])
    }

    struct Case: CustomTestStringConvertible {
        var testDescription: String
        var expected: RecordsError
        var inventory: @Sendable () throws -> Inventory
        var withdrawn: Set<String> = []
    }

    @Test(arguments: [
        Case(testDescription: "an invalid address", expected: .address("n1", "192.0.2.01")) {
            try sampleFleet(2) { $0[0].ipv4 = "192.0.2.01" }
        },
        Case(
            testDescription: "one address for two nodes",
            expected: .shared(HostAddress("192.0.2.1")!, "n1", "n2")
        ) { try sampleFleet(2) { $0[1].ipv4 = "192.0.2.1" } },
        Case(testDescription: "a node with the nearest name", expected: .takenName("api.example.org")) {
            try sampleFleet(2) { $0[1].domain = "api.example.org" }
        },
        Case(
            testDescription: "a name outside the zone", expected: .outsideZone("n1.example.com", zone: "example.org")
        ) { try sampleFleet(2) { $0[0].domain = "n1.example.com" } },
        Case(testDescription: "a TTL of zero", expected: .lifetime(0)) { try sampleFleet(2, ttl: 0) },
        Case(
            testDescription: "fewer than the floor", expected: .belowFloor(1, floor: 2),
            inventory: { try sampleFleet(3, floor: 2) }, withdrawn: ["n1", "n2"]),
        Case(
            testDescription: "no members", expected: .noMembers,
            inventory: { try sampleFleet(1) { $0[0].ipv4 = "" } }),
    ])
    func invalidNamesAreRejected(_ example: Case) throws {
        let inventory = try example.inventory()
        #expect(throws: example.expected) { try Records(inventory, withdrawn: example.withdrawn) }
    }
}

@Suite struct NamePlanTests {
    @Test func aPlanListsEveryRecord() throws {
        let wanted = try Records(try sampleFleet(3), withdrawn: ["n3"])
        let plan = NamePlan(
            wanted: wanted,
            present: [
                "api.example.org": RecordSet(addresses: addresses(1, 3), ttl: 300),
                "n1.example.org": RecordSet(addresses: addresses(1), ttl: 30),
                "n2.example.org": RecordSet(addresses: addresses(99), ttl: 30),
            ])
        #expect(
            plan.lines == [
                "~ api.example.org ttl 300 -> 30",
                "- api.example.org 300 A 192.0.2.3  (n3)",
                "+ api.example.org 30 A 192.0.2.2  (n2)",
                "- n2.example.org 30 A 192.0.2.99  (no node of the inventory)",
                "+ n2.example.org 30 A 192.0.2.2  (n2)",
                "+ n3.example.org 30 A 192.0.2.3  (n3)",
            ])
    }

    @Test func unchangedRecordsMakeAnEmptyPlan() throws {
        let wanted = try Records(try sampleFleet(3))
        #expect(NamePlan(wanted: wanted, present: wanted.sets).isEmpty)
    }

    @Test func membershipOfTheNearestNameCanBeKept() throws {
        let wanted = try Records(try sampleFleet(3))
        var present = wanted.sets
        // n2 is withdrawn; 77 is the address of a removed node.
        present["api.example.org"] = RecordSet(addresses: addresses(1, 3, 77), ttl: 30)
        present["n2.example.org"] = nil
        let plan = NamePlan(wanted: wanted, present: present, keepingMembers: true)
        #expect(
            plan.lines == [
                "- api.example.org 30 A 192.0.2.77  (no node of the inventory)",
                "+ n2.example.org 30 A 192.0.2.2  (n2)",
            ])
        present["api.example.org"] = nil
        let first = NamePlan(wanted: wanted, present: present, keepingMembers: true)
        #expect(first.changes.first?.after.addresses == addresses(1, 2, 3))
        present["api.example.org"] = RecordSet(addresses: addresses(77), ttl: 30)
        let lost = NamePlan(wanted: wanted, present: present, keepingMembers: true)
        #expect(lost.changes.first?.after.addresses == addresses(1, 2, 3))
    }

    @Test func otherNamesAreNotChanged() throws {
        let wanted = try Records(try sampleFleet(3))
        let plan = NamePlan(
            wanted: wanted, present: ["mail.example.org": RecordSet(addresses: addresses(9), ttl: 60)],
            names: ["api.example.org"])
        #expect(plan.changes.map(\.name) == ["api.example.org"])
    }
}
