# A secret's file, by its path on the machine. Never a Nix path, which would be copied into the store, and never in the
# store, which is world-readable.
{ lib }:
lib.types.strMatching "/.+" // {
  name = "secretFile";
  description = "absolute path, as a string, of a file outside the Nix store";
  check = value: builtins.isString value && lib.hasPrefix "/" value && !lib.hasPrefix builtins.storeDir value;
}
