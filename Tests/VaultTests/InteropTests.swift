import Crypto
import Foundation
import Secrets
import TestSupport
import Testing
import VaultFormat

/// Interoperability with Python's `cryptography`: `Tests/Vectors/open.py` opens what Swift sealed.
@Suite struct InteropTests {
    private struct Request: Encodable {
        var kind: String
        var key: String?
        var seed: String?
        var context: String
        var box: String
    }

    private func python(_ requests: [Request]) throws -> [String] {
        let input = try requests.map { try JSONEncoder().encode($0) }.reduce(Data(), +)
        let python = try Tool(
            ProcessInfo.processInfo.environment["CLAVITOR_PYTHON"] ?? "python3",
            [Vectors.folder.appendingPathComponent("open.py").path], input: String(decoding: input, as: UTF8.self))
        try #require(python.status == 0, "\(python.errors)")
        return python.output.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init)
    }

    @Test func pythonOpensSwiftsCiphertexts() throws {
        let key = SymmetricKey(size: .bits256)
        let holder = HolderKey.generate()
        let dataKey = SymmetricKey(size: .bits256)
        let place = FieldPlace(vault: .random(), entry: .random(), field: .random(), tier: .l1, version: 12)
        let seed = holder.secret.derive(Context("holder-seal", holder.id.bytes))
        let plaintexts: [[UInt8]] = [[], [0], Array("Zürich 🗝".utf8), [UInt8](repeating: 7, count: 5_000)]
        var requests = plaintexts.enumerated().map { index, plaintext in
            Request(
                kind: "box", key: key.bytes.hex, context: place.valueContext.bytes.hex,
                box: Box.seal(plaintext, key: key, context: place.valueContext, keyID: UInt32(index)).hex)
        }
        let sealed = try SealedWrap.seal(
            dataKey, to: try holder.sealingKey().publicKey, context: place.wrapContext(for: holder.id))
        requests.append(
            Request(
                kind: "seal", seed: seed.bytes.hex, context: place.wrapContext(for: holder.id).bytes.hex,
                box: sealed.hex))
        requests.append(
            Request(
                kind: "seal", seed: seed.bytes.hex, context: place.wrapContext(for: .random()).bytes.hex,
                box: sealed.hex))
        requests.append(
            Request(
                kind: "box", key: dataKey.bytes.hex, context: place.valueContext.bytes.hex,
                box: Box.seal([1], key: key, context: place.valueContext).hex))
        let answers = try python(requests)
        #expect(
            answers == plaintexts.map(\.hex) + [
                dataKey.bytes.hex, "error: wrongKeyOrContext", "error: wrongKeyOrContext",
            ])
    }
}
