# A spoke of the management network: it connects to the hub, and accepts only the hub.
{ fleet, node }:
{
  networking.wireguard.interfaces.wg0 = {
    ips = [ "${node.address}/32" ];
    peers = [
      {
        publicKey = fleet.hub.public-key;
        # Not the whole network: a compromised spoke must not reach this one.
        allowedIPs = [ "${fleet.hub.address}/32" ];
        # An address, not a name: WireGuard drops a peer whose name does not resolve at boot.
        endpoint = "${fleet.hub.ipv4}:${toString fleet.port}";
        persistentKeepalive = 25;
      }
    ];
  };

  services.openssh.extraConfig = "AllowTcpForwarding no";
}
