extension DeployScripts {
    /// Shell functions for the profile's generations; `made` has the deploy of each. `roll_back SYSTEM FAILED` switches to the
    /// last generation with the system and deletes those above it; the failed system is kept for diagnosis.
    static let generations = """
        current_generation() {
            number=$(readlink "$profile" || true)
            number=${number#"${profile##*/}"-}
            number=${number%-link}
            case $number in '' | *[!0-9]*) echo 0 ;; *) echo "$number" ;; esac
        }
        generation=$(current_generation)
        generations() {
            for link in "$profile"-*-link; do
                number=${link#"$profile"-}
                number=${number%-link}
                case $number in '' | *[!0-9]*) continue ;; esac
                echo "$number"
            done
        }
        roll_back() {
            target=$1 back=0
            for number in $(generations); do
                if [ "$number" -le "$generation" ] && [ "$number" -gt "$back" ] &&
                    [ "$(readlink -f "$profile-$number-link")" = "$target" ]; then back=$number; fi
            done
            if [ "$back" -eq 0 ]; then echo "no generation has $target any more" >&2; return 1; fi
            ln -sfn "$2" "$gcroots/clavitor-failed"
            if [ "$back" -ne "$generation" ]; then "$nix_env" -p "$profile" --switch-generation "$back" >&2; fi
            for number in $(generations); do
                if [ "$number" -le "$back" ]; then continue; fi
                rm -f "$state/made/$number"
                "$nix_env" -p "$profile" --delete-generations "$number" >&2
            done
        }

        """

    /// Activates the new system, detached. Does nothing if the timer has already decided.
    package static let activate = """
        dir=$1
        [ -e "$dir/pending" ] || exit 0
        status=0
        "$(cat "$dir/target")/bin/switch-to-configuration" test >"$dir/activation.log" 2>&1 || status=$?
        echo "$status" >"$dir/activated.new"
        mv "$dir/activated.new" "$dir/activated"

        """

    /// Rolls back, detached, started by the timer or by `abort`. Stops a hanging activation first, because it holds the lock
    /// of switch-to-configuration. The failed system is kept for diagnosis. Depends on nothing but the old system's
    /// activation: the new system may have filled or broken the disk.
    package static let rollback = """
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

    /// Prints the state of the deploy as lines; the end of every script of a deploy.
    static let printState = """
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
