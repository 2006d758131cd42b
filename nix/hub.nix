# The hub: the spokes' only peer, the operators' jump host, and the machine of the monitor.
{ fleet, node, dist }:
{ lib, pkgs, ... }:
let
  spokes = map (n: { inherit (n) public-key address; }) fleet.spokes;
  credentials = "/run/credentials/clavitor-monitor.service";

  # Each channel's secrets are files that `clavitor-soc secrets` installs, passed to the monitor as credentials.
  secretName = channel: part: "channel-${channel.settings.name}-${part}";
  secretsOf = channel: lib.listToAttrs (map (part: lib.nameValuePair (secretName channel part)
    "/etc/clavitor/${secretName channel part}") channel.secrets);
  settingsOf = channel: channel.settings // lib.listToAttrs (map (part: lib.nameValuePair "${part}-file"
    "${credentials}/${secretName channel part}") channel.secrets);
  orNone = lib.optionalAttrs;
in
{
  imports = [ ./monitor.nix ];

  networking.wireguard.interfaces.wg0 = {
    ips = [ "${node.address}/24" ];
    listenPort = fleet.port;
    # Each peer may use only its own address.
    peers = map (peer: { publicKey = peer.public-key; allowedIPs = [ "${peer.address}/32" ]; }) (spokes ++ fleet.operators);
  };
  networking.firewall.allowedUDPPorts = [ fleet.port ];

  # The hub forwards nothing: routing is off, and even if something enables it, peers are isolated.
  boot.kernel.sysctl = {
    "net.ipv4.ip_forward" = 0;
    "net.ipv4.conf.all.forwarding" = 0;
    "net.ipv6.conf.all.forwarding" = 0;
  };
  networking.firewall.extraCommands = ''
    ip46tables -D FORWARD -i wg0 -j DROP 2>/dev/null || true
    ip46tables -I FORWARD -i wg0 -j DROP
  '';
  networking.firewall.extraStopCommands = "ip46tables -D FORWARD -i wg0 -j DROP 2>/dev/null || true";

  # Operators reach spokes with `ssh -J` through the hub; it permits only the spokes' sshd.
  services.openssh.extraConfig = ''
    AllowTcpForwarding local
    PermitOpen ${lib.concatMapStringsSep " " (spoke: "${spoke.address}:22") fleet.spokes}
  '';

  # Node and monitor share the machine, so each binds one address: the node the public one, the monitor the tunnel's,
  # which only nodes and operators can reach.
  services.clavitor.settings = { https = "${node.ipv4}:443"; http = "${node.ipv4}:80"; };
  services.clavitor-monitor = {
    enable = true;
    package = pkgs.callPackage ./package.nix { inherit dist; program = "clavitor-monitor"; };
    credentials = lib.foldl' (all: channel: all // secretsOf channel)
      ({ tls-cert = "/etc/clavitor/monitor.crt"; tls-key = "/etc/clavitor/monitor.key"; }
        // orNone fleet.hasDeadManSwitch { dead-man-url = "/etc/clavitor/dead-man-url"; })
      fleet.channels;
    settings = {
      https = "${node.address}:443";
      tls-cert = "${credentials}/tls-cert";
      tls-key = "${credentials}/tls-key";
      nodes = toString (pkgs.writeText "nodes.json" (builtins.toJSON fleet.nodesBody));
      dashboard = "https://${fleet.monitor}";
      access-file = toString (pkgs.writeText "access.json" (builtins.toJSON fleet.access));
    } // orNone fleet.hasDeadManSwitch { dead-man-url-file = "${credentials}/dead-man-url"; }
    // orNone (fleet.channels != [ ]) { channel = map settingsOf fleet.channels; }
    // orNone (fleet.routes != [ ]) { route = fleet.routes; }
    // orNone (fleet.backup.recipients != [ ]) {
      backup-to = "${fleet.backup.target}-monitor";
      backup-recipient = fleet.backup.recipients;
      backup-every = fleet.backup.every;
      backup-keep = fleet.backup.keep;
    };
  };
}
