# What is wrong with an inventory, as sentences. An empty list lets systems be built.
{ fleet, nodes, operators, hubs }:
let
  inherit (builtins) attrNames concatLists concatMap elem filter length match;

  keys = [
    "name" "city" "region" "latitude" "longitude" "domain" "provider" "tier" "role" "address" "ipv4" "public-key" "host-key"
  ];
  optional = [ "disk" "root" ];
  when = condition: sentence: if condition then [ sentence ] else [ ];
  matches = pattern: text: match pattern text != null;

  twice = what: values:
    let
      known = filter (v: v != "") values;
      repeated = filter (v: length (filter (w: w == v) known) > 1) known;
    in
    when (repeated != [ ]) "${what} ${builtins.head repeated} is there twice";

  # Asked first: the other questions need every key.
  shape = n: concatLists [
    (map (k: "${n.name or "a node"} has no ${k}") (filter (k: !(n ? ${k})) keys))
    (map (k: "${n.name or "a node"} has an unknown key, ${k}") (filter (k: !(elem k (keys ++ optional))) (attrNames n)))
  ];

  inspect = n: concatLists [
    (when (!(matches "[a-z]([a-z0-9-]{0,61}[a-z0-9])?" n.name)) "\"${n.name}\" is no name: small letters, digits and hyphens")
    (when (!(matches "([a-z0-9-]+\\.)+[a-z]+" n.domain)) "${n.name}'s domain is no DNS name: \"${n.domain}\"")
    (when (n.region == "" || n.city == "") "${n.name} needs a city and a region")
    (when (n.latitude < -90 || n.latitude > 90 || n.longitude < -180 || n.longitude > 180) "${n.name} is nowhere on earth")
    (when (!(fleet.provider ? ${n.provider})) "${n.name} is with an unknown provider, ${n.provider}")
    (when (!(fleet.tier ? ${n.tier})) "${n.name} has an unknown tier, ${n.tier}")
    (when (!(elem n.role [ "hub" "spoke" ])) "${n.name}'s role is hub or spoke, not ${n.role}")
    (when (n.ipv4 != "" && !(matches "([0-9]{1,3}\\.){3}[0-9]{1,3}" n.ipv4)) "${n.name}'s ipv4 is no address: ${n.ipv4}")
    (when (n.host-key != "" && !(matches "ssh-ed25519 [A-Za-z0-9+/=]+" n.host-key))
      "${n.name}'s host-key is not of the form ssh-ed25519 …")
    (wireguard n)
  ];

  wireguard = peer:
    when (peer.public-key != "" && !(matches "[A-Za-z0-9+/]{43}=" peer.public-key))
      "${peer.name}'s public-key is no WireGuard key";

  inRange = low: high: id: id != null && id >= low && id <= high;

  addresses = concatMap
    (n: when (!(if n.role == "hub" then n.id == 1 else inRange 2 199 n.id))
      "${n.name}'s address is ${n.address}: the hub has .1 of ${fleet.fleet.network}, a spoke .2 to .199")
    nodes;

  inspectOperator = o: concatLists [
    (when (!(inRange 200 254 o.id)) "operator ${o.name}'s address is ${o.address}: it is .200 to .254 of ${fleet.fleet.network}")
    (when (!(matches "(ssh-ed25519|sk-ssh-ed25519@openssh.com) [A-Za-z0-9+/=]+.*" o.ssh-key))
      "operator ${o.name}'s ssh-key is no ed25519 key")
    (when (o.public-key == "") "operator ${o.name} has no WireGuard key")
    (wireguard o)
  ];
  glass = fleet.break-glass;
  peers = fleet.node ++ operators;
  shapes = concatMap shape fleet.node;
in
if shapes != [ ] then shapes else concatLists [
  (twice "name" (map (p: p.name) peers))
  (twice "address" (map (p: p.address) peers))
  (twice "public-key" (map (p: p.public-key) peers))
  (twice "domain" (map (n: n.domain) fleet.node))
  (twice "ipv4" (map (n: n.ipv4) fleet.node))
  (twice "host-key" (map (n: n.host-key) fleet.node))
  (when (length hubs != 1) "the fleet has ${toString (length hubs)} hubs; it needs one")
  (concatMap inspect fleet.node)
  addresses
  (concatMap inspectOperator operators)
  (when ((glass.ssh-key == "") != (glass.from == "")) "break-glass needs a key and an address, or neither")
]
