/// Scripts for the deploy lock and the deploy history on the hub, shared by all operators.
package struct HubScripts: Sendable {
    private let paths: NodePaths

    package init(_ paths: NodePaths) {
        self.paths = paths
    }

    /// Takes the lock, a directory, because mkdir is atomic. Arguments: the deploy's id, operator, machine, time (Unix
    /// seconds), and `break` to break another lock.
    package var lock: RemoteScript {
        RemoteScript(
            "lock", paths,
            """
            mkdir -p "$state"
            if [ "${5:-}" = break ]; then rm -rf "$state/lock"; fi
            if mkdir "$state/lock" 2>/dev/null; then
                # Otherwise a full disk would leave a lock without owner.
                trap 'rm -rf "$state/lock"' EXIT
                printf 'deploy=%s\\nwho=%s\\nhost=%s\\nsince=%s\\n' "$1" "$2" "$3" "$4" >"$state/lock/owner.new"
                mv "$state/lock/owner.new" "$state/lock/owner"
                trap - EXIT
            fi

            """ + Self.printOwner)
    }

    /// Prints the owner of the lock; empty if it is free.
    package var owner: RemoteScript { RemoteScript("owner", paths, Self.printOwner) }

    private static let printOwner = """
        cat "$state/lock/owner" 2>/dev/null || echo "deploy="

        """

    /// Argument: the deploy's id. The lock of another deploy is not removed.
    package var unlock: RemoteScript {
        RemoteScript(
            "unlock", paths,
            """
            if grep -qx "deploy=$1" "$state/lock/owner" 2>/dev/null; then rm -rf "$state/lock"; fi

            """)
    }

    /// Appends to the history. Arguments: the deploy's id and its line of JSON. Idempotent; a partial line from a full disk
    /// is ignored and does not corrupt the next one.
    package var record: RemoteScript {
        RemoteScript(
            "record", paths,
            """
            mkdir -p "$state"
            history=$state/history.jsonl
            if ! grep -F "\\"deploy\\":\\"$1\\"" "$history" 2>/dev/null | grep -q '"who":.*}$'; then
                if [ -n "$(tail -c 1 "$history" 2>/dev/null)" ]; then echo >>"$history"; fi
                printf '%s\\n' "$2" >>"$history"
                sync
            fi

            """)
    }

    /// Prints the end of the history. Argument: the number of lines.
    package var history: RemoteScript {
        RemoteScript(
            "history", paths,
            """
            if [ -e "$state/history.jsonl" ]; then tail -n "$1" "$state/history.jsonl"; fi

            """)
    }
}
