import Crypto
import TestSupport
import Testing
import Vault
import VaultFormat

private struct StateFile: Decodable {
    struct Column: Decodable {
        var name: String
        var type: String
        var value: String?

        /// Nil for NULL.
        var typed: Record.Value? {
            get throws {
                let text = value ?? ""
                switch type {
                case "integer": return .integer(try #require(Int64(text)))
                case "text": return .text(text)
                case "blob": return .blob(try #require(Hex.bytes(text)))
                default: return nil
                }
            }
        }
    }
    struct Row: Decodable, CustomTestStringConvertible {
        var name: String
        var table: String
        var columns: [Column]
        var primaryKey: String
        var bytes: Hex
        var key: Hex
        var digest: Hex
        var testDescription: String { name }
    }
    struct Entry: Decodable {
        var key: Hex
        var digest: Hex
    }
    struct Set: Decodable, CustomTestStringConvertible {
        var name: String
        var entries: [Entry]
        var digest: Hex
        var testDescription: String { name }
    }
    struct Vault: Decodable {
        var vault: Hex
        var change: Int64
        var digest: Hex
    }
    struct Node: Decodable, CustomTestStringConvertible {
        var name: String
        var vaults: [Vault]
        var digest: Hex
        var epoch: Int64
        var sequence: Int64
        var hash: Hex
        var headKey: Hex
        var code: Hex
        var testDescription: String { name }
    }
    var records: [Row]
    var sets: [Set]
    var nodes: [Node]

    static func load() throws -> StateFile { try Vectors.load("state.json") }
}

@Suite struct StateVectorTests {
    @Test(arguments: try StateFile.load().records)
    private func aRecordIsEncodedAsTheFormatSays(_ row: StateFile.Row) throws {
        let columns = row.columns
        let primary = try #require(try columns.first { $0.name == row.primaryKey }?.typed)
        for order in [columns, columns.reversed()] {
            let record = try Record(RecordLayout(table: row.table, columns: order.map(\.name))) { try order[$0].typed }
            #expect(record.bytes.hex == row.bytes.hex)
            #expect(record.digest.bytes.hex == row.digest.hex)
        }
        #expect(Record.Key(table: row.table, primaryKey: primary).bytes.hex == row.key.hex)
    }

    @Test(arguments: try StateFile.load().sets)
    private func aSetHasTheDigestOfTheFormatInAnyOrder(_ set: StateFile.Set) throws {
        for entries in [set.entries, set.entries.reversed()] {
            var records = RecordSet()
            for entry in entries {
                let key = try #require(Record.Key(entry.key.bytes))
                let digest = try #require(StateDigest(entry.digest.bytes))
                records[key] = digest
            }
            #expect(records.count == set.entries.count)
            #expect(records.digest().bytes.hex == set.digest.hex)
        }
    }

    @Test(arguments: try StateFile.load().nodes)
    private func aNodeHasTheDigestOfTheFormat(_ node: StateFile.Node) throws {
        var state = NodeState()
        for vault in node.vaults {
            let id = try #require(VaultID(vault.vault.bytes))
            let digest = try #require(StateDigest(vault.digest.bytes))
            state.set(id, to: .init(change: vault.change, digest: digest))
        }
        #expect(state.digest().bytes.hex == node.digest.hex)
        let head = AuditHead(
            epoch: node.epoch, chain: AuditChain(sequence: node.sequence, hash: node.hash.bytes))
        #expect(head.code(key: SymmetricKey(data: node.headKey.bytes), state.digest()).hex == node.code.hex)
    }
}

/// Compares the incremental set with one that is built anew.
@Suite struct RecordSetTests {
    private static func key(_ number: Int) -> Record.Key {
        Record.Key(table: "entry", primaryKey: .integer(Int64(number)))
    }

    private static func digest(_ number: Int) -> StateDigest {
        Record(RecordLayout(table: "entry", columns: ["n"])) { _ in .integer(Int64(number)) }.digest
    }

    @Test func changesInAnyOrderGiveTheDigestOfWhatIsLeft() {
        var generator = SystemRandomNumberGenerator()
        var (set, model) = (RecordSet(), [Int: Int]())
        for round in 0..<2_000 {
            let number = Int.random(in: 0..<400, using: &generator)
            if Bool.random(using: &generator) {
                set[Self.key(number)] = Self.digest(round)
                model[number] = round
            } else {
                set[Self.key(number)] = nil
                model[number] = nil
            }
            guard round % 50 == 0 else { continue }
            var rebuilt = RecordSet()
            for (number, value) in model { rebuilt[Self.key(number)] = Self.digest(value) }
            #expect(set.digest() == rebuilt.digest() && set.count == model.count)
            for number in 0..<400 { #expect(set[Self.key(number)] == model[number].map(Self.digest)) }
        }
    }

    @Test func aCopyIsAnOverlayThatLeavesTheOriginal() {
        var set = RecordSet()
        for number in 0..<100 { set[Self.key(number)] = Self.digest(number) }
        let before = set.digest()
        var overlay = set
        overlay[Self.key(3)] = nil
        overlay[Self.key(200)] = Self.digest(1)
        #expect(overlay.digest() != before)
        #expect(set.digest() == before && set[Self.key(3)] == Self.digest(3))
    }

    @Test func everyChangeOfARecordChangesTheDigest() {
        var set = RecordSet()
        for number in 0..<40 { set[Self.key(number)] = Self.digest(number) }
        let whole = set.digest()
        for number in 0..<40 {
            var changed = set
            changed[Self.key(number)] = Self.digest(number + 1_000)
            #expect(changed.digest() != whole)
            changed[Self.key(number)] = nil
            #expect(changed.digest() != whole)
            changed[Self.key(number)] = Self.digest(number)
            #expect(changed.digest() == whole)
        }
    }
}
