import TestSupport
import Testing
import VaultFormat

private struct PaddingFile: Decodable {
    struct Step: Decodable {
        var count: Int
        var step: Int
    }
    struct Case: Decodable, CustomTestStringConvertible {
        var content: Hex
        var padded: Hex
        var testDescription: String { "\(content.bytes.count) bytes" }
    }
    struct Refused: Decodable, CustomTestStringConvertible {
        var name: String
        var padded: Hex
        var testDescription: String { name }
    }
    var steps: [Step]
    var cases: [Case]
    var refused: [Refused]

    static func load() throws -> PaddingFile { try Vectors.load("padding.json") }
}

@Suite struct PaddingVectorTests {
    @Test func stepsAreThoseOfTheFormat() throws {
        for step in try PaddingFile.load().steps { #expect(PaddedPlaintext.step(step.count) == step.step) }
    }

    @Test func aStepIsItsOwnAndAtMostAQuarterMore() {
        for count in stride(from: 257, through: 1 << 20, by: 101) {
            let step = PaddedPlaintext.step(count)
            #expect(step >= count && step % 32 == 0 && PaddedPlaintext.step(step) == step)
            #expect(Double(step) < Double(count) * 1.25 + 32)
        }
    }

    @Test(arguments: try PaddingFile.load().cases)
    private func contentIsPaddedAsTheFormatSays(_ example: PaddingFile.Case) {
        #expect(PaddedPlaintext.encode(example.content.bytes).hex == example.padded.hex)
        #expect(PaddedPlaintext.decode(example.padded.bytes)?.hex == example.content.hex)
    }

    @Test(arguments: try PaddingFile.load().refused)
    private func anythingElseIsRefused(_ example: PaddingFile.Refused) {
        #expect(PaddedPlaintext.decode(example.padded.bytes) == nil)
    }

    @Test(arguments: try PaddingFile.load().cases)
    private func aPartIsRefused(_ example: PaddingFile.Case) {
        for length in 0..<example.padded.bytes.count {
            #expect(PaddedPlaintext.decode(Array(example.padded.bytes.prefix(length))) == nil)
        }
    }
}
