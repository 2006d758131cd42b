/// Writes a secret to a node: over standard input, into a file that is replaced atomically.
package enum SecretPush {
    /// Arguments: directory, its mode if it must be created, name, mode, bytes.
    ///
    /// The number of bytes detects a truncated secret after a broken connection.
    static let script = """
        set -eu
        umask 077
        if [ ! -d "$1" ]; then
            (umask 022 && mkdir -p "$1")
            chmod "$2" "$1"
        fi
        new="$1/.$3.new"
        trap 'rm -f "$new"' EXIT
        rm -f "$new"
        cat >"$new"
        if [ "$(wc -c <"$new")" -ne "$5" ]; then
            echo "the secret was truncated in transit" >&2
            exit 1
        fi
        [ "$(id -u)" != 0 ] || chown 0:0 "$new"
        chmod "$4" "$new"
        sync "$new"
        mv -f "$new" "$1/$3"
        sync "$1"
        """

    package static func command(_ secret: NodeSecret, _ text: String, root: String = "") -> RemoteCommand {
        command(
            "\(root)\(secret.folder)", folderMode: secret.folderMode, secret.name, mode: secret.mode, text)
    }

    private static func command(
        _ folder: String, folderMode: String, _ name: String, mode: String, _ text: String
    ) -> RemoteCommand {
        .script(script, [folder, folderMode, name, mode, "\(text.utf8.count)"])
    }

    /// Returns when the file is on the node's disk. `root`: Replaces `/`.
    package static func push(_ text: String, as secret: NodeSecret, to shell: some RemoteShell, root: String = "")
        async throws
    {
        _ = try await shell.run(command(secret, text, root: root), input: text, deadline: .seconds(60))
    }

    /// Writes a WireGuard key under another name, beside the one in use.
    static func push(_ key: WireGuardKey, as name: String, in folder: String, to shell: some RemoteShell) async throws {
        let text = key.privateText + "\n"
        let command = command(
            folder, folderMode: NodeSecret.privateKey.folderMode, name, mode: NodeSecret.privateKey.mode, text)
        _ = try await shell.run(command, input: text, deadline: .seconds(60))
    }
}
