# The problems of an inventory, as sentences. Systems are built only if the list is empty.
# clavitor-soc reports the same in the same order (Sources/Fleet/Inventory/InventoryProblems.swift); a test compares the two.
{ fleet, network, ipv4, nodes, operators, hubs }:
let
  inherit (builtins)
    all attrNames concatLists concatMap elem elemAt filter isAttrs isBool isFloat isInt isList isString length match stringLength substring;

  when = condition: sentence: if condition then [ sentence ] else [ ];
  matches = pattern: text: match pattern text != null;

  # The keys of each table, and their types.
  schema = {
    inventory = {
      needed = { break-glass = "a table"; fleet = "a table"; node = "an array of tables"; provider = "a table"; tier = "a table"; };
      optional = {
        backup = "a table"; channel = "an array of tables"; dns = "a table"; job = "an array of tables"; notify = "a table";
        operator = "an array of tables"; route = "an array of tables";
      };
    };
    fleet.needed = { acme-contact = "an array of strings"; monitor = "a string"; network = "a string"; port = "an integer"; };
    break-glass = { needed = { from = "an array of strings"; ssh-key = "a string"; }; optional.enabled = "a boolean"; };
    backup.optional = { enabled = "a boolean"; every = "a string"; keep = "a string"; recipients = "an array of strings"; target = "a string"; };
    notify.optional = { dead-man = "a boolean"; enabled = "a boolean"; };
    job = { needed = { every = "a string"; name = "a string"; }; optional.push-token = "a string"; };
    provider = { needed = { disk = "a string"; root = "a string"; }; optional.esp = "a string"; };
    tier = {
      needed.usd = "a number";
      optional = { disk-gb = "an integer"; memory-mb = "an integer"; transfer-gb = "an integer"; };
    };
    peer = {
      needed = { address = "a string"; name = "a string"; public-key = "a string"; ssh-key = "a string"; };
      optional.monitor-token = "a string";
    };
    node = {
      needed = {
        name = "a string"; city = "a string"; region = "a string"; latitude = "a number"; longitude = "a number"; domain = "a string";
        provider = "a string"; tier = "a string"; role = "a string"; address = "a string"; ipv4 = "a string"; public-key = "a string";
        host-key = "a string";
      };
      optional = { disk = "a string"; esp = "a string"; ipv6 = "a string"; push-token = "a string"; registration = "a string"; root = "a string"; };
    };
    dns = {
      needed = { floor = "an integer"; nearest = "a string"; provider = "a string"; ttl = "an integer"; zone = "a string"; };
      optional = { health-file = "a string"; key-file = "a string"; server = "a string"; token-file = "a string"; zone-id = "a string"; };
    };
  };
  fits = {
    "a string" = isString;
    "an integer" = isInt;
    "a number" = v: isInt v || isFloat v;
    "a boolean" = isBool;
    "an array of strings" = v: isList v && all isString v;
    "a table" = isAttrs;
    "an array of tables" = v: isList v && all isAttrs v;
  };

  shape = { needed ? { }, optional ? { } }: label: table:
    let kinds = optional // needed; in
    if !(isAttrs table) then [ "${label} must be a table" ] else concatLists [
      (map (k: "${label} must have the key ${k}") (filter (k: !(table ? ${k})) (attrNames needed)))
      (map (k: "${label} has an unknown key, ${k}") (filter (k: !(kinds ? ${k})) (attrNames table)))
      (map (k: "${label}'s ${k} must be ${kinds.${k}}")
        (filter (k: kinds ? ${k} && !(fits.${kinds.${k}} table.${k})) (attrNames table)))
    ];
  labelled = kind: entry: if isString (entry.name or null) && entry.name != "" then entry.name else kind;
  named = key: concatMap (name: shape schema.${key} "[${key}.${name}]" fleet.${key}.${name}) (attrNames fleet.${key});

  # Checked first: the other checks need every key.
  whole = shape schema.inventory "the inventory" fleet;
  shapes = if whole != [ ] then whole else concatLists [
    (shape schema.fleet "[fleet]" fleet.fleet)
    (shape schema.break-glass "[break-glass]" fleet.break-glass)
    (if fleet ? backup then shape schema.backup "[backup]" fleet.backup else [ ])
    (if fleet ? notify then shape schema.notify "[notify]" fleet.notify else [ ])
    (named "provider")
    (named "tier")
    (concatMap (n: shape schema.node (labelled "a node" n) n) fleet.node)
    (concatMap (o: shape schema.peer (labelled "an operator" o) o) (fleet.operator or [ ]))
    (concatMap (j: shape schema.job (labelled "a job" j) j) jobs)
    (if fleet ? dns then shape schema.dns "[dns]" fleet.dns else [ ])
  ];

  twice = what: values:
    let
      known = filter (v: v != "") values;
      repeated = filter (v: length (filter (w: w == v) known) > 1) known;
    in
    when (repeated != [ ]) "${what} ${builtins.head repeated} is used twice; it must be unique";

  nameRule = "it must be at most 63 lower-case letters, digits and hyphens, a letter first and no hyphen last";
  isDomain = text: stringLength text <= 253 && matches "([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\\.)+[a-z]{1,63}" text;
  isWithin = zone: domain:
    let end = ".${zone}"; from = stringLength domain - stringLength end; in
    domain == zone || (from >= 0 && substring from (-1) domain == end);
  # A control character could add a line to authorized_keys.
  isPublicKey = key: matches "(ssh-ed25519|sk-ssh-ed25519@openssh\\.com) ${key}( [^[:cntrl:]]*)?";
  isDigest = matches "[0-9a-f]{64}";
  base64 = "[A-Za-z0-9+/]";

  # In Nix `a <= b` is `!(b < a)`, which is true for NaN.
  within = most: number: (number < most || number == most) && (-most < number || -most == number);

  inspectFleet = { port, monitor, ... }: concatLists [
    (when (port < 1 || port > 65535) "fleet.port is ${toString port}; it must be an integer from 1 to 65535")
    (when (!(isDomain monitor)) "fleet.monitor is \"${monitor}\"; it must be a DNS name")
  ];

  # A browser gives the secrets of a node's passkeys to pages of every name below the node's.
  addressed = map (n: { what = "${n.name}'s domain"; name = n.domain; }) fleet.node ++ [ { what = "fleet.monitor"; name = fleet.fleet.monitor; } ];
  inspectNames = concatMap
    ({ what, name }: concatMap
      (n: when (n.domain != name && isWithin n.domain name)
        "${what} is ${name}; it must not be below ${n.domain}, whose passkeys a page there could use")
      fleet.node)
    addressed;

  # Addresses that no client on the internet can reach (RFC 6890). Documentation addresses (RFC 5737) are accepted.
  # A fleet whose network is loopback is on one machine, with its clients.
  prefix = builtins.head network;
  isUnreachable = address: matches ipv4 address && !isOnOneMachine
    && (isReserved address || matches "${builtins.replaceStrings [ "." ] [ "[.]" ] prefix}[.].*" address);
  isReserved = address: matches
    ("(0|10|127|22[4-9]|23[0-9]|24[0-9]|25[0-5]|100\\.(6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7])|169\\.254"
      + "|172\\.(1[6-9]|2[0-9]|3[01])|192\\.168|198\\.1[89])\\..*") address;

  # RFC 4291, section 2.2, in lower case and without dotted decimals.
  isIPv6 = let g = "[0-9a-f]{1,4}"; in matches
    ("(${g}:){7}${g}|(${g}:){1,7}:|(${g}:){1,6}:${g}|(${g}:){1,5}(:${g}){1,2}|(${g}:){1,4}(:${g}){1,3}|(${g}:){1,3}(:${g}){1,4}"
      + "|(${g}:){1,2}(:${g}){1,5}|${g}:(:${g}){1,6}|:((:${g}){1,7}|:)");
  isOnOneMachine = matches "127\\..*" prefix;

  inspect = n: let ipv6 = n.ipv6 or ""; in concatLists [
    (when (!(matches "[a-z]([a-z0-9-]{0,61}[a-z0-9])?" n.name)) "the name of a node is \"${n.name}\"; ${nameRule}")
    (when (!(isDomain n.domain)) "${n.name}'s domain is \"${n.domain}\"; it must be a DNS name")
    (when (n.region == "" || n.city == "") "${n.name} must have a city and a region")
    (when (!(within 90 n.latitude && within 180 n.longitude)) "${n.name}'s latitude must be from -90 to 90, its longitude from -180 to 180")
    (when (!(fleet.provider ? ${n.provider})) "${n.name}'s provider is ${n.provider}; it must be a key of [provider]")
    (when (!(fleet.tier ? ${n.tier})) "${n.name}'s tier is ${n.tier}; it must be a key of [tier]")
    (when (!(elem n.role [ "hub" "spoke" ])) "${n.name}'s role is ${n.role}; it must be hub or spoke")
    (when (n.ipv4 != "" && !(matches ipv4 n.ipv4)) "${n.name}'s ipv4 is ${n.ipv4}; it must be an IPv4 address")
    (when (isUnreachable n.ipv4) "${n.name}'s ipv4 is ${n.ipv4}; it must be a public address")
    (when (ipv6 != "" && !(isIPv6 ipv6)) "${n.name}'s ipv6 is ${ipv6}; it must be an IPv6 address in lower case")
    (when (isIPv6 ipv6 && !(matches "[23][0-9a-f]{3}:.*" ipv6) && !isOnOneMachine)
      "${n.name}'s ipv6 is ${ipv6}; it must be a public address")
    (when (ipv6 != "" && n.ipv4 == "") "${n.name} has an ipv6 and no ipv4; it must have both, for clients without IPv6")
    (when (ipv6 != "" && n.role == "hub") "${n.name} is the hub and has an ipv6; it must have none, because its node and the monitor share ports over IPv4")
    (when ((n.push-token or "") != "" && !(isDigest n.push-token)) "${n.name}'s push-token must be a SHA-256 in hexadecimal")
    (when (!(elem (n.registration or "") [ "" "open" "invite" "closed" ]))
      "${n.name}'s registration is ${n.registration}; it must be open, invite or closed")
    (when (n.host-key != "" && !(matches "ssh-ed25519 [A-Za-z0-9+/=]+" n.host-key))
      "${n.name}'s host-key must be of the form ssh-ed25519 …")
    (wireguard n)
  ];

  wireguard = peer:
    when (peer.public-key != "" && !(matches "${base64}{43}=" peer.public-key))
      "${peer.name}'s public-key must be a WireGuard key";

  inRange = low: high: id: id != null && id >= low && id <= high;

  addresses = concatMap
    (n: when (!(if n.role == "hub" then n.id == 1 else inRange 2 199 n.id))
      "${n.name}'s address is ${n.address}; it must be .1 of ${fleet.fleet.network} for the hub, .2 to .199 for a spoke")
    nodes;

  inspectOperator = o: concatLists [
    (when (!(inRange 200 254 o.id)) "operator ${o.name}'s address is ${o.address}; it must be .200 to .254 of ${fleet.fleet.network}")
    (when (!(isPublicKey "[A-Za-z0-9+/=]+" o.ssh-key)) "operator ${o.name}'s ssh-key must be an Ed25519 public key")
    (when (o.public-key == "") "operator ${o.name} must have a WireGuard key in public-key")
    (when ((o.monitor-token or "") != "" && !(isDigest o.monitor-token))
      "operator ${o.name}'s monitor-token must be a SHA-256 in hexadecimal")
    (wireguard o)
  ];

  inspectBreakGlass = { ssh-key, from, ... }: concatLists [
    (when ((ssh-key == "") != (from == [ ])) "[break-glass] must have both ssh-key and from, or neither")
    (when (ssh-key != "" && !(isPublicKey "(${base64}{4}){16,}(${base64}{4}|${base64}{3}=|${base64}{2}==)" ssh-key))
      "break-glass.ssh-key must be an Ed25519 public key")
    (map (f: "break-glass.from has ${f}; it must be a list of IPv4 addresses") (filter (f: !(matches ipv4 f)) from))
  ];

  inspectBackup = { recipients ? [ ], every ? "", keep ? "", target ? "", ... }: concatLists [
    (map (r: "backup.recipients has ${r}; it must be a list of age recipients, age1… or ssh-ed25519 …")
      (filter (r: !(matches "age1[a-z0-9]{58}|ssh-ed25519 [A-Za-z0-9+/=]+" r)) recipients))
    (when (every != "" && !(isDuration every))
      "backup.every is ${every}; it must be a duration such as 12h or 1d")
    (when (keep != "" && (!(matches "[0-9]{1,4}(,[0-9]{1,4}){3}" keep) || matches "[0,]*" keep))
      "backup.keep is ${keep}; it must be four numbers, last,daily,weekly,monthly")
    (when (target != "" && !(isBackupFolder target))
      "backup.target is ${target}; it must be a directory below /var/ that no program owns")
  ];
  isBackupFolder = target: matches "/var(/[A-Za-z0-9._-]+)+" target && !(matches "(.*/)?[.]{1,2}(/.*)?" target)
    && !(matches "/var/lib/clavitor(-monitor|-soc)?(/.*)?" target);

  channels = fleet.channel or [ ];
  secretParts = [ "key" "password" "token" "url" ];
  inspectChannel = c:
    let name = if isString (c.name or null) then c.name else ""; type = if isString (c.type or null) then c.type else ""; in
    concatLists [
      (when (!(matches "[a-z]([a-z0-9-]{0,61}[a-z0-9])?" name)) "the name of a channel is \"${name}\"; ${nameRule}")
      (when (!(elem type [ "chat" "email" "ntfy" "pagerduty" "telegram" "webhook" ]))
        "channel ${name}'s type is ${type}; it must be chat, email, ntfy, pagerduty, telegram or webhook")
      (map (s: "channel ${name}'s secrets has ${s}; each must be one of key, password, token, url")
        (filter (s: isString s && !(elem s secretParts)) (if isList (c.secrets or null) then c.secrets else [ ])))
      (map (k: "channel ${name} must not have ${k}: `clavitor-soc secrets` stores its secret")
        (filter (k: matches ".*-file" k) (attrNames c)))
    ];
  channelNames = map (c: if isString (c.name or null) then c.name else "") channels;
  routeTo = r: if isString (r.channel or null) then r.channel else "";
  inspectChannels = concatLists [
    (twice "channel" channelNames)
    (concatMap inspectChannel channels)
    (map (r: "a route's channel is ${routeTo r}; it must be the name of a channel")
      (filter (r: !(elem (routeTo r) channelNames)) (fleet.route or [ ])))
  ];

  jobs = fleet.job or [ ];
  isDuration = matches "[1-9][0-9]{0,3}[smhd]";
  inspectJobs = concatLists [
    (twice "job" (map (j: j.name) jobs))
    (map (j: "job ${j.name} must not have the name of a node: the monitor identifies both by name")
      (filter (j: elem j.name (map (n: n.name) fleet.node)) jobs))
    (concatMap
      (j: concatLists [
        (when (!(matches "[a-z]([a-z0-9-]{0,61}[a-z0-9])?" j.name)) "the name of a job is \"${j.name}\"; ${nameRule}")
        (when (!(isDuration j.every)) "job ${j.name}'s every is ${j.every}; it must be a duration such as 12h or 1d")
        (when ((j.push-token or "") != "" && !(isDigest j.push-token)) "job ${j.name}'s push-token must be a SHA-256 in hexadecimal")
      ])
      jobs)
  ];

  neededBy = { rfc2136 = [ "server" "key-file" ]; gdnsd = [ "health-file" ]; cloudflare = [ "zone-id" "token-file" ]; };
  isServer = text:
    let parts = builtins.match "([[][0-9a-f:]+[]]|[^:]+)(:([1-9][0-9]{0,4}))?" text; host = elemAt parts 0; port = elemAt parts 2; in
    isIPv6 text || (parts != null && (port == null || builtins.fromJSON port <= 65535)
      && (matches ipv4 host || isDomain host || (matches "[[].*[]]" host && isIPv6 (substring 1 (stringLength host - 2) host))));
  inspectDNS = { zone, nearest, ttl, floor, provider, ... }@dns: concatLists [
    (when (!(isDomain zone)) "dns.zone is \"${zone}\"; it must be a DNS name")
    (when (!(isDomain nearest)) "dns.nearest is \"${nearest}\"; it must be a DNS name")
    (when (!(isWithin zone nearest)) "dns.nearest is ${nearest}; it must be in the zone ${zone}")
    (when (ttl < 1 || ttl > 86400) "dns.ttl is ${toString ttl}; it must be from 1 to 86400 seconds")
    (when (floor < 0) "dns.floor is ${toString floor}; it must be 0 or more")
    (when (!(neededBy ? ${provider})) "dns.provider is ${provider}; it must be rfc2136, gdnsd or cloudflare")
    (when ((dns.server or "") != "" && !(isServer dns.server))
      "dns.server is ${dns.server}; it must be an address or a DNS name, with or without :PORT")
    (concatMap (k: when ((dns.${k} or "") == "") "dns.${k} must be set for the provider ${provider}") (neededBy.${provider} or [ ]))
    (concatMap
      (n: concatLists [
        (when (!(isWithin zone n.domain)) "${n.name}'s domain is ${n.domain}; it must be in the zone ${zone}")
        (when (n.domain == nearest) "dns.nearest is ${nearest}; it must not be the domain of ${n.name}")
      ])
      fleet.node)
  ];

  peers = fleet.node ++ operators;
in
if shapes != [ ] then shapes
else if network == null then [ "fleet.network is \"${fleet.fleet.network}\"; it must be a /24 such as 10.84.0.0/24" ]
else concatLists [
  (twice "name" (map (p: p.name) peers))
  (twice "address" (map (p: p.address) peers))
  (twice "public-key" (map (p: p.public-key) peers))
  (twice "domain" (map (n: n.domain) fleet.node))
  (twice "ipv4" (map (n: n.ipv4) fleet.node))
  (twice "ipv6" (map (n: n.ipv6 or "") fleet.node))
  (twice "host-key" (map (n: n.host-key) fleet.node))
  (twice "push-token" (map (n: n.push-token or "") (fleet.node ++ jobs)))
  (when (length hubs != 1) "the fleet has ${toString (length hubs)} hubs; it must have one")
  (inspectFleet fleet.fleet)
  inspectNames
  (concatMap inspect fleet.node)
  addresses
  (concatMap inspectOperator operators)
  (inspectBreakGlass fleet.break-glass)
  (inspectBackup (fleet.backup or { }))
  inspectChannels
  inspectJobs
  (if fleet ? dns then inspectDNS fleet.dns else [ ])
]
