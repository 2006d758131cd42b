/// Deterministic mutations of valid input, like the first minutes of a fuzzer.
package struct Mutations: Sequence, IteratorProtocol {
    private let seeds: [[UInt8]]
    private let tokens: [[UInt8]]
    private var generator: SplitMix64
    private var left: Int

    /// `tokens`: Syntax elements that are inserted at random positions.
    package init(of seeds: [String], tokens: [String], count: Int, seed: UInt64 = 1) {
        self.init(of: seeds.map { Array($0.utf8) }, tokens: tokens.map { Array($0.utf8) }, count: count, seed: seed)
    }

    package init(of seeds: [[UInt8]], tokens: [[UInt8]] = [], count: Int, seed: UInt64 = 1) {
        self.seeds = seeds
        self.tokens = tokens
        generator = SplitMix64(state: seed)
        left = count
    }

    package mutating func next() -> [UInt8]? {
        guard left > 0 else { return nil }
        left -= 1
        var bytes = seeds.randomElement(using: &generator) ?? []
        for _ in 0..<Int.random(in: 1...4, using: &generator) { change(&bytes) }
        return bytes
    }

    private mutating func change(_ bytes: inout [UInt8]) {
        let at = Int.random(in: 0...bytes.count, using: &generator)
        let end = Int.random(in: at...Swift.min(bytes.count, at + 16), using: &generator)
        switch Int.random(in: 0..<6, using: &generator) {
        case 0 where at < bytes.count: bytes[at] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
        case 1: bytes.removeSubrange(at..<end)
        case 2: bytes.insert(contentsOf: bytes[at..<end], at: Int.random(in: 0...bytes.count, using: &generator))
        case 3: bytes.insert(UInt8.random(in: 0...255, using: &generator), at: at)
        case 4: bytes.removeLast(bytes.count - at)
        default: bytes.insert(contentsOf: tokens.randomElement(using: &generator) ?? [0], at: at)
        }
    }
}

/// Sebastiano Vigna's SplitMix64, a small deterministic generator.
private struct SplitMix64: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}
