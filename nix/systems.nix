# Every machine of the fleet, by name. `dist` has the static binaries, `revision` identifies nixpkgs, and `extra` has modules
# for all machines (used by checks).
{ nixpkgs, dist, fleet ? import ./fleet.nix { }, revision ? "", extra ? [ ], system ? "x86_64-linux" }:
builtins.mapAttrs
  (_: node: import (nixpkgs + "/nixos/lib/eval-config.nix") {
    inherit system;
    modules = [
      (import ./node.nix { inherit fleet node dist; })
      # The nixpkgs revision that `clavitor-soc status` shows.
      { environment.etc."clavitor-revision".text = "${revision}\n"; }
    ] ++ extra;
  })
  fleet.byName
