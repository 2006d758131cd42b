# services.clavitor: a node.
{ config, lib, pkgs, ... }:
let
  inherit (lib) mkDefault mkEnableOption mkIf mkOption types;
  cfg = config.services.clavitor;
  toml = import ./toml.nix { inherit lib pkgs; };
  secretFile = import ./secret-file.nix { inherit lib; };
  configFile = toml.generate "clavitor-node.toml" cfg.settings;
  credentials = "/run/credentials/clavitor-node.service";
  pushNames = lib.imap0 (i: _: "push-url-${toString i}") cfg.pushUrlFiles;
in
{
  options.services.clavitor = {
    enable = mkEnableOption "a Clavitor node: a vault for passwords and credentials";

    package = mkOption {
      type = types.package;
      example = lib.literalExpression or lib.literalExample "pkgs.callPackage ./package.nix { dist = ./dist; }";
      description = "The package with `clavitor-node`; `package.nix` makes one of the static binary.";
    };

    domain = mkOption {
      type = types.strMatching "([A-Za-z0-9-]+\\.)+[A-Za-z]+";
      example = "tokyo.clavitor.com";
      description = ''
        The node's DNS name. It gets a certificate for it, and clients bind their keys to it: it cannot change later
        without resetting passwords.
      '';
    };

    rootKeyFile = mkOption {
      type = types.nullOr secretFile;
      default = null;
      example = "/etc/clavitor/root.key";
      description = "The root key, given to the node as a credential. By default it lies beside the database.";
    };

    pushUrlFiles = mkOption {
      type = types.listOf secretFile;
      default = [ ];
      example = [ "/etc/clavitor/push-url" ];
      description = "Files that each hold the push URL of a monitor, given to the node as credentials.";
    };

    memoryMax = mkOption {
      type = types.str;
      default = "400M";
      example = "75%";
      description = "What the node may take at most; the default suits a machine of 512 MB.";
    };

    openFirewall = mkOption {
      type = types.bool;
      default = false;
      description = "Whether to open ports 80 and 443.";
    };

    settings = mkOption {
      default = { };
      example = { registration = "closed"; backup-every = "1d"; };
      description = ''
        The node's TOML file; every flag of `clavitor-node serve` is a key. It lies in the Nix store:
        a secret is named by its file.
      '';
      type = toml.settings {
        domain = mkOption {
          type = types.listOf types.str;
          description = "Names to get a certificate for; the first is `services.clavitor.domain`.";
        };
        registration = mkOption {
          type = types.enum [ "open" "invite" "closed" ];
          description = "Who may register.";
        };
        log-level = mkOption {
          type = types.enum [ "trace" "debug" "info" "notice" "warning" "error" "critical" ];
          description = "What to log.";
        };
      };
    };
  };

  config = mkIf cfg.enable {
    services.clavitor.settings = {
      domain = mkDefault [ cfg.domain ];
      registration = mkDefault "invite";
      log-level = mkDefault "info";
      push-url-file = mkIf (pushNames != [ ]) (map (name: "${credentials}/${name}") pushNames);
    };

    assertions = [
      {
        assertion = builtins.head cfg.settings.domain == cfg.domain;
        message = "services.clavitor.settings.domain must begin with services.clavitor.domain, to which clients bind their keys.";
      }
      {
        assertion = !(cfg.settings ? backup-to) || cfg.settings ? backup-recipient;
        message = "services.clavitor.settings.backup-to needs backup-recipient: somebody who can open the backups.";
      }
      (import ./store-keys.nix { inherit lib; name = "services.clavitor"; inherit (cfg) settings; })
    ];

    users.users.clavitor = { isSystemUser = true; group = "clavitor"; home = "/var/lib/clavitor"; };
    users.groups.clavitor = { };
    environment.systemPackages = [ cfg.package (import ./admin.nix { inherit pkgs cfg; }) ];
    networking.firewall.allowedTCPPorts = mkIf cfg.openFirewall [ 80 443 ];
    systemd.tmpfiles.rules = mkIf (cfg.settings ? backup-to) [ "d ${cfg.settings.backup-to} 0700 clavitor clavitor -" ];

    systemd.services.clavitor-node = {
      description = "Clavitor node";
      wantedBy = [ "multi-user.target" ];
      wants = [ "network-online.target" ];
      after = [ "network-online.target" ];
      # Always restart, however often it failed.
      startLimitIntervalSec = 0;
      serviceConfig = import ./hardening.nix // {
        # Creates a new machine's database, under the root key that was installed. Never overwrites existing data.
        ExecStartPre = "${cfg.package}/bin/clavitor-node init --if-empty --quiet --data /var/lib/clavitor";
        ExecStart = "${cfg.package}/bin/clavitor-node serve --data /var/lib/clavitor --config ${configFile}";
        User = "clavitor";
        Group = "clavitor";
        StateDirectory = "clavitor";
        StateDirectoryMode = "0700";
        ReadWritePaths = lib.optional (cfg.settings ? backup-to) cfg.settings.backup-to;
        LoadCredential = lib.optional (cfg.rootKeyFile != null) "root-key:${cfg.rootKeyFile}"
          ++ lib.zipListsWith (name: file: "${name}:${file}") pushNames cfg.pushUrlFiles;
        MemoryMax = cfg.memoryMax;
      };
    };
  };
}
