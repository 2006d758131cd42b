# services.clavitor-monitor: receives the fleet's heartbeats.
{ config, lib, pkgs, ... }:
let
  inherit (lib) mkDefault mkEnableOption mkIf mkOption types;
  cfg = config.services.clavitor-monitor;
  toml = import ./toml.nix { inherit lib pkgs; };
  secretFile = import ./secret-file.nix { inherit lib; };
  # As root, its commands would create files that the service cannot open.
  admin = pkgs.writeScriptBin "clavitor-monitor-admin" ''
    #!${pkgs.runtimeShell}
    exec systemd-run --quiet --pipe --wait --collect --uid=clavitor-monitor --gid=clavitor-monitor --property=UMask=0077 \
      --property=StateDirectory=clavitor-monitor --property=StateDirectoryMode=0700 \
      ${cfg.package}/bin/clavitor-monitor "$@" --data /var/lib/clavitor-monitor
  '';
  # The monitor checks its channels and routes at build time.
  configFile = pkgs.runCommand "clavitor-monitor.toml" { } ''
    ${cfg.package}/bin/clavitor-monitor channel list --config ${toml.generate "clavitor-monitor.toml" cfg.settings}
    cp ${toml.generate "clavitor-monitor.toml" cfg.settings} $out
  '';
in
{
  options.services.clavitor-monitor = {
    enable = mkEnableOption "the monitor of a Clavitor fleet";

    package = mkOption {
      type = types.package;
      example = lib.literalExpression or lib.literalExample
        "pkgs.callPackage ./package.nix { program = \"clavitor-monitor\"; dist = ./dist; }";
      description = "The package with `clavitor-monitor`.";
    };

    credentials = mkOption {
      type = types.attrsOf secretFile;
      default = { };
      example = { ntfy = "/etc/clavitor/ntfy.url"; };
      description = ''
        Files with secrets. The monitor finds each as `/run/credentials/clavitor-monitor.service/NAME`, and so do the
        keys of `settings` that name a file, such as `url-file`.
      '';
    };

    memoryMax = mkOption {
      type = types.str;
      default = "400M";
      example = "75%";
      description = "What the monitor may take at most.";
    };

    openFirewall = mkOption {
      type = types.bool;
      default = false;
      description = "Whether to open ports 80 and 443.";
    };

    settings = mkOption {
      default = { };
      example = {
        domain = [ "monitor.example.net" ];
        channel = [ { name = "phone"; type = "ntfy"; url-file = "/run/credentials/clavitor-monitor.service/ntfy"; } ];
      };
      description = ''
        The monitor's TOML file: the flags of `clavitor-monitor serve`, and the tables `channel` and `route`. It lies
        in the Nix store: a secret is named by its file.
      '';
      type = toml.settings {
        https = mkOption {
          type = types.str;
          description = "HTTPS listen address, as ADDRESS:PORT.";
        };
        log-level = mkOption {
          type = types.enum [ "trace" "debug" "info" "notice" "warning" "error" "critical" ];
          description = "What to log.";
        };
      };
    };
  };

  config = mkIf cfg.enable {
    services.clavitor-monitor.settings = {
      https = mkDefault "0.0.0.0:443";
      log-level = mkDefault "info";
    };

    assertions = [
      {
        assertion = cfg.settings ? domain || (cfg.settings ? tls-cert && cfg.settings ? tls-key);
        message = "services.clavitor-monitor.settings needs domain, or tls-cert and tls-key, for a certificate.";
      }
      (import ./store-keys.nix { inherit lib; name = "services.clavitor-monitor"; inherit (cfg) settings; })
    ];

    users.users.clavitor-monitor = { isSystemUser = true; group = "clavitor-monitor"; home = "/var/lib/clavitor-monitor"; };
    users.groups.clavitor-monitor = { };
    environment.systemPackages = [ cfg.package admin ];
    networking.firewall.allowedTCPPorts = mkIf cfg.openFirewall [ 80 443 ];
    systemd.tmpfiles.rules =
      mkIf (cfg.settings ? backup-to) [ "d ${cfg.settings.backup-to} 0700 clavitor-monitor clavitor-monitor -" ];

    systemd.services.clavitor-monitor = {
      description = "Clavitor monitor";
      wantedBy = [ "multi-user.target" ];
      wants = [ "network-online.target" ];
      after = [ "network-online.target" ];
      startLimitIntervalSec = 0;
      serviceConfig = import ./hardening.nix // {
        ExecStart = "${cfg.package}/bin/clavitor-monitor serve --data /var/lib/clavitor-monitor --config ${configFile}";
        User = "clavitor-monitor";
        Group = "clavitor-monitor";
        StateDirectory = "clavitor-monitor";
        StateDirectoryMode = "0700";
        ReadWritePaths = lib.optional (cfg.settings ? backup-to) cfg.settings.backup-to;
        LoadCredential = lib.mapAttrsToList (name: file: "${name}:${file}") cfg.credentials;
        MemoryMax = cfg.memoryMax;
      };
    };
  };
}
