{
  description = "A Clavitor fleet: machines, modules and packages";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-26.05";

  # The static binaries. They are not in Git: run `make static` first, and pass their path to every command:
  #     nix build ./nix#nixosConfigurations.tokyo.config.system.build.toplevel --override-input dist path:$PWD/dist
  inputs.dist = { url = "path:../dist"; flake = false; };

  outputs = { self, nixpkgs, dist }:
    let
      system = "x86_64-linux";
      pkgs = nixpkgs.legacyPackages.${system};
      package = program: pkgs.callPackage ./package.nix { inherit dist program; };

      # Placeholders with the format of a key: hashes of names. `scripts/check-nix` generates real keys.
      formOf = name: builtins.substring 0 43 (builtins.hashString "sha256" name) + "=";
      names = builtins.attrNames self.nixosConfigurations ++ [ "soc" ];
      fixture = {
        keys = builtins.listToAttrs (map (name: { inherit name; value = formOf name; }) names);
        sshKey = "ssh-ed25519 ${formOf "ssh"} check";
      };
      examined = node: (import ./checks/systems.nix (fixture // { inherit nixpkgs dist node; })).report.wrong;
      passes = name: wrong:
        if wrong == [ ] then pkgs.runCommand name { } "touch $out" else throw (builtins.concatStringsSep "\n" wrong);
    in
    {
      nixosModules = { clavitor = ./module.nix; clavitor-monitor = ./monitor.nix; };

      # One for each entry of fleet.toml. Evaluated and built by the SOC, then copied to the node: see machine.nix.
      nixosConfigurations = import ./systems.nix {
        inherit nixpkgs dist;
        revision = nixpkgs.rev or nixpkgs.narHash;
      };

      packages.${system} = {
        clavitor-node = package "clavitor-node";
        clavitor-monitor = package "clavitor-monitor";
      };

      checks.${system} = {
        inventory = passes "inventory" (import ./checks/pure.nix fixture);
        spoke = passes "spoke" (examined "tokyo");
        hub = passes "hub" (examined "zurich");
        fleet = import ./checks/fleet-test.nix { inherit pkgs dist; };
      };
    };
}
