/// The scripts that run on a node during a deploy.
///
/// A deploy has a directory on the node, `deploy/<id>`. Its file `pending` is the open decision, which one atomic rename
/// makes: `confirm` renames it to `confirmed`, the timer and `abort` to `expired`. Until then the boot default is the old
/// system, so that a reboot rolls back too.
///
/// The profile's generations are the confirmed systems, in order. A rollback deletes the last one, so that the next rollback
/// goes one generation further back and never forward.
package struct DeployScripts: Sendable {
    private let paths: NodePaths

    package init(_ paths: NodePaths) {
        self.paths = paths
    }

    /// Prints facts about the node.
    package var facts: RemoteScript {
        RemoteScript(
            "facts", paths,
            Self.generations + """
                best=0
                for number in $(generations); do
                    if [ "$number" -lt "$generation" ] && [ "$number" -gt "$best" ]; then best=$number; fi
                done
                if [ -e "$current" ]; then echo "current=$(readlink -f "$current")"; fi
                echo "profile=$(readlink -f "$profile" || true)"
                echo "generation=$generation"
                if [ "$best" -gt 0 ]; then echo "previous=$(readlink -f "$profile-$best-link")"; fi
                echo "deploy=$(cat "$state/made/$generation" 2>/dev/null || true)"
                for dir in "$state"/deploy/*/; do
                    if [ -e "${dir}confirmed" ] && [ ! -e "${dir}kept" ] &&
                        [ "$(cat "${dir}target")" = "$(readlink -f "$current")" ]; then echo "unkept=yes"; fi
                    # A reboot ends the timer and has rolled back.
                    if [ ! -e "${dir}armed" ] || [ "$(cat "${dir}boot")" != "$(cat "$boot_id")" ]; then continue; fi
                    if [ ! -e "${dir}pending" ] && { [ ! -e "${dir}expired" ] || [ -e "${dir}restored" ]; }; then continue; fi
                    dir=${dir%/}
                    left=$(($(cat "$dir/deadline") - $(date +%s)))
                    # It rolled back, but could not record it on its disk.
                    if [ "$left" -lt -300 ] && [ "$(cat "$dir/previous")" = "$(readlink -f "$current")" ]; then continue; fi
                    echo "open=${dir##*/}"
                    echo "left=$left"
                done
                df -Pk "$store" | { read -r _; read -r _ _ _ free _; echo "free_kb=$free"; }
                echo "clock=$(date +%s)"
                echo "revision=$(cat "$current/etc/clavitor-revision" 2>/dev/null || true)"
                echo "unit=$("$systemctl" is-active "$unit" || true)"

                """)
    }

    /// Protects a copied system, which nothing refers to yet, from garbage collection. Argument: the system's path.
    package var hold: RemoteScript {
        RemoteScript(
            "hold", paths,
            """
            if [ ! -x "$1/bin/switch-to-configuration" ]; then echo "$1 is missing or not a system" >&2; exit 1; fi
            mkdir -p "$gcroots"
            ln -sfn "$1" "$gcroots/clavitor-next"

            """)
    }

    /// Arms the timer and starts the activation; both continue without the connection. Arguments: the deploy's id, the
    /// system, the seconds until the rollback, the system that ran when the plan was made, and `back` for a rollback.
    /// Idempotent. Creates all files that a rollback needs in advance, because the disk may be full then.
    package var begin: RemoteScript {
        RemoteScript(
            "begin", paths,
            """
            id=$1 target=$2 seconds=$3
            dir=$state/deploy/$id
            if [ ! -x "$target/bin/switch-to-configuration" ]; then echo "$target is missing" >&2; exit 1; fi
            mkdir -p "$dir"
            if [ ! -e "$dir/prepared" ]; then
                previous=$(readlink -f "$current")
                if [ "$previous" != "${4:-$previous}" ]; then
                    echo "it runs $previous, but the plan was made for $4" >&2
                    exit 1
                fi
                if [ ! -x "$previous/bin/switch-to-configuration" ]; then
                    echo "no rollback is possible: $previous cannot be activated" >&2
                    exit 1
                fi
                echo "$previous" >"$dir/previous"
                echo "$target" >"$dir/target"
                if [ "${5:-}" = back ]; then : >"$dir/back"; fi
                : >"$dir/activation.log"
                : >"$dir/rollback.log"
                echo 0 >"$dir/restored.0"
                echo 1 >"$dir/restored.1"
                cat "$boot_id" >"$dir/boot"
                cat >"$dir/activate" <<'END'
            \(paths.prelude)\(Self.activate)END
                cat >"$dir/rollback" <<'END'
            \(paths.prelude)\(Self.rollback)END
                : >"$dir/pending"
                : >"$dir/prepared"
                sync
            fi
            if [ ! -e "$dir/started" ] && [ "$(cat "$dir/boot")" != "$(cat "$boot_id")" ]; then
                # A reboot removed the timer before the activation started.
                rm -f "$dir/armed" "$dir/activated"
                cat "$boot_id" >"$dir/boot"
            fi
            if [ ! -e "$dir/armed" ]; then
                echo $(($(date +%s) + seconds)) >"$dir/deadline"
                "$systemd_run" --quiet --collect --unit="clavitor-rollback-$id" --on-active="$seconds" \\
                    --timer-property=AccuracySec=1s --setenv=PATH="$PATH" /bin/sh "$dir/rollback" "$dir" "$id" ||
                    "$systemctl" is-active --quiet "clavitor-rollback-$id.timer"
                : >"$dir/armed"
            fi
            if [ ! -e "$dir/started" ]; then
                "$systemd_run" --quiet --collect --unit="clavitor-activate-$id" --setenv=PATH="$PATH" \\
                    /bin/sh "$dir/activate" "$dir" || "$systemctl" is-active --quiet "clavitor-activate-$id.service"
                : >"$dir/started"
            fi

            """ + Self.printState)
    }

    /// Prints the deploy's state. Argument: the deploy's id.
    package var state: RemoteScript {
        RemoteScript("state", paths, "id=$1\ndir=$state/deploy/$id\n" + Self.printState)
    }

    /// Confirms the new system, unless the timer has already decided. Idempotent.
    package var confirm: RemoteScript {
        RemoteScript(
            "confirm", paths,
            Self.generations + """
                id=$1
                dir=$state/deploy/$id
                target=$(cat "$dir/target")
                if [ ! -e "$dir/kept" ] && [ "$(readlink -f "$current")" = "$target" ]; then
                    if mv "$dir/pending" "$dir/confirmed" 2>/dev/null || [ -e "$dir/confirmed" ]; then
                        "$systemctl" stop "clavitor-rollback-$id.timer" 2>/dev/null || true
                        if [ -e "$dir/back" ]; then
                            roll_back "$target" "$(cat "$dir/previous")"
                        else
                            "$nix_env" -p "$profile" --set "$target" >&2
                            mkdir -p "$state/made"
                            echo "$id" >"$state/made/$(current_generation)"
                        fi
                        "$target/bin/switch-to-configuration" boot >>"$dir/activation.log" 2>&1
                        rm -f "$gcroots/clavitor-next"
                        : >"$dir/kept"
                        sync
                    fi
                fi

                """ + Self.printState)
    }

    /// Records that the node's present generation belongs to this deploy too. Arguments: the deploy's id and the system.
    package var join: RemoteScript {
        RemoteScript(
            "join", paths,
            Self.generations + """
                if [ "$(readlink -f "$current")" = "$2" ] && [ "$(readlink -f "$profile")" = "$2" ]; then
                    mkdir -p "$state/made"
                    echo "$1" >"$state/made/$generation"
                fi

                """)
    }

    /// Starts the rollback now instead of at the timer's end.
    package var abort: RemoteScript {
        RemoteScript(
            "abort", paths,
            """
            id=$1
            dir=$state/deploy/$id
            if [ -e "$dir/pending" ]; then
                "$systemd_run" --quiet --collect --unit="clavitor-abort-$id" --setenv=PATH="$PATH" \\
                    /bin/sh "$dir/rollback" "$dir" "$id" || true
            fi

            """ + Self.printState)
    }
}
