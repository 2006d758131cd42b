/// The node's side of a deploy.
///
/// A deploy has a directory on the node, `deploy/<id>`. In it one file, `pending`, is the decision that is still open:
/// whoever renames it has decided. `confirm` renames it to `confirmed`, the timer and `abort` to `expired`, and a rename
/// happens once. Until then the system runs as a test: the boot default is the old one, so that a reboot decides too.
///
/// The profile's generations are what was kept, in order. A rollback takes the last one away, so that the next rollback
/// goes one further back and never forward.
package struct NodeScripts: Sendable {
    private let paths: NodePaths

    package init(_ paths: NodePaths) {
        self.paths = paths
    }

    /// What a node is and has: `facts`.
    package var facts: NodeScript {
        NodeScript(
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
                    # A timer does not outlive a reboot, which has decided.
                    if [ ! -e "${dir}armed" ] || [ "$(cat "${dir}boot")" != "$(cat "$boot_id")" ]; then continue; fi
                    if [ ! -e "${dir}pending" ] && { [ ! -e "${dir}expired" ] || [ -e "${dir}restored" ]; }; then continue; fi
                    dir=${dir%/}
                    left=$(($(cat "$dir/deadline") - $(date +%s)))
                    # It went back, and its disk did not take that down.
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

    /// After the copy: keeps the collector away from a system that nothing refers to yet. Takes the system's path.
    package var hold: NodeScript {
        NodeScript(
            "hold", paths,
            """
            if [ ! -x "$1/bin/switch-to-configuration" ]; then echo "$1 is no system, or not here" >&2; exit 1; fi
            mkdir -p "$gcroots"
            ln -sfn "$1" "$gcroots/clavitor-next"

            """)
    }

    /// Arms the timer, then starts the activation; both outlive the connection. Takes the deploy's id, the system and
    /// the seconds until the node goes back, the system that the plan found and `back` for a rollback. Done twice it does
    /// what is left to do. All files that going back needs are made here: then the disk may be full.
    package var begin: NodeScript {
        NodeScript(
            "begin", paths,
            """
            id=$1 target=$2 seconds=$3
            dir=$state/deploy/$id
            if [ ! -x "$target/bin/switch-to-configuration" ]; then echo "$target is not here" >&2; exit 1; fi
            mkdir -p "$dir"
            if [ ! -e "$dir/prepared" ]; then
                previous=$(readlink -f "$current")
                if [ "$previous" != "${4:-$previous}" ]; then
                    echo "it runs $previous by now, and the plan was made for $4" >&2
                    exit 1
                fi
                if [ ! -x "$previous/bin/switch-to-configuration" ]; then
                    echo "there is no way back: $previous cannot be activated" >&2
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
                # The timer is gone, and nothing has begun.
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

            """ + Self.tell)
    }

    /// How far it is. Takes the deploy's id.
    package var state: NodeScript {
        NodeScript("state", paths, "id=$1\ndir=$state/deploy/$id\n" + Self.tell)
    }

    /// Decides for the new system, unless the timer decided before. Done twice it does what is left to do.
    package var confirm: NodeScript {
        NodeScript(
            "confirm", paths,
            Self.generations + """
                id=$1
                dir=$state/deploy/$id
                target=$(cat "$dir/target")
                if [ ! -e "$dir/kept" ] && [ "$(readlink -f "$current")" = "$target" ]; then
                    if mv "$dir/pending" "$dir/confirmed" 2>/dev/null || [ -e "$dir/confirmed" ]; then
                        "$systemctl" stop "clavitor-rollback-$id.timer" 2>/dev/null || true
                        if [ -e "$dir/back" ]; then
                            take_away "$target" "$(cat "$dir/previous")"
                        else
                            "$nix_env" -p "$profile" --set "$target" >&2
                            mkdir -p "$state/made"
                            echo "$id" >"$state/made/$(present)"
                        fi
                        "$target/bin/switch-to-configuration" boot >>"$dir/activation.log" 2>&1
                        rm -f "$gcroots/clavitor-next"
                        : >"$dir/kept"
                        sync
                    fi
                fi

                """ + Self.tell)
    }

    /// A node that runs what is deployed has it of this deploy, too. Takes the deploy's id and the system.
    package var join: NodeScript {
        NodeScript(
            "join", paths,
            Self.generations + """
                if [ "$(readlink -f "$current")" = "$2" ] && [ "$(readlink -f "$profile")" = "$2" ]; then
                    mkdir -p "$state/made"
                    echo "$1" >"$state/made/$generation"
                fi

                """)
    }

    /// Decides for the old system now instead of at the timer's end.
    package var abort: NodeScript {
        NodeScript(
            "abort", paths,
            """
            id=$1
            dir=$state/deploy/$id
            if [ -e "$dir/pending" ]; then
                "$systemd_run" --quiet --collect --unit="clavitor-abort-$id" --setenv=PATH="$PATH" \\
                    /bin/sh "$dir/rollback" "$dir" "$id" || true
            fi

            """ + Self.tell)
    }
}
