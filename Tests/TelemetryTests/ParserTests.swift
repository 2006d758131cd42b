import Telemetry
import Testing

@Suite struct ParserTests {
    // MARK: Kernel texts

    @Test func memoryIsInBytes() throws {
        let memory = try MemoryInfo(meminfo: Fixtures.meminfo)
        #expect(memory == MemoryInfo(total: 489_732 << 10, available: 344_132 << 10, swapUsed: 12_288 << 10))
        #expect(memory.used == 145_600 << 10)
    }

    @Test func withoutSwapNoUsageIsReported() throws {
        #expect(try MemoryInfo(meminfo: "MemTotal: 8 kB\nMemAvailable: 4 kB\n").swapUsed == nil)
    }

    @Test func moreAvailableThanThereIsMeansNothingUsed() throws {
        let memory = try MemoryInfo(meminfo: "MemTotal: 4 kB\nMemAvailable: 8 kB\nSwapTotal: 1 kB\nSwapFree: 2 kB\n")
        #expect(memory.used == 0)
        #expect(memory.swapUsed == 0)
    }

    @Test func guestsAreNotCountedTwiceAndStolenTimeCountsAsBusy() throws {
        let time = try ProcessorTime(stat: Fixtures.stat)
        #expect(time == ProcessorTime(busy: 180_387 + 11 + 31_919 + 342 + 253, idle: 1_107_978 + 726))
    }

    @Test func anOldKernelHasFourCounters() throws {
        #expect(try ProcessorTime(stat: "cpu  1 2 3 4\n") == ProcessorTime(busy: 6, idle: 4))
    }

    @Test func theOtherFilesAreParsed() throws {
        #expect(try LoadAverage(loadavg: Fixtures.loadavg).lastMinute == 0.37)
        #expect(try Uptime(uptime: Fixtures.uptime).seconds == 864_000)
        #expect(try CurrentProcess(status: Fixtures.status).resident == 27_648 << 10)
        #expect(try OpenFiles(count: 3, limits: Fixtures.limits) == OpenFiles(count: 3, limit: 1024))
        #expect(try OpenFiles(count: 3, limits: "Max open files unlimited unlimited files").limit == nil)
        #expect(try Pressure(pressure: Fixtures.pressure).some == 1.04)
    }

    // MARK: Usage

    struct Share: CustomTestStringConvertible {
        var testDescription: String
        var from: (busy: UInt64, idle: UInt64)
        var to: (busy: UInt64, idle: UInt64)
        var share: Double?
    }

    @Test(arguments: [
        Share(testDescription: "a quarter", from: (100, 100), to: (125, 175), share: 25),
        Share(testDescription: "no time has passed", from: (100, 100), to: (100, 100), share: nil),
        Share(testDescription: "idle time decreased", from: (100, 100), to: (110, 90), share: 100),
        Share(testDescription: "all counters decreased", from: (100, 100), to: (1, 1), share: nil),
        Share(testDescription: "maximum values", from: (0, 0), to: (.max, .max), share: 50),
    ])
    func usageIsMeasuredBetweenTwoReadings(_ example: Share) {
        let earlier = ProcessorTime(busy: example.from.busy, idle: example.from.idle)
        let later = ProcessorTime(busy: example.to.busy, idle: example.to.idle)
        #expect(later.busyPercent(since: earlier) == example.share)
    }

    @Test func diskSpaceIsComputedAsDfDoes() throws {
        // 100 blocks, 10 of them kept back for root: 60 used, 30 left.
        let space = try DiskSpace(blocks: 100, free: 40, available: 30, size: 4096)
        #expect(space == DiskSpace(used: 60 * 4096, available: 30 * 4096))
        #expect(abs(space.usedPercent - 66.67) < 0.01)
        #expect(DiskSpace(used: 0, available: 0).usedPercent == 100)
    }

    @Test(arguments: [
        ("system-42-link", 42), ("/nix/var/nix/profiles/system-7-link", 7), (nil, 0), ("", 0), ("system", 0),
        ("system-42", 0), ("system--link", 0), ("system--1-link", 0), ("system-99999999999999999999-link", 0),
        ("other-42-link", 0),
    ])
    func theGenerationIsInTheLinksTarget(_ target: String?, _ number: Int) {
        #expect(SystemGeneration(linkTarget: target).number == number)
    }

    // MARK: Malformed texts

    struct Refusal: CustomTestStringConvertible {
        var testDescription: String
        var error: MachineError
        var parse: @Sendable () throws -> Void
    }

    @Test(arguments: [
        Refusal(testDescription: "no memory", error: .malformed("MemTotal")) {
            _ = try MemoryInfo(meminfo: "MemTotal: 0 kB\nMemAvailable: 0 kB\n")
        },
        Refusal(testDescription: "too much memory for bytes", error: .malformed("MemTotal")) {
            _ = try MemoryInfo(meminfo: "MemTotal: \(UInt64.max / 1000) kB\nMemAvailable: 0 kB\n")
        },
        Refusal(testDescription: "too much memory for a number", error: .malformed("MemAvailable")) {
            _ = try MemoryInfo(meminfo: "MemTotal: 1 kB\nMemAvailable: 99999999999999999999 kB\n")
        },
        Refusal(testDescription: "memory below zero", error: .malformed("MemAvailable")) {
            _ = try MemoryInfo(meminfo: "MemTotal: 1 kB\nMemAvailable: -1 kB\n")
        },
        Refusal(testDescription: "a name with the same prefix", error: .missing("MemTotal")) {
            _ = try MemoryInfo(meminfo: "MemTotalOfAll: 1 kB\nMemAvailable: 1 kB\n")
        },
        Refusal(testDescription: "counters whose sum overflows", error: .malformed("cpu")) {
            _ = try ProcessorTime(stat: "cpu  \(UInt64.max) 1 0 0\n")
        },
        Refusal(testDescription: "a counter that is not a number", error: .malformed("cpu")) {
            _ = try ProcessorTime(stat: "cpu  1 2 x 4\n")
        },
        Refusal(testDescription: "one processor instead of all", error: .missing("cpu")) {
            _ = try ProcessorTime(stat: "cpu0 1 2 3 4\n")
        },
        Refusal(testDescription: "an infinite load", error: .malformed("the load of the last minute")) {
            _ = try LoadAverage(loadavg: "inf 1 1 1/1 1\n")
        },
        Refusal(testDescription: "an uptime below zero", error: .malformed("uptime")) {
            _ = try Uptime(uptime: "-1.00 0.00\n")
        },
        Refusal(testDescription: "an uptime that overflows", error: .malformed("uptime")) {
            _ = try Uptime(uptime: "99999999999999999999.00 0.00\n")
        },
        Refusal(testDescription: "a pressure above 100 %", error: .malformed("some avg10")) {
            _ = try Pressure(pressure: "some avg10=101.00 avg60=0.00\n")
        },
        Refusal(testDescription: "a pressure that is not a number", error: .malformed("some avg10")) {
            _ = try Pressure(pressure: "some avg10=nan avg60=0.00\n")
        },
        Refusal(testDescription: "a limit of zero", error: .malformed("Max open files")) {
            _ = try OpenFiles(count: 1, limits: "Max open files 0 0 files\n")
        },
        Refusal(testDescription: "disk space that overflows", error: .malformed("disk space")) {
            _ = try DiskSpace(blocks: .max, free: 0, available: 0, size: 4096)
        },
        Refusal(testDescription: "a file system without blocks", error: .missing("disk space")) {
            _ = try DiskSpace(blocks: 0, free: 0, available: 0, size: 4096)
        },
    ])
    func malformedTextIsRejected(_ example: Refusal) {
        #expect(throws: example.error) { try example.parse() }
    }

    // MARK: Every truncation

    /// A truncated text is rejected, or the parsed values are correct: never a number without its last digits.
    private func checkTruncations<Value>(
        of text: String, _ parse: (String) throws -> Value, isTrue: (Value) -> Bool,
        _ location: SourceLocation = #_sourceLocation
    ) throws {
        let whole = try parse(text)
        #expect(isTrue(whole), sourceLocation: location)
        var refused = 0
        for length in 0..<text.utf8.count {
            let cut = String(decoding: text.utf8.prefix(length), as: UTF8.self)
            do {
                let value = try parse(cut)
                #expect(isTrue(value), "after \(length) bytes: \(value)", sourceLocation: location)
            } catch {
                refused += 1
            }
        }
        #expect(refused > 0, sourceLocation: location)
    }

    @Test func noTruncationIsReadAsAnotherNumber() throws {
        let memory = try MemoryInfo(meminfo: Fixtures.meminfo)
        try checkTruncations(of: Fixtures.meminfo, { try MemoryInfo(meminfo: $0) }) { value in
            value.total == memory.total && value.available == memory.available
                && (value.swapUsed == nil || value.swapUsed == memory.swapUsed)
        }
        let time = try ProcessorTime(stat: Fixtures.stat)
        try checkTruncations(of: Fixtures.stat, { try ProcessorTime(stat: $0) }) { $0 == time }
        try checkTruncations(of: Fixtures.loadavg, { try LoadAverage(loadavg: $0) }) { $0.lastMinute == 0.37 }
        try checkTruncations(of: Fixtures.uptime, { try Uptime(uptime: $0) }) { $0.seconds == 864_000 }
        try checkTruncations(of: Fixtures.status, { try CurrentProcess(status: $0) }) { $0.resident == 27_648 << 10 }
        try checkTruncations(of: Fixtures.limits, { try OpenFiles(count: 1, limits: $0) }) { $0.limit == 1024 }
        try checkTruncations(of: Fixtures.pressure, { try Pressure(pressure: $0) }) { $0.some == 1.04 }
        for length in 0..<"system-42-link".count {
            #expect(SystemGeneration(linkTarget: String("system-42-link".prefix(length))).number == 0)
        }
    }
}
