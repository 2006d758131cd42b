# The door for the day when the hub is lost: a second sshd on port 2222, for one key from one address. It is shut.
#
# `systemctl start break-glass` opens it through the tunnel while there is one. Without one it is opened on the
# provider's console: in GRUB's menu, `e`, and `systemd.wants=break-glass.service` at the end of the line `linux`. It shuts
# by itself after four hours, and a reboot without that word does not open it again.
{ fleet }:
{ config, lib, pkgs, ... }:
let
  inherit (fleet.breakGlass) ssh-key from;
  port = 2222;
  rule = "-p tcp --dport ${toString port} -s ${from} -j nixos-fw-accept";
  sshdConfig = pkgs.writeText "break-glass-sshd_config" ''
    Port ${toString port}
    HostKey /etc/ssh/ssh_host_ed25519_key
    AuthorizedKeysFile /etc/ssh/break-glass.keys
    AuthenticationMethods publickey
    PermitRootLogin prohibit-password
    PasswordAuthentication no
    ChallengeResponseAuthentication no
    AllowUsers root@${from}
    AllowAgentForwarding no
    AllowTcpForwarding no
    PidFile none
    LogLevel VERBOSE
  '';
in
lib.mkIf (ssh-key != "" && from != "") {
  # A file of its own mode, because sshd refuses one that it reaches through links that others could move.
  environment.etc."ssh/break-glass.keys" = { mode = "0444"; text = "from=\"${from}\",restrict,pty ${ssh-key}\n"; };

  systemd.services.break-glass = {
    description = "Emergency sshd for ${from}";
    # Nothing wants it.
    after = [ "network.target" "firewall.service" ];
    path = [ pkgs.iptables ];
    preStart = "iptables -w -I nixos-fw 1 ${rule}";
    postStop = "iptables -w -D nixos-fw ${rule} || true";
    serviceConfig = {
      ExecStart = "${config.programs.ssh.package or pkgs.openssh}/bin/sshd -D -e -f ${sshdConfig}";
      RuntimeMaxSec = "4h";
    };
  };
}
