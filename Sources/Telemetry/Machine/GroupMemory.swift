/// What the program's control group may use and uses, in bytes: where a unit or a container sets a limit, the kernel kills
/// at that, however much the machine has.
struct GroupMemory: Equatable, Sendable {
    var limit: UInt64
    /// Without what the kernel gives back when it is asked to: files that were read long ago.
    var used: UInt64

    /// Nil without a limit, and where there are no control groups.
    ///
    /// `groups`: The text of `/proc/self/cgroup` (cgroups(7)). `read`: Texts of files by absolute path.
    init?(groups: String, read: (String) throws -> String) {
        let lines = groups.utf8.split(separator: UInt8(ascii: "\n")).map(Substring.init).compactMap(Line.init)
        let found = lines.compactMap { line -> GroupMemory? in
            line.folders.compactMap { GroupMemory(in: $0, isSecond: line.isSecond, read) }.min { $0.left < $1.left }
        }
        guard let tightest = found.min(by: { $0.left < $1.left }) else { return nil }
        self = tightest
    }

    private var left: UInt64 { limit - min(used, limit) }

    private init?(in folder: String, isSecond: Bool, _ read: (String) throws -> String) {
        func number(_ name: String) -> UInt64? {
            (try? read("\(folder)/\(name)")).flatMap { UInt64($0.prefix { !$0.isWhitespace }) }
        }
        let names = isSecond ? ("memory.max", "memory.current") : ("memory.limit_in_bytes", "memory.usage_in_bytes")
        // Without a limit it says `max`, or a number beyond any memory.
        guard let limit = number(names.0), limit > 0, limit < 1 << 60, let used = number(names.1) else { return nil }
        let files = (try? read("\(folder)/memory.stat")).flatMap { text in
            Self.value(of: isSecond ? "inactive_file" : "total_inactive_file", in: text)
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

    /// `0::/path`, or `4:memory:/path` of the first version.
    private struct Line {
        let isSecond: Bool
        /// From the group's own to the root: a limit above binds as well.
        let folders: [String]

        init?(_ text: Substring) {
            let parts = text.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 3 else { return nil }
            isSecond = parts[0] == "0" && parts[1].isEmpty
            guard isSecond || parts[1].split(separator: ",").contains("memory") else { return nil }
            let root = isSecond ? "/sys/fs/cgroup" : "/sys/fs/cgroup/memory"
            let names = parts[2].split(separator: "/").prefix(32)
            // Nothing that leads out of it: a path from another namespace begins with `/..`.
            guard !names.contains("..") else {
                folders = [root]
                return
            }
            folders = (0...names.count).reversed().map { count in
                ([root] + names.prefix(count).map(String.init)).joined(separator: "/")
            }
        }
    }
}
