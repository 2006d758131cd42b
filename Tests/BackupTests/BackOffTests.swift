import Backup
import Testing

@Suite struct BackOffTests {
    private struct Refused: Error {}

    @Test func theDelayDoublesUpToADayAndASuccessResetsIt() async throws {
        let backOff = BackOff()
        #expect(backOff.hasElapsed(at: 0))
        var delays: [Int64] = []
        for number in Int64(0)..<9 {
            let now = number * 1_000_000
            await #expect(throws: Refused.self) { try await backOff.run(at: now) { throw Refused() } }
            delays.append((1...200_000).first { backOff.hasElapsed(at: now + $0) } ?? 0)
        }
        #expect(delays == [1_800, 3_600, 7_200, 14_400, 28_800, 57_600, 86_400, 86_400, 86_400])
        let result = try await backOff.run(at: 0) { 7 }
        #expect(result == 7 && backOff.hasElapsed(at: 0))
    }
}
