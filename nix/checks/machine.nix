# The requirements of a machine, by name. Each is a sentence about the evaluated system, not about the source.
{ lib, fleet, node, config, options }:
let
  inherit (lib) all any concatLists elem hasInfix hasPrefix sort;
  isHub = node.role == "hub";
  sorted = sort builtins.lessThan;
  ssh = config.services.openssh;
  wireguard = config.networking.wireguard.interfaces.wg0;
  firewall = config.networking.firewall;
  sysctl = name: toString config.boot.kernel.sysctl.${name};
  service = name: config.systemd.services.${name};
  text = name: config.systemd.units."${name}.service".text;
  isSwitchedOff = new: old: if options.services.openssh ? settings then !ssh.settings.${new} else !ssh.${old};
  rootLogin = if options.services.openssh ? settings then ssh.settings.PermitRootLogin else ssh.permitRootLogin;
  rootKeys = config.users.users.root.openssh.authorizedKeys.keys;
  words = line: lib.filter (w: w != "") (lib.splitString " " line);
  sshdLines = keyword: lib.filter (w: w != [ ] && lib.head w == keyword) (map words (lib.splitString "\n" ssh.extraConfig));

  settings = import ../hardening.nix;
  show = value: if builtins.isBool value then lib.boolToString value else toString value;
  hardened = unit: all
    (key: all (value: elem "${key}=${show value}" (lib.splitString "\n" (text unit))) (lib.toList settings.${key}))
    (lib.attrNames settings);
  programs = [ "clavitor-node" ] ++ lib.optional isHub "clavitor-monitor";

  inStore = path: hasPrefix builtins.storeDir (toString path);
  credentials = unit: lib.toList (service unit).serviceConfig.LoadCredential;
  wanted = lib.attrNames (lib.filterAttrs (_: s: s.enable && elem "multi-user.target" s.wantedBy) config.systemd.services);
  # Other units belong to the system, and differ between versions of nixpkgs.
  known = programs ++ lib.optional (node.ipv6 != "") "public-ipv6" ++ [
    "clock-is-set" "dhcpcd" "network-setup" "resolvconf" "sshd" "systemd-modules-load" "systemd-sysctl" "wireguard-wg0"
    "mount-pstore" "nscd" "sshd-keygen" "suid-sgid-wrappers" "systemd-oomd"
  ];
in
{
  "assertions hold" = all (a: a.assertion) config.assertions;
  "it has its name" = config.networking.hostName == node.name;

  "sshd listens on the WireGuard address alone" = ssh.enable
    && map (l: { inherit (l) addr port; }) ssh.listenAddresses == [ { addr = node.address; port = 22; } ]
    && all (l: l == [ "ListenAddress" "${node.address}:22" ]) (sshdLines "ListenAddress");
  "sshd is not started by a socket" = !ssh.startWhenNeeded && config.systemd.generators.systemd-ssh-generator == "/dev/null";
  "sshd survives the boot race" = sysctl "net.ipv4.ip_nonlocal_bind" == "1"
    && (service "sshd").serviceConfig.Restart == "always" && hasInfix "StartLimitIntervalSec=0" (text "sshd")
    && elem "wireguard-wg0.service" (service "sshd").after && elem "wireguard-wg0.service" (service "sshd").wants
    && !(elem "wireguard-wg0.service" (service "sshd").requires);
  "sshd takes keys only" = isSwitchedOff "PasswordAuthentication" "passwordAuthentication"
    && isSwitchedOff "KbdInteractiveAuthentication" "challengeResponseAuthentication"
    && rootLogin == "prohibit-password" && sshdLines "AuthenticationMethods" == [ [ "AuthenticationMethods" "publickey" ] ];
  "sshd takes keys of the system only" = ssh.authorizedKeysFiles == [ "/etc/ssh/authorized_keys.d/%u" ];
  "every key is good from one address" = rootKeys != [ ]
    && all (hasPrefix "from=\"${if isHub then "10.84.0.200" else "10.84.0.1"}\" ssh-ed25519 ") rootKeys;
  "sshd forwards no agent, and to spokes alone" = sshdLines "AllowAgentForwarding" == [ [ "AllowAgentForwarding" "no" ] ]
    && map lib.last (sshdLines "AllowTcpForwarding") == [ (if isHub then "local" else "no") ]
    && concatLists (map lib.tail (sshdLines "PermitOpen")) == lib.optionals isHub (map (s: "${s.address}:22") fleet.spokes);

  "the firewall opens 80 and 443" = firewall.enable && sorted firewall.allowedTCPPorts == [ 80 443 ];
  "the firewall opens WireGuard on the hub alone" = firewall.allowedUDPPorts == lib.optional isHub 51820;
  "the firewall opens no range and trusts no interface" = firewall.allowedTCPPortRanges == [ ]
    && firewall.allowedUDPPortRanges == [ ] && all (i: i == "lo") firewall.trustedInterfaces;
  "the tunnel lets sshd in" = lib.attrNames (removeAttrs firewall.interfaces [ "default" ]) == [ "wg0" ]
    && firewall.interfaces.wg0.allowedTCPPorts == [ 22 ] && firewall.interfaces.wg0.allowedUDPPorts == [ ];

  "a spoke hears the hub alone" = isHub || (wireguard.ips == [ "${node.address}/32" ]
    && map (p: p.allowedIPs) wireguard.peers == [ [ "10.84.0.1/32" ] ]
    && (lib.head wireguard.peers).publicKey == fleet.hub.public-key);
  "a spoke dials an address and keeps at it" = isHub || all
    (p: builtins.match "[0-9.]+:51820" p.endpoint != null && p.persistentKeepalive == 25) wireguard.peers;
  "the hub hears each peer for one address" = !isHub || (wireguard.listenPort == 51820
    && sorted (concatLists (map (p: p.allowedIPs) wireguard.peers))
      == sorted (map (p: "${p.address}/32") (fleet.spokes ++ fleet.operators))
    && all (p: builtins.length p.allowedIPs == 1) wireguard.peers);
  "the hub forwards nothing" = !isHub || (sysctl "net.ipv4.ip_forward" == "0" && sysctl "net.ipv6.conf.all.forwarding" == "0"
    && hasInfix "ip46tables -I FORWARD -i wg0 -j DROP" firewall.extraCommands);

  "the programs are hardened" = all hardened programs;
  "the programs have their own users" = all
    (p: elem "User=${lib.removeSuffix "-node" p}" (lib.splitString "\n" (text p))) programs;
  "secrets come as credentials" = all (p: credentials p != [ ] && !(hasInfix "EnvironmentFile=" (text p))) programs
    && elem "root-key:/etc/clavitor/root.key" (credentials "clavitor-node");
  "no secret is in the store" = !(inStore wireguard.privateKeyFile) && wireguard.privateKey == null
    && all (c: !(inStore (lib.last (lib.splitString ":" c)))) (lib.concatMap credentials programs);
  "the database is where only it may write" = all (p: hasInfix "StateDirectoryMode=0700" (text p)) programs;
  "it has the address that its name leads to" = node.ipv6 == ""
    || hasInfix "ip -6 address replace ${node.ipv6}/64 " (service "public-ipv6").script;
  "heartbeats need no DNS" = config.networking.hosts."10.84.0.1" or [ ] == [ "monitor.clavitor.com" ];
  "node and monitor do not meet on a port" = !isHub
    || config.services.clavitor.settings.https == "${node.ipv4}:443"
      && config.services.clavitor-monitor.settings.https == "10.84.0.1:443";

  "nothing is evaluated here" = !config.system.autoUpgrade.enable && config.nix.nixPath == [ ]
    && toString (if options.nix ? settings then config.nix.settings.max-jobs else config.nix.maxJobs) == "0";
  "two generations are kept" = config.boot.loader.grub.configurationLimit == 2 && config.nix.gc.automatic
    && hasInfix "--delete-generations +2" (service "nix-gc").preStart;
  "it is small and keeps the time" = config.zramSwap.enable && config.services.timesyncd.enable
    && all (p: elem "${p}.service" (service "clock-is-set").before) programs
    && hasInfix "SystemMaxUse=" config.services.journald.extraConfig && !config.documentation.enable;
  "nobody becomes a user by hand" = !config.users.mutableUsers && config.users.users.root.hashedPassword == "!"
    && !config.security.sudo.enable;
  "no other service runs" = all (s: elem s known || hasPrefix "wireguard-wg0-peer-" s) wanted;
  "break-glass is shut" = (service "break-glass").wantedBy == [ ] && !(any (p: p == 2222) firewall.allowedTCPPorts)
    && hasInfix "-s 198.51.100.7 " (service "break-glass").preStart && (service "break-glass").serviceConfig.RuntimeMaxSec == "4h"
    && hasInfix "-s 198.51.100.8 " (service "break-glass").preStart
    && hasPrefix "from=\"198.51.100.7,198.51.100.8\",restrict,pty ssh-ed25519 " config.environment.etc."ssh/break-glass.keys".text;
}
