/// Paths and programs on nodes, used by every remote script.
package struct NodePaths: Equatable, Sendable {
    /// The state directory, used by this program only.
    package var state = "/var/lib/clavitor-soc"
    package var current = "/run/current-system"
    package var profile = "/nix/var/nix/profiles/system"
    package var store = "/nix/store"
    package var gcRoots = "/nix/var/nix/gcroots"
    package var bootID = "/proc/sys/kernel/random/boot_id"
    package var unit = "clavitor-node.service"
    package var systemdRun = "systemd-run"
    package var systemctl = "systemctl"
    package var nixEnv = "nix-env"
    package var nixStore = "nix-store"
    package var admin = "clavitor-admin"
    package var wireguard = "/etc/wireguard"
    package var wg = "wg"

    package init() {}

    /// The first lines of every script.
    var prelude: String {
        let values = [
            ("state", state), ("current", current), ("profile", profile), ("store", store), ("gcroots", gcRoots),
            ("boot_id", bootID), ("unit", unit), ("systemd_run", systemdRun), ("systemctl", systemctl),
            ("nix_env", nixEnv), ("nix_store", nixStore), ("admin", admin), ("wireguard", wireguard), ("wg", wg),
        ]
        return "set -eu\numask 077\n"
            + values.map { "\($0.0)=\(RemoteCommand.quoted($0.1))\n" }.joined()
    }
}
