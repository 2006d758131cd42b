# Every machine of the fleet, by name. `dist` has the static binaries, `revision` identifies nixpkgs, `extra` are modules for all (checks use it).
{ nixpkgs, dist, fleet ? import ./fleet.nix { }, revision ? "", extra ? [ ], system ? "x86_64-linux" }:
builtins.mapAttrs
  (_: node: import (nixpkgs + "/nixos/lib/eval-config.nix") {
    inherit system;
    modules = [
      (import ./node.nix { inherit fleet node dist; })
      # Of nixpkgs: what `clavitor-soc status` shows.
      { environment.etc."clavitor-revision".text = "${revision}\n"; }
    ] ++ extra;
  })
  fleet.byName
