# Stands in for nix/flake.nix where no NixOS can run: the same inventory, the same checks of it and the same shape, and systems
# of a few files that switch-to-configuration beside this one makes a machine of. Built and copied by the real Nix.
{
  inputs.nixpkgs = { url = "git+file:///root/nixpkgs?ref=nixos-26.05"; flake = false; };
  inputs.dist = { url = "path:../dist"; flake = false; };

  outputs = { self, nixpkgs, dist }:
    let
      inherit (builtins) concatStringsSep mapAttrs readFile;
      fleet = import ./fleet.nix { };
      glass = import ./break-glass-files.nix { inherit fleet; };
      lines = map (text: "${text}\n");
      text = list: concatStringsSep "" (lines list);
      quoted = list: concatStringsSep ", " (map (word: "\"${word}\"") list);

      # nix/hub.nix and nix/spoke.nix: each peer has one address, and a spoke knows the hub alone.
      peers = node:
        if node.role == "hub"
        then map (peer: "${peer.public-key} allowed-ips ${peer.address}/32") (fleet.spokes ++ fleet.operators)
        else [ "${fleet.hub.public-key} allowed-ips ${fleet.hub.address}/32 endpoint ${fleet.hub.ipv4}:${toString fleet.port} persistent-keepalive 5" ];
      # nix/management.nix: on a spoke every operator comes from the hub.
      from = node: operator: if node.role == "hub" then operator.address else fleet.hub.address;

      system = name: node:
        let isHub = node.role == "hub"; faults = fleet.problems ++ fleet.missingFor node; in
        if faults != [ ] then throw (concatStringsSep "\n" faults) else {
          config.system.build.toplevel = derivation {
            name = "nixos-system-${name}-${readFile "${dist}/version"}";
            system = "x86_64-linux";
            builder = "/bin/sh";
            allowSubstitutes = false;
            inherit dist;
            switch = ./switch;
            programs = if isHub then "clavitor-node clavitor-monitor" else "clavitor-node";
            revision = nixpkgs.rev;
            inherit (node) address;
            listen = if isHub then "listen-port ${toString fleet.port}" else "";
            peers = text (peers node);
            hosts = "${fleet.hub.address} ${fleet.monitor}\n";
            keys = text (map (o: "from=\"${from node o}\" ${o.ssh-key}") fleet.operators);
            access = builtins.toJSON fleet.access;
            glassConfig = glass.sshd-config;
            glassKeys = glass.authorized-keys;
            inherit (fleet.backup) target;
            recipients = concatStringsSep " " (map (one: "--backup-recipient ${one}") fleet.backup.recipients);
            # nix/node.nix, with a CA of this machine.
            settings = text [
              "https = \"${node.ipv4}:443\""
              "http = \"${node.ipv4}:80\""
              "domain = [\"${node.domain}\"]"
              "node-name = \"${name}\""
              "registration = \"open\""
              "acme-directory = [\"https://203.0.113.53:14000/dir\"]"
              "acme-ca-file = \"/mnt/pebble.pem\""
              "push-url-file = [\"/etc/clavitor/push-url\"]"
              "push-ca-file = \"/etc/clavitor/monitor-ca.pem\""
              "push-every = \"6s\""
              "backup-to = \"${fleet.backup.target}\""
              "backup-recipient = [${quoted fleet.backup.recipients}]"
            ];
            args = [
              "-ec"
              ''
                PATH=/usr/bin:/bin
                mkdir -p $out/bin $out/sw $out/etc
                for program in $programs; do cp $dist/$program $out/sw/; done
                install -m 0755 $switch $out/bin/switch-to-configuration
                for file in address listen peers hosts keys access glassConfig glassKeys target recipients settings; do
                  eval "printf '%s' \"\$$file\"" >$out/etc/$file
                done
                echo $revision >$out/etc/clavitor-revision
              ''
            ];
          };
        };
    in
    { nixosConfigurations = mapAttrs system fleet.byName; };
}
