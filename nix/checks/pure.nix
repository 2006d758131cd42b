# The requirements of the inventory and of the functions that read it. Does not need nixpkgs. The value is the list of
# failures.
{ keysFile ? null, keys ? builtins.fromJSON (builtins.readFile keysFile), sshKey }:
let
  inherit (builtins) attrNames concatMap elem filter foldl' length map sort toJSON;
  raw = builtins.fromTOML (builtins.readFile ../fleet.toml);
  real = import ../fleet.nix { };
  whole = import ./fixture.nix { inherit keys sshKey; };
  fleet = import ../fleet.nix { fleet = whole; };

  sorted = sort builtins.lessThan;
  count = predicate: length (filter predicate real.nodes);
  unique = foldl' (known: v: if elem v known then known else known ++ [ v ]) [ ];
  ids = n: if n == 0 then [ ] else ids (n - 1) ++ [ n ];

  expect = name: got: want:
    if got == want then [ ] else [ "${name}: ${toJSON got}, expected ${toJSON want}" ];

  # The complete inventory with a fault in one entry, which must be reported in these words.
  tokyo = change: whole // { node = map (n: if n.name == "tokyo" then n // change else n) whole.node; };
  operator = change: whole // { operator = map (o: o // change) whole.operator; };
  faults = import ./faults.nix { inherit whole tokyo operator keys; };
  undetected = { sentence, fleet }:
    let told = (import ../fleet.nix { inherit fleet; }).problems;
    in if elem sentence told then [ ] else [ "a planted fault was not told of: ${sentence}; only ${toJSON told}" ];

  # The units in ../packaging have the modules' sandbox.
  hardening = import ../hardening.nix;
  show = value: if value == true then "true" else toString value;
  unitLines = unit: filter builtins.isString (builtins.split "\n" (builtins.readFile unit));
  toList = value: if builtins.isList value then value else [ value ];
  lax = name: unit: concatMap
    (key: concatMap
      (value: if elem "${key}=${show value}" (unitLines unit) then [ ] else [ "packaging/${name} lacks ${key}=${show value}" ])
      (toList hardening.${key}))
    (attrNames hardening);

  missing = (import ../fleet.nix { fleet = tokyo { public-key = ""; }; }).missingFor;
in
builtins.concatLists [
  (expect "names" (sorted (attrNames real.byName)) [
    "amsterdam" "dallas" "dubai" "frankfurt" "johannesburg" "london" "mumbai" "new-jersey" "sao-paulo" "seoul"
    "silicon-valley" "sydney" "tel-aviv" "tokyo" "warsaw" "zurich"
  ])
  (expect "ids" (sorted (map (n: n.id) real.nodes)) (ids 16))
  (expect "hub" real.hub.name "zurich")
  (expect "hub's address" real.hub.address "10.84.0.1")
  (expect "spokes" (length real.spokes) 15)
  (expect "tokyo's address" real.byName.tokyo.address "10.84.0.2")
  (expect "tokyo's domain" real.byName.tokyo.domain "tokyo.clavitor.com")
  (expect "tokyo's disk" real.byName.tokyo.disk "/dev/vda")
  (expect "nodes with Vultr" (count (n: n.provider == "vultr")) 13)
  (expect "regions" (length (unique (map (n: n.region) real.nodes))) 8)
  (expect "dollars a month" (foldl' (sum: n: sum + real.tiers.${n.tier}.usd) 0 real.nodes) 40.5)
  (expect "south of the equator" (sorted (map (n: n.name) (filter (n: n.latitude < 0) real.nodes)))
    [ "johannesburg" "sao-paulo" "sydney" ])
  (expect "an entry for clients" (builtins.head real.nodesBody.nodes)
    { name = "zurich"; city = "Zurich"; url = "https://zurich.clavitor.com"; latitude = 47.38; longitude = 8.54; })
  (expect "problems" real.problems [ ])
  (expect "problems of the fixture" fleet.problems [ ])
  (expect "missing in the fixture" (concatMap fleet.missingFor fleet.nodes) [ ])
  (expect "private keys in the inventory" (filter (n: n ? private-key) raw.node) [ ])
  # A missing key of a spoke stops only the spoke and the hub.
  (expect "missing for tokyo without a key" (length (missing (fleet.byName.tokyo // { public-key = ""; }))) 1)
  (expect "missing for the hub" (length (missing fleet.hub)) 1)
  (expect "missing for seoul" (missing fleet.byName.seoul) [ ])
  (lax "clavitor-node.service" ../../packaging/clavitor-node.service)
  (lax "clavitor-monitor.service" ../../packaging/clavitor-monitor.service)
  (expect "a lax unit" (lax "install-debian" ../../packaging/install-debian == [ ]) false)
  (concatMap undetected faults)
]
