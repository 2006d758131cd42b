# How the machine is managed: sshd on its WireGuard address and nowhere else, with keys that are good from one address.
{ fleet, node }:
{ lib, options, ... }:
let
  # On a spoke every operator comes from the hub, on the hub each from an address of their own.
  from = operator: if node.role == "hub" then operator.address else fleet.hub.address;
in
{
  networking.wireguard.interfaces.wg0.privateKeyFile = "/etc/wireguard/private.key";

  services.openssh = {
    enable = true;
    startWhenNeeded = false;
    # It is true by default, and opens port 22 to everybody.
    openFirewall = false;
    listenAddresses = [ { addr = node.address; port = 22; } ];
    hostKeys = [ { type = "ed25519"; path = "/etc/ssh/ssh_host_ed25519_key"; } ];
    # Keys come with the system alone: one that an intruder puts into a home is not asked.
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
    # nixpkgs since 22.11 …
    settings = {
      PasswordAuthentication = false;
      KbdInteractiveAuthentication = false;
      PermitRootLogin = "prohibit-password";
      X11Forwarding = false;
    };
  } else {
    # … and before.
    passwordAuthentication = false;
    challengeResponseAuthentication = false;
    permitRootLogin = "prohibit-password";
    forwardX11 = false;
  });

  users.users.root.openssh.authorizedKeys.keys =
    map (operator: "from=\"${from operator}\" ${operator.ssh-key}") fleet.operators;

  # sshd may start before wg0 has its address: it then binds all the same, and waits for it. Without this it ends with
  # "Cannot assign requested address".
  boot.kernel.sysctl."net.ipv4.ip_nonlocal_bind" = 1;
  systemd.services.sshd = {
    wants = [ "wireguard-wg0.service" ];
    after = [ "wireguard-wg0.service" ];
    startLimitIntervalSec = 0;
    serviceConfig = { Restart = "always"; RestartSec = "5s"; OOMScoreAdjust = -900; };
  };

  # systemd 256 and later have sshd answer the hypervisor as well, over a socket of its own.
  systemd.generators.systemd-ssh-generator = "/dev/null";

  networking.firewall = {
    enable = true;
    interfaces.wg0.allowedTCPPorts = [ 22 ];
    # A port that the internet knocks on every second would fill the journal.
    logRefusedConnections = false;
  };
  # The rules of break-glass.nix and hub.nix are iptables'.
  networking.nftables.enable = false;
}
