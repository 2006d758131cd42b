/// Memory limit and usage of the program's control group, in bytes: where a unit or a container sets a limit, the
/// kernel kills at that, however much memory the machine has.
package struct ControlGroupMemory: Equatable, Sendable {
    package var limit: UInt64
    /// Usage without inactive file cache, which the kernel reclaims on demand.
    package var used: UInt64

    /// Reads the tightest limit; nil without a limit or control groups.
    ///
    /// `groups`: The text of `/proc/self/cgroup` (cgroups(7)). `read`: Reads files by absolute path.
    package init?(groups: String, read: (String) throws -> String) {
        let lines = groups.utf8.split(separator: UInt8(ascii: "\n")).map(Substring.init).compactMap(Line.init)
        let found = lines.compactMap { line -> ControlGroupMemory? in
            line.directories.compactMap { ControlGroupMemory(in: $0, isVersion2: line.isVersion2, read) }.min {
                $0.left < $1.left
            }
        }
        guard let tightest = found.min(by: { $0.left < $1.left }) else { return nil }
        self = tightest
    }

    private var left: UInt64 { limit - min(used, limit) }

    private init?(in directory: String, isVersion2: Bool, _ read: (String) throws -> String) {
        func number(_ name: String) -> UInt64? {
            (try? read("\(directory)/\(name)")).flatMap { UInt64($0.prefix { !$0.isWhitespace }) }
        }
        let names = isVersion2 ? ("memory.max", "memory.current") : ("memory.limit_in_bytes", "memory.usage_in_bytes")
        // Without a limit the file contains `max`, or a number beyond any memory.
        guard let limit = number(names.0), limit > 0, limit < 1 << 60, let used = number(names.1) else { return nil }
        let files = (try? read("\(directory)/memory.stat")).flatMap { text in
            Self.value(of: isVersion2 ? "inactive_file" : "total_inactive_file", in: text)
        }
        self.limit = limit
        self.used = used - min(files ?? 0, used)
    }

    private static func value(of name: String, in text: String) -> UInt64? {
        for line in text.utf8.split(separator: UInt8(ascii: "\n")).map(Substring.init) {
            let words = line.split(separator: " ")
            if words.count == 2, words[0] == name { return UInt64(words[1]) }
        }
        return nil
    }

    /// A line of `/proc/self/cgroup`: `0::/path`, or `4:memory:/path` in version 1.
    private struct Line {
        let isVersion2: Bool
        /// Directories from the group to the root: limits of ancestors apply as well.
        let directories: [String]

        init?(_ text: Substring) {
            let parts = text.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 3 else { return nil }
            isVersion2 = parts[0] == "0" && parts[1].isEmpty
            guard isVersion2 || parts[1].split(separator: ",").contains("memory") else { return nil }
            let root = isVersion2 ? "/sys/fs/cgroup" : "/sys/fs/cgroup/memory"
            let names = parts[2].split(separator: "/").prefix(32)
            // Rejects paths that leave the root: a path from another namespace begins with `/..`.
            guard !names.contains("..") else {
                directories = [root]
                return
            }
            directories = (0...names.count).reversed().map { count in
                ([root] + names.prefix(count).map(String.init)).joined(separator: "/")
            }
        }
    }
}
