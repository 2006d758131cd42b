import FoundationEssentials

/// The pin of nixpkgs in `flake.lock` (Nix manual, "Lock files").
package struct FlakeLock: Equatable, Sendable {
    /// The Git revision of nixpkgs, or the hash of its content if there is none.
    package let revision: String
    /// The time of that revision, in Unix seconds.
    package let modified: Int64?
    /// The branch of the input, such as `nixos-26.05`; nil if the flake has none.
    package let branch: String?

    private struct Content: Decodable {
        var nodes: [String: Entry]
        var root: String

        struct Entry: Decodable {
            var inputs: [String: Input]?
            var locked: Reference?
            var original: Reference?
        }

        /// A node's name, or a path of names for an input that follows another.
        enum Input: Decodable {
            case node(String)
            case follows

            init(from decoder: any Decoder) throws {
                let name = try? decoder.singleValueContainer().decode(String.self)
                self = name.map { .node($0) } ?? .follows
            }
        }

        struct Reference: Decodable {
            var rev: String?
            var narHash: String?
            var ref: String?
            var lastModified: Int64?
        }
    }

    /// - Parameters:
    ///   - text: The content of the file.
    ///   - path: For the error.
    /// - Throws: `FlakePreconditionError.unreadableLock`.
    package init(_ text: String, path: String) throws(FlakePreconditionError) {
        let content: Content
        do {
            content = try JSONDecoder().decode(Content.self, from: Data(text.utf8))
        } catch {
            throw .unreadableLock(path, "it is not a lock file of Nix")
        }
        guard case .node(let name) = content.nodes[content.root]?.inputs?["nixpkgs"], let entry = content.nodes[name],
            let locked = entry.locked, let revision = locked.rev ?? locked.narHash
        else { throw .unreadableLock(path, "it has no revision of the input nixpkgs") }
        self.revision = revision
        modified = locked.lastModified
        branch = entry.original?.ref
    }

    /// For display, such as `2f1c0a9b (2026-11-27)`.
    package var summary: String {
        let date = modified.map {
            " (\(Date(timeIntervalSince1970: TimeInterval($0)).formatted(.iso8601.year().month().day())))"
        }
        return "\(revision.prefix(revision.hasPrefix("sha256-") ? 51 : 12))\(date ?? "")"
    }
}
