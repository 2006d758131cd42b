import Files
import FoundationEssentials

/// The secrets of a node as a folder in memory, for as long as nixos-anywhere needs them.
struct ExtraFiles {
    private let memory: String
    private let prefix: String

    init(of node: Node, in memory: String) {
        self.memory = memory
        prefix = "clavitor-soc-\(node.name)-"
    }

    func make() throws -> String {
        let folder = "\(memory)/\(prefix)\(UInt64.random(in: 0 ... .max))"
        try File.makeDirectory(folder)
        return folder
    }

    /// Also those that a program which was killed has left. What belongs to somebody else stays.
    func removeAll() {
        // A node's name may be the beginning of another's: a number follows ours.
        for name in (try? Directory.names(in: memory)) ?? []
        where name.hasPrefix(prefix) && UInt64(name.dropFirst(prefix.count)) != nil {
            try? FileManager.default.removeItem(atPath: "\(memory)/\(name)")
        }
    }
}
