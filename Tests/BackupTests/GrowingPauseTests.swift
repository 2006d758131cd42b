import Backup
import Testing

@Suite struct GrowingPauseTests {
    private struct Refused: Error {}

    @Test func itGrowsToADayAndEndsWithASuccess() async throws {
        let pause = GrowingPause()
        #expect(pause.isOver(at: 0))
        var pauses: [Int64] = []
        for number in Int64(0)..<9 {
            let now = number * 1_000_000
            await #expect(throws: Refused.self) { try await pause.noting(at: now) { throw Refused() } }
            pauses.append((1...200_000).first { pause.isOver(at: now + $0) } ?? 0)
        }
        #expect(pauses == [1_800, 3_600, 7_200, 14_400, 28_800, 57_600, 86_400, 86_400, 86_400])
        let result = try await pause.noting(at: 0) { 7 }
        #expect(result == 7 && pause.isOver(at: 0))
    }
}
