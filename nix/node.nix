# The template: a whole machine out of one entry of the inventory. Two processes, sshd and the vault.
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
  # By UEFI the boot loader lies where every firmware looks for it, since none of a provider's keeps entries for us.
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
    # Three quarters of what the tier has: the rest is for the system, and for a closure that arrives.
    memoryMax = lib.mkIf (fleet.tiers.${node.tier} ? memory-mb) "${toString (fleet.tiers.${node.tier}.memory-mb * 3 / 4)}M";
    settings = {
      acme-contact = fleet.contact;
      node-name = node.name;
      nodes = toString (pkgs.writeText "nodes.json" (builtins.toJSON fleet.nodesBody));
      # The monitor is reached through the tunnel alone, so its certificate is a private one.
      push-ca-file = "/etc/clavitor/monitor-ca.pem";
    } // lib.optionalAttrs (node.registration != "") { inherit (node) registration; }
    // lib.optionalAttrs (fleet.backup.recipients != [ ]) {
      backup-to = fleet.backup.target;
      backup-recipient = fleet.backup.recipients;
      backup-every = fleet.backup.every;
      backup-keep = fleet.backup.keep;
    };
  };

  # Not by DNS: heartbeats go on without it, and they keep the tunnel open.
  networking.hosts.${fleet.hub.address} = [ fleet.monitor ];
}
