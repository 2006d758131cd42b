# The inventory, read, with derived values, and checked. Does not need nixpkgs.
{
  fleet ? builtins.fromTOML (builtins.readFile ./fleet.toml),
}:
let
  inherit (builtins) concatLists concatStringsSep elemAt filter fromJSON head listToAttrs match;

  octet = "(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])";
  ipv4 = "(${octet}\\.){3}${octet}";
  network = match "(${octet}\\.${octet}\\.${octet})\\.0/24" fleet.fleet.network;
  prefix =
    if network != null then head network
    else throw "fleet.network is \"${fleet.fleet.network}\"; it must be a /24 such as 10.84.0.0/24";

  # The seconds of a duration such as 12h.
  seconds = duration: let parts = match "([0-9]+)([smhd])" duration; in
    fromJSON (head parts) * { s = 1; m = 60; h = 3600; d = 86400; }.${elemAt parts 1};

  # The last octet of an address in the fleet's network; null for any other address.
  idOf = address:
    let parts = match "([0-9.]+)\\.([1-9][0-9]{0,2})" address;
    in if parts == null || head parts != prefix then null else fromJSON (elemAt parts 1);

  complete = entry: {
    inherit (fleet.provider.${entry.provider}) disk root;
    esp = fleet.provider.${entry.provider}.esp or "";
    ipv6 = "";
    push-token = "";
    registration = "";
  } // entry // { id = idOf entry.address; url = "https://${entry.domain}"; };

  nodes = map complete fleet.node;
  operators = map (o: o // { id = idOf o.address; }) (fleet.operator or [ ]);
  hubs = filter (n: n.role == "hub") nodes;

  problems = import ./problems.nix { inherit fleet network ipv4 nodes operators hubs; };
in
rec {
  inherit nodes operators problems;
  inherit (fleet.fleet) port monitor;
  contact = fleet.fleet.acme-contact;
  tiers = fleet.tier;
  breakGlass = fleet.break-glass;
  backup = { every = "1d"; keep = "3,7,4,6"; target = "/var/backups/clavitor"; recipients = [ ]; } // (fleet.backup or { });
  isNotifying = fleet.notify.enabled or true;
  hasDeadManSwitch = isNotifying && (fleet.notify.dead-man or true);
  routes = fleet.route or [ ];

  # A channel of the monitor, with the names of its secrets: those its type requires, and those it lists.
  channels = map
    (c:
      let
        needed = { webhook = [ "url" ]; ntfy = [ "url" ]; chat = [ "url" ]; pagerduty = [ "key" ]; telegram = [ "token" ]; email = [ ]; };
        password = if c.type == "email" && c ? username then [ "password" ] else [ ];
        secrets = needed.${c.type} ++ password ++ filter (s: !(builtins.elem s (needed.${c.type} ++ password))) (c.secrets or [ ]);
      in
      { inherit secrets; settings = removeAttrs c [ "secrets" ]; })
    (fleet.channel or [ ]);
  hub = head hubs;
  spokes = filter (n: n.role == "spoke") nodes;
  byName = listToAttrs (map (n: { inherit (n) name; value = n; }) nodes);

  # The nodes that the monitor knows without its database, with hashes of their tokens, which are not secret.
  access = {
    nodes = map (n: { inherit (n) name region; token = n.push-token; }) (filter (n: n.push-token != "") nodes)
      ++ map (j: { inherit (j) name; region = "jobs"; token = j.push-token; every = seconds j.every; })
        (filter (j: (j.push-token or "") != "") (fleet.job or [ ]));
    operators = map (o: { inherit (o) name; token = o.monitor-token; }) (filter (o: (o.monitor-token or "") != "") operators);
  };

  # The list for `serve --nodes`, from which clients choose the nearest node.
  nodesBody.nodes = map (n: { inherit (n) name city url latitude longitude; }) nodes;

  # Required keys that have not been generated yet. The hub needs every key, a spoke its own and the hub's.
  missingFor = node:
    let
      peers = if node.role == "hub" then nodes else [ node hub ];
      keyless = map (n: n.name) (filter (n: n.public-key == "") peers);
    in
    concatLists [
      (if keyless == [ ] then [ ] else [
        "no WireGuard key for ${concatStringsSep ", " keyless}: `clavitor-soc keys generate` makes them"
      ])
      (if hub.ipv4 != "" then [ ] else [
        "${hub.name}, the hub, has no ipv4: spokes dial an address, because a name would hang on DNS at boot"
      ])
      (if operators != [ ] then [ ] else [
        "no [[operator]]: nobody could sign in; `clavitor-soc begin` enters one"
      ])
      (if breakGlass.ssh-key != "" || !(breakGlass.enabled or true) then [ ] else [
        ("no break-glass key: nobody could sign in while the hub is down; `clavitor-soc break-glass enable` sets it, "
          + "`enabled = false` in [break-glass] declines it")
      ])
      (if backup.recipients != [ ] || !(backup.enabled or true) then [ ] else [
        ("no [backup]: a lost disk would be the end of its vaults; `recipients` says who can open backups, "
          + "`enabled = false` declines them")
      ])
      (if node.role != "hub" || channels != [ ] || !isNotifying then [ ] else [
        "no [[channel]]: the monitor would notify nobody; `enabled = false` in [notify] declines it"
      ])
    ];
}
