/// What keeps a node tidy between deploys.
package struct MaintenanceScripts: Sendable {
    private let paths: NodePaths

    package init(_ paths: NodePaths) {
        self.paths = paths
    }

    /// Two generations stay, the deploys that are still open, and the last one, of which somebody may still ask.
    /// `failed` as an argument lets go of the system that a rollback kept.
    package var collect: NodeScript {
        NodeScript(
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

    /// The node's own check of its audit chain.
    package var integrity: NodeScript {
        NodeScript("integrity", paths, "exec \"$admin\" audit verify 2>&1\n")
    }
}
