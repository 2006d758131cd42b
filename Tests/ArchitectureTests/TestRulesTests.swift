import Testing

/// Rules for the tests' own sources.
@Suite struct TestRulesTests {
    /// The files outside of TestSupport, except this one.
    private static var files: [SourceTree.File] {
        get throws {
            try SourceTree.files(in: "Tests").filter {
                !$0.name.hasPrefix("Tests/TestSupport/") && !$0.name.hasSuffix("/TestRulesTests.swift")
            }
        }
    }

    @Test func programsAreStartedByTestSupport() throws {
        for file in try Self.files {
            let found = file.text.firstMatch(of: /\bProcess(?:\(|\.run\()|\bposix_spawn/).map { String($0.0) }
            #expect(
                found == nil,
                "\(file.name): Tool runs a program to its end, RunningTool beside the test; both are always waited for")
        }
    }

    @Test func temporaryFilesAreInScratchDirectories() throws {
        for file in try Self.files where file.name != "Tests/TelemetryTests/SamplerTests.swift" {
            let found = file.text.firstMatch(of: /NSTemporaryDirectory|temporaryDirectory/).map { String($0.0) }
            #expect(found == nil, "\(file.name): Scratch is removed also when the tests are killed")
        }
    }
}
