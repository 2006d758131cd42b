# Asserts that no setting for a secret's file names a file in the Nix store, which is world-readable.
{ lib, name, settings }:
let
  secretKeys = [
    "acme-eab-key-file" "dns-key-file" "push-url-file" "tls-key"   # both programs
    "dead-man-url-file" "url-file" "token-file" "password-file" "key-file"   # the monitor and its channels
  ];
  inStore = value: builtins.isPath value || lib.hasPrefix builtins.storeDir (toString value);
  found = table: lib.concatLists (lib.mapAttrsToList
    (key: value:
      if builtins.isAttrs value then found value
      else if builtins.isList value && lib.any builtins.isAttrs value then lib.concatMap found value
      else lib.optional (lib.elem key secretKeys && lib.any inStore (lib.toList value)) key)
    table);
in
{
  assertion = found settings == [ ];
  message = "${name}.settings names a secret in the Nix store, which everybody can read: "
    + "${lib.concatStringsSep ", " (found settings)}. Put the file on the machine and name it as a string.";
}
