import Crypto
import Secrets
import TestSupport
import Testing
import Vault
import VaultFormat

struct DeriveFile: Decodable {
    struct Node: Decodable, CustomTestStringConvertible {
        var label: String
        var ikm: Hex
        var parts: [Hex]
        var info: Hex
        var okm: Hex
        var testDescription: String { "\(label) \(ikm.hex.prefix(6))" }
    }
    struct HolderSeal: Decodable {
        var seed: Hex
        var publicKey: Hex
    }
    var node: [Node]
    var holderSeal: HolderSeal
}

/// The node's part of `derive.json`; the client's tests cover passwords.
@Suite struct DeriveVectorTests {
    static let file = Result { try Vectors.load("derive.json", as: DeriveFile.self) }

    @Test(arguments: try file.get().node) func derives(_ example: DeriveFile.Node) throws {
        let context = Context(example.label, parts: example.parts.dropFirst().map(\.bytes))
        #expect(context.bytes.hex == example.info.hex)
        #expect(SymmetricKey(data: example.ikm.bytes).derive(context).bytes.hex == example.okm.hex)
    }

    @Test func aHoldersKeysComeFromItsSecret() throws {
        let file = try Self.file.get()
        let wrap = try #require(file.node.first { $0.label == "holder-wrap" })
        let id = try #require(wrap.parts.last.flatMap { HolderID($0.bytes) })
        let holder = HolderKey(id: id, secret: SymmetricKey(data: wrap.ikm.bytes))
        let publicKey = try holder.sealingKey().publicKey.rawRepresentation
        #expect(holder.wrapKey.bytes.hex == wrap.okm.hex)
        #expect(Array(publicKey).hex == file.holderSeal.publicKey.hex)
    }
}

struct ChainFile: Decodable {
    struct Line: Decodable, CustomTestStringConvertible {
        var previous: Hex?
        var seq: Int64
        var time: Int64
        var vault: Hex
        var change: Int64
        var digest: Hex
        var body: Hex
        var hash: Hex
        var testDescription: String { "line \(seq)" }

        var sealed: SealedAuditLine {
            let vault = VaultID(vault.bytes)
            let state =
                change == 0 ? nil : StateDigest(digest.bytes).map { NodeState.Vault(change: change, digest: $0) }
            return SealedAuditLine(time: time, vault: vault == .node ? nil : vault, body: body.bytes, state: state)
        }
    }
    var first: Hex
    var lines: [Line]
    var single: [Line]
}

@Suite struct AuditChainTests {
    static let file = Result { try Vectors.load("chain.json", as: ChainFile.self) }
    let key = SymmetricKey(size: .bits256)

    @Test func everyLineOfTheVectorHasItsHash() throws {
        let file = try Self.file.get()
        var chain = AuditChain.start
        #expect(chain.hash.hex == file.first.hex)
        for line in file.lines {
            chain.append(line.sealed)
            #expect(chain.sequence == line.seq)
            #expect(chain.hash.hex == line.hash.hex)
        }
    }

    @Test(arguments: try file.get().single) func aLineFarOnHasItsHash(_ line: ChainFile.Line) throws {
        var chain = AuditChain(sequence: line.seq - 1, hash: try #require(line.previous).bytes)
        chain.append(line.sealed)
        #expect(chain.hash.hex == line.hash.hex)
    }

    struct Change: CustomTestStringConvertible {
        var testDescription: String
        var line: SealedAuditLine
    }

    static let vault = VaultID.random()

    @Test(arguments: [
        Change(testDescription: "time", line: .init(time: 2, vault: vault, body: [1, 2])),
        Change(testDescription: "vault", line: .init(time: 1, vault: .random(), body: [1, 2])),
        Change(testDescription: "no vault", line: .init(time: 1, vault: nil, body: [1, 2])),
        Change(testDescription: "body", line: .init(time: 1, vault: vault, body: [1, 3])),
        Change(testDescription: "body, cut", line: .init(time: 1, vault: vault, body: [1])),
        Change(
            testDescription: "a state",
            line: .init(time: 1, vault: vault, body: [1, 2], state: .init(change: 1, digest: .zeros))),
    ])
    func everyChangeOfALineChangesItsHash(_ change: Change) {
        var honest = AuditChain.start
        var forged = AuditChain.start
        honest.append(.init(time: 1, vault: Self.vault, body: [1, 2]))
        forged.append(change.line)
        #expect(honest.hash != forged.hash)
    }

    @Test func theOrderOfLinesCounts() {
        let lines = [SealedAuditLine(time: 1, vault: nil, body: [1]), SealedAuditLine(time: 1, vault: nil, body: [2])]
        var one = AuditChain.start
        var other = AuditChain.start
        for line in lines { one.append(line) }
        for line in lines.reversed() { other.append(line) }
        #expect(one.hash != other.hash)
    }

    @Test func theHeadsCodeCoversEpochSequenceHashStateAndKey() throws {
        let chain = AuditChain(sequence: 5, hash: [UInt8](repeating: 9, count: 32))
        let other = try #require(StateDigest([UInt8](repeating: 1, count: 32)))
        let codes = Set([
            AuditHead(epoch: 1, chain: chain).code(key: key, .zeros),
            AuditHead(epoch: 2, chain: chain).code(key: key, .zeros),
            AuditHead(epoch: 1, chain: AuditChain(sequence: 6, hash: chain.hash)).code(key: key, .zeros),
            AuditHead(epoch: 1, chain: AuditChain(sequence: 5, hash: [UInt8](repeating: 8, count: 32)))
                .code(key: key, .zeros),
            AuditHead(epoch: 1, chain: chain).code(key: key, other),
            AuditHead(epoch: 1, chain: chain).code(key: SymmetricKey(size: .bits256), .zeros),
        ])
        #expect(codes.count == 6)
    }
}
