/// What the hub keeps for all operators: who deploys now, and what was done.
package struct HubScripts: Sendable {
    private let paths: NodePaths

    package init(_ paths: NodePaths) {
        self.paths = paths
    }

    /// One directory, because making one is atomic. Takes the deploy's id, who, from which machine, since when (Unix
    /// seconds) and `break` to end another's lock.
    package var lock: NodeScript {
        NodeScript(
            "lock", paths,
            """
            mkdir -p "$state"
            if [ "${5:-}" = break ]; then rm -rf "$state/lock"; fi
            if mkdir "$state/lock" 2>/dev/null; then
                # Else a full disk would leave a lock of nobody.
                trap 'rm -rf "$state/lock"' EXIT
                printf 'deploy=%s\\nwho=%s\\nhost=%s\\nsince=%s\\n' "$1" "$2" "$3" "$4" >"$state/lock/owner.new"
                mv "$state/lock/owner.new" "$state/lock/owner"
                trap - EXIT
            fi

            """ + Self.tellOwner)
    }

    /// Who has the lock; nobody's is empty.
    package var owner: NodeScript { NodeScript("owner", paths, Self.tellOwner) }

    private static let tellOwner = """
        cat "$state/lock/owner" 2>/dev/null || echo "deploy="

        """

    /// Takes the deploy's id. Another's lock stays.
    package var unlock: NodeScript {
        NodeScript(
            "unlock", paths,
            """
            if grep -qx "deploy=$1" "$state/lock/owner" 2>/dev/null; then rm -rf "$state/lock"; fi

            """)
    }

    /// Takes the deploy's id and its line of JSON. Done twice it is there once; what a full disk left of it does not
    /// count, and does not spoil the next.
    package var record: NodeScript {
        NodeScript(
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

    /// Takes how many lines.
    package var history: NodeScript {
        NodeScript(
            "history", paths,
            """
            if [ -e "$state/history.jsonl" ]; then tail -n "$1" "$state/history.jsonl"; fi

            """)
    }
}
