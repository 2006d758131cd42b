extension NodeScripts {
    /// Numbers of the profile's generations, and in `made` the deploys that made them. `take_away SYSTEM LEFT` makes the last
    /// one that has it the present one, and removes those above it; the system that is left stays for whoever asks why.
    static let generations = """
        present() {
            number=$(readlink "$profile" || true)
            number=${number#"${profile##*/}"-}
            number=${number%-link}
            case $number in '' | *[!0-9]*) echo 0 ;; *) echo "$number" ;; esac
        }
        generation=$(present)
        generations() {
            for link in "$profile"-*-link; do
                number=${link#"$profile"-}
                number=${number%-link}
                case $number in '' | *[!0-9]*) continue ;; esac
                echo "$number"
            done
        }
        take_away() {
            target=$1 back=0
            for number in $(generations); do
                if [ "$number" -le "$generation" ] && [ "$number" -gt "$back" ] &&
                    [ "$(readlink -f "$profile-$number-link")" = "$target" ]; then back=$number; fi
            done
            if [ "$back" -eq 0 ]; then echo "$target is no generation any more" >&2; return 1; fi
            ln -sfn "$2" "$gcroots/clavitor-failed"
            if [ "$back" -ne "$generation" ]; then "$nix_env" -p "$profile" --switch-generation "$back" >&2; fi
            for number in $(generations); do
                if [ "$number" -le "$back" ]; then continue; fi
                rm -f "$state/made/$number"
                "$nix_env" -p "$profile" --delete-generations "$number" >&2
            done
        }

        """

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
    /// switch-to-configuration, so it is ended first. The failed system stays for whoever asks why. Nothing but the old
    /// system's activation may be needed: the new one may have filled the disk, or broken it.
    static let rollback = """
        set +e
        dir=$1 id=$2
        mv "$dir/pending" "$dir/expired" 2>/dev/null || [ -e "$dir/pending" ] || exit 0
        log=$dir/rollback.log
        (: >>"$log") 2>/dev/null || log=/dev/null
        "$systemctl" stop "clavitor-activate-$id.service" 2>/dev/null || true
        status=1
        for _ in 1 2 3; do
            if "$(cat "$dir/previous")/bin/switch-to-configuration" test >>"$log" 2>&1; then
                status=0
                break
            fi
            sleep 2
        done
        mv -fT "$gcroots/clavitor-next" "$gcroots/clavitor-failed" 2>>"$log"
        mv "$dir/restored.$status" "$dir/restored" 2>>"$log"
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
