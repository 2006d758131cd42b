# Remote management: sshd on the WireGuard address only, with keys that are valid from one address only.
{ fleet, node }:
{ lib, options, ... }:
let
  # On a spoke, operators connect from the hub's address; on the hub, from their own.
  from = operator: if node.role == "hub" then operator.address else fleet.hub.address;
in
{
  networking.wireguard.interfaces.wg0.privateKeyFile = "/etc/wireguard/private.key";

  services.openssh = {
    enable = true;
    startWhenNeeded = false;
    # True by default, which would open port 22 to everyone.
    openFirewall = false;
    listenAddresses = [ { addr = node.address; port = 22; } ];
    hostKeys = [ { type = "ed25519"; path = "/etc/ssh/ssh_host_ed25519_key"; } ];
    # Keys are part of the system only: a key that an intruder adds to a home directory is ignored.
    authorizedKeysFiles = lib.mkForce [ "/etc/ssh/authorized_keys.d/%u" ];
    extraConfig = ''
      AuthenticationMethods publickey
      AllowUsers root
      AllowAgentForwarding no
      MaxAuthTries 3
      MaxStartups 10:30:50
      LoginGraceTime 20
      ClientAliveInterval 15
    '';
  } // (if options.services.openssh ? settings then {
    # nixpkgs since 22.11.
    settings = {
      PasswordAuthentication = false;
      KbdInteractiveAuthentication = false;
      PermitRootLogin = "prohibit-password";
      X11Forwarding = false;
    };
  } else {
    # nixpkgs before 22.11.
    passwordAuthentication = false;
    challengeResponseAuthentication = false;
    permitRootLogin = "prohibit-password";
    forwardX11 = false;
  });

  users.users.root.openssh.authorizedKeys.keys =
    map (operator: "from=\"${from operator}\" ${operator.ssh-key}") fleet.operators;

  # Lets sshd bind the address before wg0 has it. Without this it fails with "Cannot assign requested address".
  boot.kernel.sysctl."net.ipv4.ip_nonlocal_bind" = 1;
  systemd.services.sshd = {
    wants = [ "wireguard-wg0.service" ];
    after = [ "wireguard-wg0.service" ];
    startLimitIntervalSec = 0;
    serviceConfig = { Restart = "always"; RestartSec = "5s"; OOMScoreAdjust = -900; };
  };

  # systemd 256 and later also make sshd listen to the hypervisor, on a separate socket.
  systemd.generators.systemd-ssh-generator = "/dev/null";

  networking.firewall = {
    enable = true;
    interfaces.wg0.allowedTCPPorts = [ 22 ];
    # Constant scans from the internet would fill the journal.
    logRefusedConnections = false;
  };
  # break-glass.nix and hub.nix have iptables rules.
  networking.nftables.enable = false;
}
