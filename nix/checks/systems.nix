# Checks the machines. For each: its derivation, the false sentences of machine.nix, and the input of its programs.
# `planted` is the same with one fault, and reports whether it was found.
{ nixpkgs, dist, keysFile ? null, keys ? builtins.fromJSON (builtins.readFile keysFile), sshKey, node }:
let
  fleet = import ../fleet.nix { fleet = import ./fixture.nix { inherit keys sshKey; }; };
  lib = import (nixpkgs + "/lib");

  machine = extra: (import ../systems.nix { inherit nixpkgs dist fleet extra; }).${node};
  sentences = machine: import ./machine.nix {
    inherit lib fleet;
    inherit (machine) config options;
    node = fleet.byName.${node};
  };
  sound = machine [ ];
  inherit (sound) config;

  allBreaks = import ./breaks.nix { inherit lib; inherit (sound) options; node = fleet.byName.${node}; };
  breaks = allBreaks.${fleet.byName.${node}.role};
  notices = name: lib.all (fault: !(sentences (machine [ fault ])).${name}) (lib.toList breaks.${name});

  refuses = fault:
    let
      inherit ((machine [ fault ]).config) assertions services;
      options = { inherit (services.clavitor) rootKeyFile pushUrlFiles settings; };
      outcome = builtins.tryEval (builtins.deepSeq options (lib.all (a: a.assertion) assertions));
    in
    !outcome.success || !outcome.value;

  # The settings as the programs read them. Only the lists of nodes do not exist before the system is built.
  rendered = settings: (import ../toml.nix { inherit lib; pkgs = sound.pkgs or config.nixpkgs.pkgs; }).text
    (settings // lib.optionalAttrs (settings ? nodes) { nodes = "nodes.json"; }
      // lib.optionalAttrs (settings ? access-file) { access-file = "access.json"; });
  programs = [ "clavitor-node" ] ++ lib.optional (fleet.byName.${node}.role == "hub") "clavitor-monitor";
in
{
  report = {
    derivation = config.system.build.toplevel.drvPath;
    sentences = builtins.length (lib.attrNames (sentences sound));
    wrong = lib.attrNames (lib.filterAttrs (_: truth: !truth) (sentences sound));
    units = lib.genAttrs programs (p: config.systemd.units."${p}.service".text);
    settings = {
      clavitor-node = rendered config.services.clavitor.settings;
    } // lib.optionalAttrs (lib.elem "clavitor-monitor" programs) {
      clavitor-monitor = rendered config.services.clavitor-monitor.settings;
    };
    nodes = fleet.nodesBody;
    inherit (fleet) access;
  };

  # Sentences without a planted fault, which may never be false.
  untried = lib.subtractLists (lib.concatMap lib.attrNames (lib.attrValues allBreaks)) (lib.attrNames (sentences sound));

  # The sentences with faults, and whether each fault is found: one per process, to limit memory.
  faults = lib.attrNames breaks;
  planted = notices;

  # The committed inventory, which has no keys: which problem stops it, and what reports it.
  unfinished = map (a: a.message) (lib.filter (a: !a.assertion)
    (import ../systems.nix { inherit nixpkgs dist; }).${node}.config.assertions);

  # Secrets in the store fail the evaluation or the assertions.
  leaks = lib.attrNames (lib.filterAttrs (_: refused: !refused) {
    "a root key in the store" = refuses { services.clavitor.rootKeyFile = lib.mkForce "${builtins.storeDir}/root.key"; };
    "a root key as a path" = refuses { services.clavitor.rootKeyFile = lib.mkForce ./systems.nix; };
    "a push URL in the store" = refuses { services.clavitor.pushUrlFiles = [ "${builtins.storeDir}/url" ]; };
    "a TLS key in the store" = refuses { services.clavitor.settings.tls-key = "${builtins.storeDir}/tls.key"; };
    "nothing secret, refused all the same" = !(refuses { services.clavitor.settings.log-level = "debug"; });
  });
}
