extension NodeScripts {
    /// Runs detached. A timer that fired first has decided already.
    static let activate = """
        dir=$1
        [ -e "$dir/pending" ] || exit 0
        status=0
        "$(cat "$dir/target")/bin/switch-to-configuration" test >"$dir/activation.log" 2>&1 || status=$?
        echo "$status" >"$dir/activated.new"
        mv "$dir/activated.new" "$dir/activated"

        """

    /// Runs detached, by the timer or by `abort`. An activation that hangs would hold the lock of
    /// switch-to-configuration, so it is ended first. The failed system stays for whoever asks why.
    static let rollback = """
        dir=$1 id=$2
        mv "$dir/pending" "$dir/expired" 2>/dev/null || exit 0
        "$systemctl" stop "clavitor-activate-$id.service" 2>/dev/null || true
        status=1
        for _ in 1 2 3; do
            if "$(cat "$dir/previous")/bin/switch-to-configuration" test >>"$dir/rollback.log" 2>&1; then
                status=0
                break
            fi
            sleep 2
        done
        mkdir -p "$gcroots"
        ln -sfn "$(cat "$dir/target")" "$gcroots/clavitor-failed"
        rm -f "$gcroots/clavitor-next"
        echo "$status" >"$dir/restored.new"
        mv "$dir/restored.new" "$dir/restored"
        "$systemctl" stop "clavitor-rollback-$id.timer" 2>/dev/null || true

        """

    /// The end of every script of a deploy: its state, as lines.
    static let tell = """
        phase=none
        if [ -e "$dir/prepared" ]; then
            phase=pending
            [ -e "$dir/started" ] || phase=prepared
            [ ! -e "$dir/expired" ] || phase=expired
            [ ! -e "$dir/restored" ] || phase=restored
            [ ! -e "$dir/confirmed" ] || phase=confirmed
            [ ! -e "$dir/kept" ] || phase=kept
            if [ -e "$dir/activated" ]; then echo "activated=$(cat "$dir/activated")"; fi
            if [ -e "$dir/restored" ]; then echo "restored=$(cat "$dir/restored")"; fi
            if [ -e "$dir/deadline" ]; then echo "left=$(($(cat "$dir/deadline") - $(date +%s)))"; fi
            echo "target=$(cat "$dir/target")"
            echo "previous=$(cat "$dir/previous")"
            if [ "$(cat "$dir/boot")" != "$(cat "$boot_id")" ]; then echo "rebooted=yes"; fi
        fi
        echo "phase=$phase"
        echo "current=$(readlink -f "$current" || true)"
        echo "unit=$("$systemctl" is-active "$unit" || true)"

        """
}
