# The inventory as Nix sees it: read, completed by what follows from it, and checked. Pure: needs no nixpkgs.
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

  # The last number of an address of ours; null for any other.
  idOf = address:
    let parts = match "([0-9.]+)\\.([1-9][0-9]{0,2})" address;
    in if parts == null || head parts != prefix then null else fromJSON (elemAt parts 1);

  complete = entry: { disk = fleet.provider.${entry.provider}.disk; root = fleet.provider.${entry.provider}.root; }
    // entry // { id = idOf entry.address; url = "https://${entry.domain}"; };

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
  hub = head hubs;
  spokes = filter (n: n.role == "spoke") nodes;
  byName = listToAttrs (map (n: { inherit (n) name; value = n; }) nodes);

  # What `serve --nodes` takes and clients choose the nearest from.
  nodesBody.nodes = map (n: { inherit (n) name city url latitude longitude; }) nodes;

  # What a machine cannot do without and nobody has made yet. The hub needs every key, a spoke its own and the hub's.
  missingFor = node:
    let
      peers = if node.role == "hub" then nodes else [ node hub ];
      keyless = map (n: n.name) (filter (n: n.public-key == "") peers);
    in
    concatLists [
      (if keyless == [ ] then [ ] else [
        "no WireGuard key in nix/fleet.toml for ${concatStringsSep ", " keyless}: `clavitor-soc keys generate` makes them"
      ])
      (if hub.ipv4 != "" then [ ] else [
        "${hub.name}, the hub, has no ipv4 in nix/fleet.toml: spokes dial an address, because a name would hang on DNS at boot"
      ])
      (if operators != [ ] then [ ] else [
        "nix/fleet.toml has no [[operator]]: nobody could sign in. `wg genkey` and `ssh-keygen -t ed25519` make the two keys"
      ])
    ];
}
