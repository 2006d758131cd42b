# What both services forbid themselves. `systemd-analyze security` gives it 1.5; the units in ../packaging say the same,
# and `scripts/check-nix` compares them.
{
  Type = "notify";
  WatchdogSec = "30s";
  Restart = "always";
  RestartSec = "5s";
  UMask = "0077";

  # Ports 80 and 443, and nothing else that root may do. This rules out PrivateUsers=.
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
  # Not ProcSubset=pid: it hides /proc/meminfo and /proc/loadavg, and heartbeats with them.
  ProtectProc = "invisible";
  ProtectSystem = "strict";
  RemoveIPC = true;
  RestrictAddressFamilies = "AF_INET AF_INET6 AF_UNIX";
  RestrictNamespaces = true;
  RestrictRealtime = true;
  RestrictSUIDSGID = true;
  SystemCallArchitectures = "native";
  SystemCallErrorNumber = "EPERM";
  # setpriority: libdispatch sets the priority of its threads, which is not raised, and complains when it may not.
  SystemCallFilter = [ "@system-service" "~@privileged @resources" "setpriority" ];

  # Secrets reach neither a core file nor swap, and the service is the last to be killed for memory.
  LimitCORE = 0;
  LimitNOFILE = 65536;
  MemorySwapMax = 0;
  OOMScoreAdjust = -500;
  TasksMax = 256;
}
