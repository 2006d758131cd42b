import Telemetry
import Testing

/// Memory limits of control groups, versions 1 and 2.
@Suite struct GroupMemoryTests {
    private static let mebibyte: UInt64 = 1 << 20

    private static func memory(_ groups: String, _ files: [String: String]) -> ControlGroupMemory? {
        ControlGroupMemory(groups: groups) { path in
            guard let text = files[path] else { throw MachineError.unreadable("ENOENT") }
            return text
        }
    }

    private static let second = [
        "/sys/fs/cgroup/system.slice/clavitor.service/memory.max": "419430400\n",
        "/sys/fs/cgroup/system.slice/clavitor.service/memory.current": "209715200\n",
        "/sys/fs/cgroup/system.slice/clavitor.service/memory.stat": "anon 1\ninactive_file 104857600\nactive_file 5\n",
        "/sys/fs/cgroup/system.slice/memory.max": "max\n",
        "/sys/fs/cgroup/system.slice/memory.current": "309715200\n",
    ]

    @Test func theLimitOfAUnitApplies() {
        let memory = Self.memory("0::/system.slice/clavitor.service\n", Self.second)
        #expect(memory?.limit == 400 * Self.mebibyte)
        #expect(memory?.used == 100 * Self.mebibyte, "files that can be given back are not used")
    }

    @Test func theTightestAncestorLimitApplies() {
        var files = Self.second
        files["/sys/fs/cgroup/system.slice/memory.max"] = "319715200"
        let memory = Self.memory("0::/system.slice/clavitor.service\n", files)
        #expect(memory?.limit == 319_715_200)
    }

    @Test func versionOneUsesOtherNames() {
        let memory = Self.memory(
            "12:cpu,cpuacct:/a\n4:memory:/docker/abc\n0::/x\n",
            [
                "/sys/fs/cgroup/memory/docker/abc/memory.limit_in_bytes": "104857600\n",
                "/sys/fs/cgroup/memory/docker/abc/memory.usage_in_bytes": "52428800\n",
                "/sys/fs/cgroup/memory/docker/abc/memory.stat": "total_inactive_file 1048576\n",
                "/sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
                "/sys/fs/cgroup/memory/memory.usage_in_bytes": "1\n",
            ])
        #expect(memory?.limit == 100 * Self.mebibyte)
        #expect(memory?.used == 49 * Self.mebibyte)
    }

    @Test(arguments: ["", "0::/", "nonsense", "0::/../../x", "4:cpu:/a", ":::", "0::/a\n0::/b"])
    func withoutALimitThereIsNoResult(_ groups: String) { #expect(Self.memory(groups, [:]) == nil) }

    @Test func everyTruncationIsParsed() {
        let groups = "4:memory:/docker/abc\n0::/system.slice/clavitor.service\n"
        for length in 0...groups.count { _ = Self.memory(String(groups.prefix(length)), Self.second) }
        for (path, text) in Self.second {
            for length in 0...text.count {
                var files = Self.second
                files[path] = String(text.prefix(length))
                _ = Self.memory(groups, files)
            }
        }
    }

    @Test func theMachinesMemoryIsWithinTheLimit() {
        let machine = MemoryInfo(total: 8_000 * Self.mebibyte, available: 6_000 * Self.mebibyte)
        let group = Self.memory("0::/system.slice/clavitor.service\n", Self.second)
        let within = machine.within(group)
        #expect(within.total == 400 * Self.mebibyte)
        #expect(within.usedPercent == 25)
        #expect(machine.within(nil) == machine)
        let tight = MemoryInfo(total: 300 * Self.mebibyte, available: 30 * Self.mebibyte)
        #expect(tight.within(group) == tight, "the machine has less than the limit")
        let full = MemoryInfo(total: 8_000 * Self.mebibyte, available: 40 * Self.mebibyte)
        #expect(full.within(group).usedPercent == 90, "the group is limited by the machine's memory")
    }
}
