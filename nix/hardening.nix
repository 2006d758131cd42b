# The sandbox of both services. `systemd-analyze security` scores it 1.5; the units in ../packaging are identical,
# and `scripts/check-nix` compares them.
{
  Type = "notify";
  WatchdogSec = "30s";
  Restart = "always";
  RestartSec = "5s";
  UMask = "0077";

  # Only for ports 80 and 443. This capability rules out PrivateUsers=.
  AmbientCapabilities = "CAP_NET_BIND_SERVICE";
  CapabilityBoundingSet = "CAP_NET_BIND_SERVICE";
  NoNewPrivileges = true;

  DevicePolicy = "closed";
  KeyringMode = "private";
  LockPersonality = true;
  MemoryDenyWriteExecute = true;
  PrivateDevices = true;
  PrivateIPC = true;
  PrivateMounts = true;
  PrivateTmp = true;
  ProtectClock = true;
  ProtectControlGroups = true;
  ProtectHome = true;
  ProtectHostname = true;
  ProtectKernelLogs = true;
  ProtectKernelModules = true;
  ProtectKernelTunables = true;
  # Not ProcSubset=pid: it hides /proc/meminfo and /proc/loadavg, which heartbeats need.
  ProtectProc = "invisible";
  ProtectSystem = "strict";
  RemoveIPC = true;
  RestrictAddressFamilies = "AF_INET AF_INET6 AF_UNIX";
  RestrictNamespaces = true;
  RestrictRealtime = true;
  RestrictSUIDSGID = true;
  SystemCallArchitectures = "native";
  SystemCallErrorNumber = "EPERM";
  # setpriority: libdispatch sets its threads' priority (without raising it), and logs an error if it may not.
  SystemCallFilter = [ "@system-service" "~@privileged @resources" "setpriority" ];

  # Secrets are never in a core dump or in swap, and the service is the last to be killed when memory runs out.
  LimitCORE = 0;
  LimitNOFILE = 65536;
  MemorySwapMax = 0;
  OOMScoreAdjust = -500;
  TasksMax = 256;
}
