# A spoke of the management network: it dials the hub, and hears the hub alone.
{ fleet, node }:
{
  networking.wireguard.interfaces.wg0 = {
    ips = [ "${node.address}/32" ];
    peers = [
      {
        publicKey = fleet.hub.public-key;
        # Not the whole network: another spoke, once broken into, must not get here.
        allowedIPs = [ "${fleet.hub.address}/32" ];
        # An address and no name: a name that does not resolve at boot leaves the peer out for good.
        endpoint = "${fleet.hub.ipv4}:${toString fleet.port}";
        persistentKeepalive = 25;
      }
    ];
  };

  services.openssh.extraConfig = "AllowTcpForwarding no";
}
