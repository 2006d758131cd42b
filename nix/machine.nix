# The base of every machine of the fleet: small, minimal, and built elsewhere.
{ config, lib, options, modulesPath, ... }:
let
  isAtLeast = lib.versionAtLeast lib.trivial.release;
in
{
  imports = [ (modulesPath + "/profiles/qemu-guest.nix") ];

  # nixpkgs had `nix.maxJobs` until 22.05, `nix.settings` since.
  nix = {
    gc = { automatic = true; dates = "weekly"; };
    # Evaluating a system takes more than 500 MB, so systems are built elsewhere and copied.
    extraOptions = "min-free = 536870912";
    nixPath = [ ];
  } // (if options.nix ? settings then { settings.max-jobs = 0; } else { maxJobs = 0; })
    // lib.optionalAttrs (options.nix ? channel) { channel.enable = false; };

  # Keeps two generations, the current and the previous one, whatever their age (unlike --delete-older-than).
  systemd.services.nix-gc.preStart =
    "${config.nix.package.out}/bin/nix-env --profile /nix/var/nix/profiles/system --delete-generations +2";

  boot.loader.grub.configurationLimit = 2;
  # Enough time to select a generation, or break-glass, at the provider's console.
  boot.loader.timeout = 5;

  boot.kernel.sysctl = {
    "kernel.core_pattern" = "|/bin/false";
    "kernel.dmesg_restrict" = 1;
    "kernel.kptr_restrict" = lib.mkForce 2;
    "kernel.yama.ptrace_scope" = 2;
    "net.core.bpf_jit_harden" = 2;
  };

  zramSwap = { enable = true; memoryPercent = 50; };
  services.timesyncd.enable = true;
  # Certificate validation needs the time, and a new machine's clock may be years behind. But a vault must also start in
  # a network without time servers.
  systemd.services.clock-is-set = {
    description = "The clock is set, or cannot be";
    wantedBy = [ "multi-user.target" ];
    before = [ "clavitor-node.service" "clavitor-monitor.service" ];
    after = [ "systemd-timesyncd.service" ];
    serviceConfig = { Type = "oneshot"; RemainAfterExit = true; };
    script = ''
      for _ in $(seq 60); do
        [ ! -e /run/systemd/timesync/synchronized ] || exit 0
        sleep 1
      done
      echo "no time server has answered for a minute: the clock may be wrong" >&2
    '';
  };
  services.journald.extraConfig = ''
    SystemMaxUse=200M
    RuntimeMaxUse=16M
    MaxRetentionSec=1month
  '';

  users.mutableUsers = false;
  users.users.root.hashedPassword = "!";
  security.sudo.enable = false;
  system.autoUpgrade.enable = false;
  networking.useDHCP = lib.mkDefault true;
  time.timeZone = "UTC";

  # No default packages (nano, perl, rsync, strace).
  environment = lib.optionalAttrs (options.environment ? defaultPackages) { defaultPackages = [ ]; };
  documentation.enable = false;
  documentation.nixos.enable = false;
  fonts.fontconfig.enable = false;
  programs.command-not-found.enable = false;
  security.polkit.enable = false;
  services.udisks2.enable = false;
  xdg.autostart.enable = false;
  xdg.icons.enable = false;
  xdg.mime.enable = false;
  xdg.sounds.enable = false;
  services.logrotate.enable = false;
  # Before 25.05 the default is all locales, 200 MB.
  i18n = lib.optionalAttrs (!(options.i18n ? extraLocales)) { supportedLocales = [ "C.UTF-8/UTF-8" "en_US.UTF-8/UTF-8" ]; };

  system.stateVersion = lib.mkDefault (if isAtLeast "25.11" then "25.11" else lib.trivial.release);
}
