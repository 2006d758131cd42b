# The real inventory, completed for a check: with freshly generated keys, and documentation addresses.
{
  # The output of `wg pubkey`, by name, and an SSH key such as ssh-ed25519 ….
  keys,
  sshKey,
  fleet ? builtins.fromTOML (builtins.readFile ../fleet.toml),
}:
let
  lastOf = address: builtins.head (builtins.match ".*\\.([0-9]+)" address);
in
fleet // {
  node = map (n: n // { public-key = keys.${n.name}; ipv4 = "203.0.113.${lastOf n.address}"; }
    // (if n.role == "hub" then { } else { ipv6 = "2001:db8::${lastOf n.address}"; })) fleet.node;
  operator = [ { name = "soc"; address = "10.84.0.200"; public-key = keys.soc; ssh-key = sshKey; } ];
  break-glass = { ssh-key = sshKey; from = [ "198.51.100.7" "198.51.100.8" ]; };
  # The example from age's documentation.
  backup.recipients = [ "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p" ];
  channel = [ { name = "phone"; type = "ntfy"; secrets = [ "token" ]; } ];
  route = [ { channel = "phone"; severities = [ "sev2" "sev1" ]; } ];
}
