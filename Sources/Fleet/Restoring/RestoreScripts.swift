/// POSIX shell scripts that restore vaults on a node.
package enum RestoreScripts {
    /// Installs a database from standard input. Arguments: the data directory, the database's size and SHA-256, and `replace`
    /// or `keep`.
    ///
    /// Stops the node's service after the transfer, and starts it again in any case. The service creates no empty vault while
    /// the new file exists (`clavitor-node init --if-empty`). systemd changes the owner of the files to the service's user,
    /// which may not exist on the machine yet.
    package static let place = """
        set -eu
        umask 077
        data=$1 bytes=$2 digest=$3 how=$4
        unit=clavitor-node.service
        mkdir -p "$data"
        new=$data/.clavitor-restore-soc
        again() {
            rm -f "$new"
            if systemctl cat "$unit" >/dev/null 2>&1; then systemctl start --no-block "$unit"; fi
        }
        trap again EXIT
        cat >"$new"
        if [ "$(wc -c <"$new")" -ne "$bytes" ] || ! echo "$digest  $new" | sha256sum --check --status; then
            echo "the vaults were truncated or altered in transit" >&2
            exit 1
        fi
        systemctl stop "$unit" 2>/dev/null || true
        if [ -e "$data/clavitor.db" ]; then
            if [ "$how" != replace ]; then
                echo "the node has vaults already; --replace moves them aside" >&2
                exit 1
            fi
            aside=$data/replaced-$(date +%s)
            mkdir "$aside"
            for file in "$data"/clavitor.db* "$data/damaged"; do
                if [ -e "$file" ]; then mv "$file" "$aside/"; fi
            done
            echo "the previous vaults are in $aside"
        fi
        chown "$(stat -c %u:%g "$data")" "$new"
        mv "$new" "$data/clavitor.db"
        sync

        """
}
