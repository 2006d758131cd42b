# A module that violates each sentence of machine.nix. If the check does not report the sentence, the check is broken.
{ lib, options, node }:
let
  password = value: if options.services.openssh ? settings
    then { services.openssh.settings.PasswordAuthentication = force value; }
    else { services.openssh.passwordAuthentication = force value; };
  force = lib.mkForce;
  peer = allowedIPs: endpoint: { publicKey = node.public-key; inherit allowedIPs endpoint; persistentKeepalive = 25; };
  wg0 = change: { networking.wireguard.interfaces.wg0 = change; };
  sshd = line: { services.openssh.extraConfig = line; };
  unit = change: { systemd.services.clavitor-node.serviceConfig = change; };
in
{
  spoke = {
    "assertions hold" = { services.clavitor.settings.domain = force [ "osaka.clavitor.com" ]; };
    "it has its name" = { networking.hostName = force "osaka"; };
    "sshd listens on the WireGuard address alone" = { services.openssh.listenAddresses = [ { addr = "0.0.0.0"; port = 22; } ]; };
    "sshd is not started by a socket" = { services.openssh.startWhenNeeded = force true; };
    "sshd survives the boot race" = [
      { boot.kernel.sysctl."net.ipv4.ip_nonlocal_bind" = force 0; }
      { systemd.services.sshd.after = force [ "network.target" ]; }
      { systemd.services.sshd.requires = [ "wireguard-wg0.service" ]; }
      { systemd.services.sshd.serviceConfig.Restart = force "no"; }
    ];
    "sshd takes keys only" = [ (sshd "AuthenticationMethods any") (password true) ];
    "sshd takes keys of the system only" = { services.openssh.authorizedKeysFiles = force [ ".ssh/authorized_keys" ]; };
    "every key is good from one address" = { users.users.root.openssh.authorizedKeys.keys = [ "ssh-ed25519 AAAA" ]; };
    "sshd forwards no agent, and to spokes alone" = sshd "PermitOpen any";
    "the firewall opens 80 and 443" = { services.openssh.openFirewall = force true; };
    "the firewall opens WireGuard on the hub alone" = { networking.firewall.allowedUDPPorts = [ 51820 ]; };
    "the firewall opens no range and trusts no interface" = { networking.firewall.trustedInterfaces = [ "wg0" ]; };
    "the tunnel lets sshd in" = { networking.firewall.interfaces.eth0.allowedTCPPorts = [ 22 ]; };
    "a spoke hears the hub alone" = wg0 { peers = force [ (peer [ "10.84.0.0/24" ] "203.0.113.1:51820") ]; };
    "a spoke dials an address and keeps at it" = wg0 { peers = force [ (peer [ "10.84.0.1/32" ] "zurich.clavitor.com:51820") ]; };
    "the programs are hardened" = unit { ProtectSystem = force "full"; };
    "the programs have their own users" = unit { User = force "root"; };
    "secrets come as credentials" = [
      (unit { EnvironmentFile = "/etc/clavitor/env"; })
      { services.clavitor.rootKeyFile = force null; }
    ];
    "no secret is in the store" = wg0 { privateKeyFile = force "${builtins.storeDir}/private.key"; };
    "the database is where only it may write" = unit { StateDirectoryMode = force "0755"; };
    "heartbeats need no DNS" = { networking.hosts = force { }; };
    "nothing is evaluated here" = { system.autoUpgrade.enable = force true; };
    "two generations are kept" = [
      { boot.loader.grub.configurationLimit = force 50; }
      { systemd.services.nix-gc.preStart = force "true"; }
    ];
    "it is small and keeps the time" = [
      { services.timesyncd.enable = force false; }
      { systemd.services.clock-is-set.before = force [ ]; }
    ];
    "it has the address that its name leads to" = { systemd.services.public-ipv6.script = force "true"; };
    "nobody becomes a user by hand" = { users.mutableUsers = force true; };
    "no other service runs" = { services.cron.enable = true; services.cron.systemCronJobs = [ "@daily root true" ]; };
    "break-glass is shut" = { systemd.services.break-glass.wantedBy = [ "multi-user.target" ]; };
  };
  hub = {
    "the hub hears each peer for one address" = wg0 {
      peers = [ { publicKey = node.public-key; allowedIPs = [ "10.84.0.0/24" ]; } ];
    };
    "the hub forwards nothing" = { boot.kernel.sysctl."net.ipv4.ip_forward" = force 1; };
    "node and monitor do not meet on a port" = { services.clavitor.settings.https = force "0.0.0.0:443"; };
    "sshd forwards no agent, and to spokes alone" = sshd "PermitOpen any";
  };
}
