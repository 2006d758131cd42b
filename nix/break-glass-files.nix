# The files of break-glass, as texts: what nix/break-glass.nix puts into a system, and what a test starts a real sshd with.
{ fleet }:
let
  inherit (fleet.breakGlass) ssh-key from;
  inherit (builtins) concatStringsSep map;
  port = 2222;
in
{
  inherit port;
  sshd-config = ''
    Port ${toString port}
    HostKey /etc/ssh/ssh_host_ed25519_key
    AuthorizedKeysFile /etc/ssh/break-glass.keys
    AuthenticationMethods publickey
    PermitRootLogin prohibit-password
    PasswordAuthentication no
    ChallengeResponseAuthentication no
    # root has no password and is locked: sshd lets a locked account in by PAM alone.
    UsePAM yes
    AllowUsers ${concatStringsSep " " (map (address: "root@${address}") from)}
    MaxAuthTries 3
    MaxStartups 3:50:10
    AllowAgentForwarding no
    AllowTcpForwarding no
    PidFile none
    LogLevel VERBOSE
  '';
  authorized-keys = "from=\"${concatStringsSep "," from}\",restrict,pty ${ssh-key}\n";
}
