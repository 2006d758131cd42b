# The files of break-glass, as text. nix/break-glass.nix installs them, and a test starts a real sshd with them.
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
    # root has no password and is locked: sshd accepts a locked account only with PAM.
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
