# Break-glass: a second sshd on port 2222 for when the hub is lost, with one key from a few addresses. It is in every
# system, and nothing starts it by default.
#
# `systemctl start break-glass` starts it while the tunnel works. Otherwise, at the provider's console: press `e` in
# GRUB's menu, and append `systemd.wants=break-glass.service` to the `linux` line. It stops automatically after four
# hours, and a reboot without that parameter does not start it again.
{ fleet }:
{ config, lib, pkgs, ... }:
let
  inherit (fleet.breakGlass) ssh-key from;
  files = import ./break-glass-files.nix { inherit fleet; };
  rule = address: "-p tcp --dport ${toString files.port} -s ${address} -j nixos-fw-accept";
  sshdConfig = pkgs.writeText "break-glass-sshd_config" files.sshd-config;
in
lib.mkIf (ssh-key != "" && from != [ ]) {
  # With an explicit mode, because sshd rejects a file that it reaches through symlinks which others could replace.
  environment.etc."ssh/break-glass.keys" = { mode = "0444"; text = files.authorized-keys; };

  systemd.services.break-glass = {
    description = "Emergency sshd for ${lib.concatStringsSep ", " from}";
    # No `wantedBy`.
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
