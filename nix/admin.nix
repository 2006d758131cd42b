# `clavitor-admin`, with this system's paths.
{ pkgs, cfg }:
pkgs.writeScriptBin "clavitor-admin" (builtins.replaceStrings
  [ "#!/bin/sh" "/usr/local/bin/clavitor-node" "/etc/clavitor/root.key" ]
  [
    "#!${pkgs.runtimeShell}"
    "${cfg.package}/bin/clavitor-node"
    (if cfg.rootKeyFile == null then "/var/lib/clavitor/root.key" else cfg.rootKeyFile)
  ]
  (builtins.readFile ../packaging/clavitor-admin))
