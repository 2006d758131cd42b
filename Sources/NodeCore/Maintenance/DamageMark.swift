import Files

/// A file beside the database that says that damage was found: a restart does not make a database whole.
///
/// Cleared by `clavitor-node audit accept` alone, or by restoring a backup into an empty directory.
package struct DamageMark: Sendable {
    package let path: String

    package init(path: String) {
        self.path = path
    }

    package var isSet: Bool { File.exists(path) }

    /// What was found; nil when there is no mark.
    package var reason: String? {
        guard isSet else { return nil }
        return (try? File.read(path, most: 65_536)) ?? "unreadable"
    }

    /// On disk when it returns. The first reason stays.
    package func set(_ reason: String) {
        guard !isSet else { return }
        // On a full disk an empty file still says it.
        do { try File.replace(path, with: reason, mode: 0o600) } catch { _ = try? OpenFile(creating: path) }
    }

    package func clear() {
        File.remove(path)
        _ = try? OpenFile(directory: Directory.parent(of: path)).synchronize()
    }
}
