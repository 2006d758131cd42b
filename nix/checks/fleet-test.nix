# A hub, a node and a fake CA in three virtual machines, built from the fleet's template.
{ pkgs, dist }:
let
  # WireGuard and SSH keys that nixpkgs publishes for tests, so that no key of this project is here.
  snakeoil = import (pkgs.path + "/nixos/tests/wireguard/snakeoil-keys.nix");
  sshKeys = import (pkgs.path + "/nixos/tests/ssh-keys.nix") pkgs;
  raw = builtins.fromTOML (builtins.readFile ../fleet.toml);

  # The test network numbers machines in the order of their names: ca 1, tokyo 2, zurich 3.
  addresses = { tokyo = "192.168.1.2"; zurich = "192.168.1.3"; };
  peers = { tokyo = snakeoil.peer0; zurich = snakeoil.peer1; };
  fleet = import ../fleet.nix {
    fleet = raw // {
      node = map (n: n // { public-key = peers.${n.name}.publicKey; ipv4 = addresses.${n.name}; })
        (builtins.filter (n: addresses ? ${n.name}) raw.node);
      # At least one operator is required. The test signs in with the key below.
      operator = [
        {
          name = "soc";
          address = "10.84.0.200";
          # A placeholder with the format of a key.
          public-key = builtins.substring 0 43 (builtins.hashString "sha256" "soc") + "=";
          ssh-key = "ssh-ed25519 AAAA";
        }
      ];
      break-glass.enabled = false;
      break-glass.ssh-key = "";
      break-glass.from = [ ];
      backup.enabled = false;
      notify.enabled = false;
    };
  };

  machine = name: { lib, ... }: {
    imports = [ (import ../node.nix { inherit fleet dist; node = fleet.byName.${name}; }) ];
    services.clavitor.settings = {
      acme-directory = [ "https://ca:14000/dir" ];
      acme-ca-file = "/etc/clavitor/ca.pem";
      push-every = "1s";
    };
    users.users.root.openssh.authorizedKeys.keys = [ "from=\"10.84.0.1\" ${sshKeys.snakeOilPublicKey}" ];
    environment.etc."wireguard/private.key" = { text = peers.${name}.privateKey; mode = "0400"; };
    environment.systemPackages = [ pkgs.openssl pkgs.wireguard-tools ];
    # The test framework has its own disk, boot loader, network and clock.
    networking.useDHCP = lib.mkForce false;
    services.timesyncd.enable = lib.mkForce false;
  };

  ca = {
    networking.firewall.enable = false;
    environment.systemPackages = [ pkgs.curl ];
    systemd.services.pebble = {
      wantedBy = [ "multi-user.target" ];
      path = [ pkgs.pebble pkgs.openssl ];
      environment.PEBBLE_VA_NOSLEEP = "1";
      serviceConfig.StateDirectory = "pebble";
      script = ''
        cd /var/lib/pebble
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=ca \
            -addext subjectAltName=DNS:ca -keyout key.pem -out ca.pem
        cat >pebble.json <<JSON
        {"pebble": {"listenAddress": "0.0.0.0:14000", "managementListenAddress": "0.0.0.0:15000", "certificate": "ca.pem",
         "privateKey": "key.pem", "httpPort": 80, "tlsPort": 443, "ocspResponderURL": "",
         "externalAccountBindingRequired": false}}
        JSON
        pebble-challtestsrv -http01 "" -https01 "" -tlsalpn01 "" -defaultIPv6 "" -defaultIPv4 ${addresses.tokyo} \
            -dns01 127.0.0.1:8053 &
        exec pebble -config pebble.json -dnsserver 127.0.0.1:8053
      '';
    };
  };
  test = {
    name = "clavitor-fleet";
    nodes = { inherit ca; tokyo = machine "tokyo"; zurich = machine "zurich"; };
    testScript = builtins.readFile ./fleet-test.py;
  };
in
# `testers` since 22.05.
if pkgs ? testers.nixosTest then pkgs.testers.nixosTest test else pkgs.nixosTest test
