# The hub: the spokes' only peer, the operators' way to them, and the place of the monitor.
{ fleet, node, dist }:
{ lib, pkgs, ... }:
let
  spokes = map (n: { inherit (n) public-key address; }) fleet.spokes;
  credentials = "/run/credentials/clavitor-monitor.service";
in
{
  imports = [ ./monitor.nix ];

  networking.wireguard.interfaces.wg0 = {
    ips = [ "${node.address}/24" ];
    listenPort = fleet.port;
    # Each peer may speak for its own address alone.
    peers = map (peer: { publicKey = peer.public-key; allowedIPs = [ "${peer.address}/32" ]; }) (spokes ++ fleet.operators);
  };
  networking.firewall.allowedUDPPorts = [ fleet.port ];

  # The hub forwards nothing: not by routing, and if something turns routing on, not between peers.
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

  # `ssh -J` through the hub is an operator's way to a spoke; it leads to the spokes' sshd and nowhere else.
  services.openssh.extraConfig = ''
    AllowTcpForwarding local
    PermitOpen ${lib.concatMapStringsSep " " (spoke: "${spoke.address}:22") fleet.spokes}
  '';

  # Node and monitor share the machine, so each takes the ports of one address: the node the public one, the monitor
  # that in the tunnel, where nobody but nodes and operators can speak to it.
  services.clavitor.settings = { https = "${node.ipv4}:443"; http = "${node.ipv4}:80"; };
  services.clavitor-monitor = {
    enable = true;
    package = pkgs.callPackage ./package.nix { inherit dist; program = "clavitor-monitor"; };
    credentials = { tls-cert = "/etc/clavitor/monitor.crt"; tls-key = "/etc/clavitor/monitor.key"; };
    settings = {
      https = "${node.address}:443";
      tls-cert = "${credentials}/tls-cert";
      tls-key = "${credentials}/tls-key";
      nodes = toString (pkgs.writeText "nodes.json" (builtins.toJSON fleet.nodesBody));
      dashboard = "https://${fleet.monitor}";
    };
  };
}
