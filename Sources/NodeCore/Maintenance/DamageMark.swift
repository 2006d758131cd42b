import Files

/// A marker file that keeps the node read-only after damage was found, across restarts.
///
/// Only `clavitor-node audit accept` clears it, or a restore of a backup into an empty directory.
package struct DamageMark: Sendable {
    package let path: String

    package init(path: String) {
        self.path = path
    }

    package var isSet: Bool { File.exists(path) }

    /// The damage that was found; nil without a mark.
    package var reason: String? {
        guard isSet else { return nil }
        return (try? File.read(path, most: 65_536)) ?? "unreadable"
    }

    /// Writes the mark durably. The first reason is kept.
    package func set(_ reason: String) {
        guard !isSet else { return }
        // On a full disk an empty file still marks the damage.
        do { try File.replace(path, with: reason, mode: 0o600) } catch { _ = try? OpenFile(creating: path) }
    }

    package func clear() {
        File.remove(path)
        _ = try? OpenFile(directory: Directory.parent(of: path)).synchronize()
    }
}
