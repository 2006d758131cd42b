/// What runs on a node when its vaults come back: POSIX sh, its arguments behind it.
enum RestoreScripts {
    /// Takes the data directory, the database's bytes and SHA-256, and `replace` or `keep`. The database is standard input.
    ///
    /// The node's service is stopped when everything has arrived, and started again whatever becomes of it. Its own start
    /// makes no empty vault while the new file is there (`clavitor-node init --if-empty`). systemd gives the files to the
    /// service's user, on a machine that does not know that user yet, too.
    static let place = """
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
            echo "the vaults did not arrive whole" >&2
            exit 1
        fi
        systemctl stop "$unit" 2>/dev/null || true
        if [ -e "$data/clavitor.db" ]; then
            if [ "$how" != replace ]; then
                echo "there are vaults already; --replace sets them aside" >&2
                exit 1
            fi
            aside=$data/replaced-$(date +%s)
            mkdir "$aside"
            for file in "$data"/clavitor.db* "$data/damaged"; do
                if [ -e "$file" ]; then mv "$file" "$aside/"; fi
            done
            echo "the vaults that were there are in $aside"
        fi
        chown "$(stat -c %u:%g "$data")" "$new"
        mv "$new" "$data/clavitor.db"
        sync

        """
}
