/// Nix command lines on the operator's machine, for Nix 2.4 and later.
///
/// Uses `nix-store --realise` rather than `nix build`, because in all versions it takes derivations and prints one path for
/// each, in order.
struct NixCommands {
    private static let features = ["--extra-experimental-features", "nix-command flakes"]

    let flake: Flake

    /// Overrides the input for the binaries, which are not in a repository and not in the lock.
    private var dist: [String] { ["--override-input", "dist", "path:\(flake.dist)"] }

    /// Evaluates the systems of these nodes together, and prints a JSON object of node and derivation.
    func evaluate(_ nodes: [Node]) -> ChildProcess {
        let names = nodes.map { "\"\($0.name)\"" }.joined(separator: " ")
        let apply = """
            systems: builtins.listToAttrs (map (name: { inherit name; \
            value = systems.${name}.config.system.build.toplevel.drvPath; }) [ \(names) ])
            """
        return ChildProcess(
            "nix",
            Self.features + ["eval", "--json", "\(flake.folder)#nixosConfigurations", "--apply", apply]
                + dist + ["--no-write-lock-file"],
            deadline: .seconds(3_600))
    }

    func realise(_ derivations: [String]) -> ChildProcess {
        ChildProcess("nix-store", ["--realise"] + derivations, deadline: .seconds(4 * 3_600))
    }

    /// Pins unpinned inputs.
    func lock() -> ChildProcess {
        ChildProcess("nix", Self.features + ["flake", "lock", flake.folder] + dist, deadline: .seconds(1_800))
    }

    /// Lists the packages that differ between two systems, one per line.
    static func difference(_ old: String, _ new: String) -> ChildProcess {
        ChildProcess("nix", features + ["store", "diff-closures", old, new], deadline: .seconds(300))
    }

    static func sizes(_ paths: [String]) -> ChildProcess {
        ChildProcess("nix", features + ["path-info", "--closure-size"] + paths, deadline: .seconds(60))
    }
}
