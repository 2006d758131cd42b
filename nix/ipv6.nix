# The public IPv6 address in the inventory and in DNS, in addition to those from router advertisements.
{ node }:
{ lib, pkgs, ... }:
lib.mkIf (node.ipv6 != "") {
  systemd.services.public-ipv6 = {
    description = "The machine's public IPv6 address";
    wantedBy = [ "multi-user.target" ];
    before = [ "clavitor-node.service" ];
    wants = [ "network-online.target" ];
    after = [ "network-online.target" ];
    path = [ (pkgs.iproute2 or pkgs.iproute) ];
    serviceConfig = { Type = "oneshot"; RemainAfterExit = true; };
    # The interface's name depends on the provider: it is the one with the default route.
    script = ''
      read -r _ _ _ _ device _ <<< "$(ip -4 -oneline route show default)"
      ip -6 address replace ${node.ipv6}/64 dev "$device"
    '';
  };
}
