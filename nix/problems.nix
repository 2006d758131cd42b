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
      needed = { break-glass = "table"; fleet = "table"; node = "list of tables"; provider = "table"; tier = "table"; };
      optional = {
        backup = "table"; channel = "list of tables"; dns = "table"; job = "list of tables"; notify = "table";
        operator = "list of tables"; route = "list of tables";
      };
    };
    fleet.needed = { acme-contact = "list of texts"; monitor = "text"; network = "text"; port = "whole number"; };
    break-glass = { needed = { from = "list of texts"; ssh-key = "text"; }; optional.enabled = "boolean"; };
    backup.optional = { enabled = "boolean"; every = "text"; keep = "text"; recipients = "list of texts"; target = "text"; };
    notify.optional = { dead-man = "boolean"; enabled = "boolean"; };
    job = { needed = { every = "text"; name = "text"; }; optional.push-token = "text"; };
    provider = { needed = { disk = "text"; root = "text"; }; optional.esp = "text"; };
    tier = {
      needed.usd = "number";
      optional = { disk-gb = "whole number"; memory-mb = "whole number"; transfer-gb = "whole number"; };
    };
    peer = {
      needed = { address = "text"; name = "text"; public-key = "text"; ssh-key = "text"; };
      optional.monitor-token = "text";
    };
    node = {
      needed = {
        name = "text"; city = "text"; region = "text"; latitude = "number"; longitude = "number"; domain = "text";
        provider = "text"; tier = "text"; role = "text"; address = "text"; ipv4 = "text"; public-key = "text";
        host-key = "text";
      };
      optional = { disk = "text"; esp = "text"; ipv6 = "text"; push-token = "text"; registration = "text"; root = "text"; };
    };
    dns = {
      needed = { floor = "whole number"; nearest = "text"; provider = "text"; ttl = "whole number"; zone = "text"; };
      optional = { health-file = "text"; key-file = "text"; server = "text"; token-file = "text"; zone-id = "text"; };
    };
  };
  fits = {
    "text" = isString;
    "whole number" = isInt;
    "number" = v: isInt v || isFloat v;
    "boolean" = isBool;
    "list of texts" = v: isList v && all isString v;
    "table" = isAttrs;
    "list of tables" = v: isList v && all isAttrs v;
  };

  shape = { needed ? { }, optional ? { } }: label: table:
    let kinds = optional // needed; in
    if !(isAttrs table) then [ "${label} is no table" ] else concatLists [
      (map (k: "${label} has no ${k}") (filter (k: !(table ? ${k})) (attrNames needed)))
      (map (k: "${label} has an unknown key, ${k}") (filter (k: !(kinds ? ${k})) (attrNames table)))
      (map (k: "${label}'s ${k} is no ${kinds.${k}}")
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
    when (repeated != [ ]) "${what} ${builtins.head repeated} is there twice";

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
    (when (port < 1 || port > 65535) "fleet.port is ${toString port}; it must be 1 to 65535")
    (when (!(isDomain monitor)) "fleet.monitor is no DNS name: \"${monitor}\"")
  ];

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
    (when (!(matches "[a-z]([a-z0-9-]{0,61}[a-z0-9])?" n.name)) "\"${n.name}\" is no name: small letters, digits and hyphens")
    (when (!(isDomain n.domain)) "${n.name}'s domain is no DNS name: \"${n.domain}\"")
    (when (n.region == "" || n.city == "") "${n.name} needs a city and a region")
    (when (!(within 90 n.latitude && within 180 n.longitude)) "${n.name} is nowhere on earth")
    (when (!(fleet.provider ? ${n.provider})) "${n.name} is with an unknown provider, ${n.provider}")
    (when (!(fleet.tier ? ${n.tier})) "${n.name} has an unknown tier, ${n.tier}")
    (when (!(elem n.role [ "hub" "spoke" ])) "${n.name}'s role is hub or spoke, not ${n.role}")
    (when (n.ipv4 != "" && !(matches ipv4 n.ipv4)) "${n.name}'s ipv4 is no address: ${n.ipv4}")
    (when (isUnreachable n.ipv4) "${n.name}'s ipv4 is ${n.ipv4}, which is no public address: clients could not reach it")
    (when (ipv6 != "" && !(isIPv6 ipv6)) "${n.name}'s ipv6 is no address: ${ipv6}")
    (when (isIPv6 ipv6 && !(matches "[23][0-9a-f]{3}:.*" ipv6) && !isOnOneMachine)
      "${n.name}'s ipv6 is ${ipv6}, which is no public address: clients could not reach it")
    (when (ipv6 != "" && n.ipv4 == "") "${n.name} has an ipv6 and no ipv4: most clients could not reach it")
    (when (ipv6 != "" && n.role == "hub") "${n.name} is the hub and has an ipv6: node and monitor share its ports, by IPv4 alone")
    (when ((n.push-token or "") != "" && !(isDigest n.push-token)) "${n.name}'s push-token is no SHA-256 in hexadecimal")
    (when (!(elem (n.registration or "") [ "" "open" "invite" "closed" ]))
      "${n.name}'s registration is open, invite or closed, not ${n.registration}")
    (when (n.host-key != "" && !(matches "ssh-ed25519 [A-Za-z0-9+/=]+" n.host-key))
      "${n.name}'s host-key is not of the form ssh-ed25519 …")
    (wireguard n)
  ];

  wireguard = peer:
    when (peer.public-key != "" && !(matches "${base64}{43}=" peer.public-key))
      "${peer.name}'s public-key is no WireGuard key";

  inRange = low: high: id: id != null && id >= low && id <= high;

  addresses = concatMap
    (n: when (!(if n.role == "hub" then n.id == 1 else inRange 2 199 n.id))
      "${n.name}'s address is ${n.address}: the hub has .1 of ${fleet.fleet.network}, a spoke .2 to .199")
    nodes;

  inspectOperator = o: concatLists [
    (when (!(inRange 200 254 o.id)) "operator ${o.name}'s address is ${o.address}: it is .200 to .254 of ${fleet.fleet.network}")
    (when (!(isPublicKey "[A-Za-z0-9+/=]+" o.ssh-key)) "operator ${o.name}'s ssh-key is no ed25519 key")
    (when (o.public-key == "") "operator ${o.name} has no WireGuard key")
    (when ((o.monitor-token or "") != "" && !(isDigest o.monitor-token))
      "operator ${o.name}'s monitor-token is no SHA-256 in hexadecimal")
    (wireguard o)
  ];

  inspectBreakGlass = { ssh-key, from, ... }: concatLists [
    (when ((ssh-key == "") != (from == [ ])) "break-glass needs a key and an address, or neither")
    (when (ssh-key != "" && !(isPublicKey "(${base64}{4}){16,}(${base64}{4}|${base64}{3}=|${base64}{2}==)" ssh-key))
      "break-glass.ssh-key is no ed25519 key")
    (map (f: "break-glass.from is no address: ${f}") (filter (f: !(matches ipv4 f)) from))
  ];

  inspectBackup = { recipients ? [ ], every ? "", keep ? "", target ? "", ... }: concatLists [
    (map (r: "backup.recipients has ${r}, which is no recipient of age: they begin with age1")
      (filter (r: !(matches "age1[a-z0-9]{58}|ssh-ed25519 [A-Za-z0-9+/=]+" r)) recipients))
    (when (every != "" && !(isDuration every))
      "backup.every is ${every}; it must be a duration such as 12h or 1d")
    (when (keep != "" && (!(matches "[0-9]{1,4}(,[0-9]{1,4}){3}" keep) || matches "[0,]*" keep))
      "backup.keep is ${keep}; it must be four numbers, last,daily,weekly,monthly")
    (when (target != "" && !(isBackupFolder target))
      "backup.target is ${target}; it must be a folder below /var/, and none of the programs' own")
  ];
  isBackupFolder = target: matches "/var(/[A-Za-z0-9._-]+)+" target && !(matches "(.*/)?[.]{1,2}(/.*)?" target)
    && !(matches "/var/lib/clavitor(-monitor|-soc)?(/.*)?" target);

  channels = fleet.channel or [ ];
  secretParts = [ "key" "password" "token" "url" ];
  inspectChannel = c:
    let name = if isString (c.name or null) then c.name else ""; type = if isString (c.type or null) then c.type else ""; in
    concatLists [
      (when (!(matches "[a-z]([a-z0-9-]{0,61}[a-z0-9])?" name)) "\"${name}\" is no name of a channel: small letters, digits and hyphens")
      (when (!(elem type [ "chat" "email" "ntfy" "pagerduty" "telegram" "webhook" ]))
        "channel ${name}'s type is chat, email, ntfy, pagerduty, telegram or webhook, not ${type}")
      (map (s: "channel ${name}'s secrets are key, password, token, url, not ${s}")
        (filter (s: isString s && !(elem s secretParts)) (if isList (c.secrets or null) then c.secrets else [ ])))
      (map (k: "channel ${name} names a file, ${k}: its secret is kept by `clavitor-soc secrets`")
        (filter (k: matches ".*-file" k) (attrNames c)))
    ];
  channelNames = map (c: if isString (c.name or null) then c.name else "") channels;
  routeTo = r: if isString (r.channel or null) then r.channel else "";
  inspectChannels = concatLists [
    (twice "channel" channelNames)
    (concatMap inspectChannel channels)
    (map (r: "a route leads to the channel ${routeTo r}, which is not there")
      (filter (r: !(elem (routeTo r) channelNames)) (fleet.route or [ ])))
  ];

  jobs = fleet.job or [ ];
  isDuration = matches "[1-9][0-9]{0,3}[smhd]";
  inspectJobs = concatLists [
    (twice "job" (map (j: j.name) jobs))
    (map (j: "job ${j.name} has the name of a node: the monitor knows both by it")
      (filter (j: elem j.name (map (n: n.name) fleet.node)) jobs))
    (concatMap
      (j: concatLists [
        (when (!(matches "[a-z]([a-z0-9-]{0,61}[a-z0-9])?" j.name)) "\"${j.name}\" is no name of a job: small letters, digits and hyphens")
        (when (!(isDuration j.every)) "job ${j.name}'s every is ${j.every}; it must be a duration such as 12h or 1d")
        (when ((j.push-token or "") != "" && !(isDigest j.push-token)) "job ${j.name}'s push-token is no SHA-256 in hexadecimal")
      ])
      jobs)
  ];

  neededBy = { rfc2136 = [ "server" "key-file" ]; gdnsd = [ "health-file" ]; cloudflare = [ "zone-id" "token-file" ]; };
  isServer = text:
    let parts = builtins.match "([[][0-9a-f:]+[]]|[^:]+)(:([1-9][0-9]{0,4}))?" text; host = elemAt parts 0; port = elemAt parts 2; in
    isIPv6 text || (parts != null && (port == null || builtins.fromJSON port <= 65535)
      && (matches ipv4 host || isDomain host || (matches "[[].*[]]" host && isIPv6 (substring 1 (stringLength host - 2) host))));
  inspectDNS = { zone, nearest, ttl, floor, provider, ... }@dns: concatLists [
    (when (!(isDomain zone)) "dns.zone is no DNS name: \"${zone}\"")
    (when (!(isDomain nearest)) "dns.nearest is no DNS name: \"${nearest}\"")
    (when (!(isWithin zone nearest)) "dns.nearest is not in the zone ${zone}: ${nearest}")
    (when (ttl < 1 || ttl > 86400) "dns.ttl is ${toString ttl}; it must be 1 to 86400 seconds")
    (when (floor < 0) "dns.floor is ${toString floor}; it must be 0 or more")
    (when (!(neededBy ? ${provider})) "dns.provider is rfc2136, gdnsd or cloudflare, not ${provider}")
    (when ((dns.server or "") != "" && !(isServer dns.server))
      "dns.server is ${dns.server}; it must be an address or a DNS name, with or without :PORT")
    (concatMap (k: when ((dns.${k} or "") == "") "dns.${k} is needed for the provider ${provider}") (neededBy.${provider} or [ ]))
    (concatMap
      (n: concatLists [
        (when (!(isWithin zone n.domain)) "${n.name}'s domain is not in the zone ${zone}: ${n.domain}")
        (when (n.domain == nearest) "dns.nearest is ${n.name}'s own name: ${nearest}")
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
  (when (length hubs != 1) "the fleet has ${toString (length hubs)} hubs; it needs one")
  (inspectFleet fleet.fleet)
  (concatMap inspect fleet.node)
  addresses
  (concatMap inspectOperator operators)
  (inspectBreakGlass fleet.break-glass)
  (inspectBackup (fleet.backup or { }))
  inspectChannels
  inspectJobs
  (if fleet ? dns then inspectDNS fleet.dns else [ ])
]
