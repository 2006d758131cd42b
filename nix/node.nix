# The template: a machine's complete configuration from its inventory entry. It runs sshd and the vault.
{ fleet, node, dist }:
{ lib, pkgs, ... }:
{
  imports = [
    ./module.nix
    ./machine.nix
    (import ./management.nix { inherit fleet node; })
    (import ./break-glass.nix { inherit fleet; })
    (import ./ipv6.nix { inherit node; })
    (if node.role == "hub" then import ./hub.nix { inherit fleet node dist; } else import ./spoke.nix { inherit fleet node; })
  ];

  assertions = map (message: { assertion = false; inherit message; }) (fleet.problems ++ fleet.missingFor node);

  networking.hostName = node.name;
  # With UEFI, the boot loader is at the fallback path, because providers' firmware does not keep boot entries.
  boot.loader.grub = if node.esp == "" then { device = node.disk; } else {
    device = "nodev";
    efiSupport = true;
    efiInstallAsRemovable = true;
  };
  fileSystems = { "/" = { device = node.root; fsType = "ext4"; }; }
    // lib.optionalAttrs (node.esp != "") { "/boot" = { device = node.esp; fsType = "vfat"; options = [ "umask=0077" ]; }; };

  services.clavitor = {
    enable = true;
    package = pkgs.callPackage ./package.nix { inherit dist; };
    inherit (node) domain;
    openFirewall = true;
    rootKeyFile = "/etc/clavitor/root.key";
    pushUrlFiles = [ "/etc/clavitor/push-url" ];
    # Three quarters of the tier's memory: the rest is for the system, and for receiving a closure.
    memoryMax = lib.mkIf (fleet.tiers.${node.tier} ? memory-mb) "${toString (fleet.tiers.${node.tier}.memory-mb * 3 / 4)}M";
    settings = {
      acme-contact = fleet.contact;
      node-name = node.name;
      nodes = toString (pkgs.writeText "nodes.json" (builtins.toJSON fleet.nodesBody));
      # The monitor is reachable only through the tunnel, so its certificate is from a private CA.
      push-ca-file = "/etc/clavitor/monitor-ca.pem";
    } // lib.optionalAttrs (node.registration != "") { inherit (node) registration; }
    // lib.optionalAttrs (fleet.backup.recipients != [ ]) {
      backup-to = fleet.backup.target;
      backup-recipient = fleet.backup.recipients;
      backup-every = fleet.backup.every;
      backup-keep = fleet.backup.keep;
    };
  };

  # Without DNS: heartbeats continue if DNS fails, and they keep the tunnel open.
  networking.hosts.${fleet.hub.address} = [ fleet.monitor ];
}
