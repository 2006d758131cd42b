/// Maintenance scripts: garbage collection and integrity check.
package struct MaintenanceScripts: Sendable {
    private let paths: NodePaths

    package init(_ paths: NodePaths) {
        self.paths = paths
    }

    /// Collects garbage. Keeps two generations, and the directories of unfinished deploys and of the last one. Argument:
    /// `failed` to also remove the system that a rollback kept.
    package var collect: RemoteScript {
        RemoteScript(
            "collect", paths,
            """
            free() { df -Pk "$store" | { read -r _; read -r _ _ _ kb _; echo "$kb"; }; }
            echo "free_kb=$(free)"
            last=
            for dir in "$state"/deploy/*/; do
                # Ids begin with the time, so that the last comes last.
                if [ -n "$last" ] && { [ -e "${last}kept" ] || [ -e "${last}restored" ]; }; then rm -rf "$last"; fi
                last=$dir
            done
            if [ "${1:-}" = failed ]; then rm -f "$gcroots/clavitor-failed"; fi
            "$nix_env" -p "$profile" --delete-generations +2 >&2
            "$nix_store" --gc >&2
            echo "free_after_kb=$(free)"

            """)
    }

    /// Verifies the node's audit chain.
    package var integrity: RemoteScript {
        RemoteScript("integrity", paths, "exec \"$admin\" audit verify 2>&1\n")
    }
}
