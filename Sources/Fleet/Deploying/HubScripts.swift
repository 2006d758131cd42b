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
                printf 'deploy=%s\\nwho=%s\\nhost=%s\\nsince=%s\\n' "$1" "$2" "$3" "$4" >"$state/lock/owner.new"
                mv "$state/lock/owner.new" "$state/lock/owner"
            fi
            cat "$state/lock/owner" 2>/dev/null || echo "deploy="

            """)
    }

    /// Takes the deploy's id. Another's lock stays.
    package var unlock: NodeScript {
        NodeScript(
            "unlock", paths,
            """
            if grep -qx "deploy=$1" "$state/lock/owner" 2>/dev/null; then rm -rf "$state/lock"; fi

            """)
    }

    /// Takes the deploy's id and its line of JSON. Done twice it is there once.
    package var record: NodeScript {
        NodeScript(
            "record", paths,
            """
            mkdir -p "$state"
            if ! grep -qF "\\"deploy\\":\\"$1\\"" "$state/history.jsonl" 2>/dev/null; then
                printf '%s\\n' "$2" >>"$state/history.jsonl"
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
