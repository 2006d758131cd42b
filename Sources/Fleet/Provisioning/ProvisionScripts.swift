/// POSIX shell scripts that run on a machine during its provision.
package enum ProvisionScripts {
    /// Starts nixos-infect independently of the connection. Idempotent.
    package static let infect = """
        set -eu
        if [ -e /run/current-system ]; then exit 0; fi
        if systemctl is-active --quiet clavitor-infect; then exit 0; fi
        umask 077
        script=$HOME/clavitor-infect
        cat >"$script.new"
        echo "$1  $script.new" | sha256sum --check --status
        mv -f "$script.new" "$script"
        systemctl reset-failed clavitor-infect 2>/dev/null || true
        systemd-run --quiet --unit=clavitor-infect --setenv=NIX_CHANNEL="$2" --setenv=HOME="$HOME" bash "$script"
        """

    /// Prints `nixos`, or the unit's state and last log line. /etc/NIXOS is not used because it exists before the reboot.
    package static let infectState = """
        if [ -e /run/current-system ]; then echo nixos; exit 0; fi
        systemctl is-failed clavitor-infect || true
        journalctl --unit=clavitor-infect --lines=1 --output=cat 2>/dev/null || true
        """

    package static let system = """
        set -eu
        nix-env --profile /nix/var/nix/profiles/system --set "$1"
        "$1/bin/switch-to-configuration" boot
        """

    /// Returns before the machine shuts down.
    package static let reboot = "systemd-run --quiet --collect --on-active=2 systemctl reboot"
}
