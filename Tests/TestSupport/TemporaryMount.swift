/// A tmpfs of a limited size, mounted until it is released or this process ends. Requires root.
package final class TemporaryMount: Sendable {
    private let guardian: Guardian

    package init(at folder: String, size: String) throws {
        guardian = try Guardian("umount --lazy \"$1\"", folder)
        let mount = try Tool("/usr/bin/mount", ["-t", "tmpfs", "-o", "size=\(size)", "tmpfs", folder])
        guard mount.status == 0 else { throw Failed(errors: mount.errors) }
    }

    package func remove() { guardian.run() }

    package struct Failed: Error { package let errors: String }
}
