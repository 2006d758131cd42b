import Console
import Files
import FoundationEssentials

/// Fetches the newest backup of a node to this machine, so that it survives the loss of the node.
///
/// Backups are encrypted to their recipients; fetching them requires no key.
package struct BackupFetch: Sendable {
    private let ssh: SSH
    private let node: Node
    private let source: String
    private let folder: String

    /// - Parameters:
    ///   - ssh: The connection to the node.
    ///   - node: The node.
    ///   - source: The backup directory on the node.
    ///   - folder: The local directory; its parent must exist.
    package init(_ ssh: SSH, _ node: Node, from source: String, to folder: String) {
        (self.ssh, self.node, self.source, self.folder) = (ssh, node, source, folder)
    }

    /// - Returns: The local path, and whether it was fetched now.
    /// - Throws: `BackupFetchError`, `SSHError`.
    package func run() async throws -> (path: String, isNew: Bool) {
        let output = try await ssh.run(node, .script(Self.newest, [source]), deadline: .seconds(120))
        let words = output.split(whereSeparator: \.isWhitespace).map(String.init)
        guard words.count == 2, Self.isName(words[0]), words[1].utf8.count == 64 else {
            throw BackupFetchError.none(source)
        }
        try File.makeDirectory(folder)
        let path = "\(folder)/\(words[0])"
        if File.exists(path) { return (path, false) }
        let new = "\(path).new"
        File.remove(new)
        try await ssh.receive(
            node, .script(Self.read, ["\(source)/\(words[0])"]), into: new, deadline: .seconds(3_600))
        guard try FileDigest(new).sha256 == words[1] else {
            File.remove(new)
            throw BackupFetchError.notWhole(words[0])
        }
        try File.move(new, to: path)
        return (path, true)
    }

    /// Whether a name from the node is the name of a backup and not a path.
    private static func isName(_ name: String) -> Bool {
        name.hasPrefix("clavitor-") && name.hasSuffix(".db.age") && !name.contains("/")
    }

    /// Prints the name and SHA-256 of the newest backup. Argument: the directory. Names sort by time.
    static let newest = """
        set -eu
        newest=
        for file in "$1"/clavitor-*.db.age; do
            if [ -f "$file" ]; then newest=$file; fi
        done
        if [ -z "$newest" ]; then exit 0; fi
        digest=$(sha256sum <"$newest")
        echo "${newest##*/} ${digest%% *}"
        """

    static let read = "exec cat \"$1\"\n"
}

package enum BackupFetchError: Error, Equatable, Sendable, CustomStringConvertible {
    case none(String)
    case notWhole(String)

    package var description: String {
        switch self {
        case .none(let folder): "there is no backup in \(folder)"
        case .notWhole(let name): "\(name) was truncated or altered in transit; run this again"
        }
    }
}
