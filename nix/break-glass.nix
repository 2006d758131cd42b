# Break-glass: a second sshd on port 2222 for the day when the hub is lost, for one key from a few addresses. It is in every
# system, and nothing starts it.
#
# `systemctl start break-glass` starts it through the tunnel while there is one. Without one, at the provider's console: in
# GRUB's menu, `e`, and `systemd.wants=break-glass.service` at the end of the line `linux`. It stops by itself after four
# hours, and a reboot without that word does not start it again.
{ fleet }:
{ config, lib, pkgs, ... }:
let
  inherit (fleet.breakGlass) ssh-key from;
  files = import ./break-glass-files.nix { inherit fleet; };
  rule = address: "-p tcp --dport ${toString files.port} -s ${address} -j nixos-fw-accept";
  sshdConfig = pkgs.writeText "break-glass-sshd_config" files.sshd-config;
in
lib.mkIf (ssh-key != "" && from != [ ]) {
  # A file of its own mode, because sshd refuses one that it reaches through links that others could move.
  environment.etc."ssh/break-glass.keys" = { mode = "0444"; text = files.authorized-keys; };

  systemd.services.break-glass = {
    description = "Emergency sshd for ${lib.concatStringsSep ", " from}";
    # Nothing wants it.
    after = [ "network.target" "firewall.service" ];
    path = [ pkgs.iptables ];
    preStart = lib.concatMapStringsSep "\n" (address: "iptables -w -I nixos-fw 1 ${rule address}") from;
    postStop = lib.concatMapStringsSep "\n" (address: "iptables -w -D nixos-fw ${rule address} || true") from;
    serviceConfig = {
      ExecStart = "${config.programs.ssh.package or pkgs.openssh}/bin/sshd -D -e -f ${sshdConfig}";
      RuntimeMaxSec = "4h";
    };
  };
}
