import TestSupport
import Testing
import VaultFormat

private struct EntryRecordFile: Decodable {
    struct Version: Decodable {
        var field: Hex
        var part: UInt8
        var tier: UInt8
        var version: Int
        var author: Hex
        var written: Int64
        var k: UInt32
        var readers: [Hex]?

        var columns: PartVersion {
            get throws {
                PartVersion(
                    id: PartID(try #require(FieldID(field.bytes)), try #require(FieldPart(rawValue: part))),
                    tier: try #require(Tier(rawValue: tier)), version: version,
                    author: try #require(PrincipalID(author.bytes)), written: written, key: k)
            }
        }
    }
    struct Case: Decodable, CustomTestStringConvertible {
        var name: String
        var parts: [Version]
        var older: [Version]
        var terms: [Hex]
        var record: Hex
        var testDescription: String { name }
    }
    var cases: [Case]

    static func load() throws -> [Case] { try (Vectors.load("entry-record.json") as EntryRecordFile).cases }
}

@Suite struct EntryRecordVectorTests {
    @Test(arguments: try EntryRecordFile.load()) private func aRecordHasTheBytesOfTheFormat(
        _ example: EntryRecordFile.Case
    )
        throws
    {
        var record = EntryRecord()
        for part in example.parts {
            let readers = try (part.readers ?? []).map { try #require(PrincipalID($0.bytes)) }
            record.parts[try part.columns.id] = EntryRecord.Part(try part.columns, readers: Set(readers))
        }
        record.older = EntryRecord.hash(ofOlder: try example.older.map { try $0.columns })
        record.terms = Set(example.terms.map(\.bytes))
        #expect(record.bytes.hex == example.record.hex)
        #expect(EntryRecord(example.record.bytes) == record)
        let index = try #require(EntryRecordIndex(example.record.bytes))
        for (id, part) in record.parts { #expect(index.part(id) == part) }
        #expect(index.part(PartID(.random())) == nil)
        for term in record.terms { #expect(index.contains(term: term)) }
        #expect(!index.contains(term: [UInt8](repeating: 7, count: 16)))
    }

    @Test(arguments: try EntryRecordFile.load()) private func aCutRecordIsNone(_ example: EntryRecordFile.Case) {
        let bytes = example.record.bytes
        for count in 0..<bytes.count { #expect(EntryRecord(Array(bytes.prefix(count))) == nil) }
    }

    /// Whatever a later version of the program adds stays.
    @Test(arguments: try EntryRecordFile.load()) private func whatFollowsIsKept(_ example: EntryRecordFile.Case) throws
    {
        let bytes = example.record.bytes + [1, 2, 3]
        var record = try #require(EntryRecord(bytes))
        #expect(record.bytes == bytes)
        record.terms.insert([UInt8](repeating: 0xff, count: 16))
        #expect(record.bytes.suffix(3) == [1, 2, 3])
    }

    @Test func anotherFormatIsRefused() throws {
        for format: UInt8 in [0, 1, 3, 255] {
            #expect(EntryRecord([format] + EntryRecord().bytes.dropFirst()) == nil)
        }
    }

    /// Bytes from a file that anybody wrote to do no harm.
    @Test func nonsenseIsRefusedOrRead() throws {
        for example in try EntryRecordFile.load() {
            for bytes in Mutations(of: [example.record.bytes], count: 2_000) {
                guard let record = EntryRecord(bytes) else { continue }
                #expect(EntryRecord(record.bytes) == record)
            }
        }
    }
}
