# The format of `settings`: that of nixpkgs, or, before 20.09, a minimal one for our files: plain values, lists, and lists of
# tables one level deep.
{ lib, pkgs }:
let
  inherit (builtins) isAttrs isList toJSON;

  isTables = value: isList value && value != [ ] && lib.all isAttrs value;
  # Without nulls, JSON values are also TOML values.
  line = key: value: "${toJSON key} = ${toJSON value}\n";
  lines = table: lib.concatStrings (lib.mapAttrsToList line table);
  text = settings:
    lines (lib.filterAttrs (_: value: !isTables value) settings)
    + lib.concatStrings (lib.mapAttrsToList
      (key: tables: lib.concatMapStrings (table: "\n[[${toJSON key}]]\n${lines table}") tables)
      (lib.filterAttrs (_: isTables) settings));

  scalar = with lib.types; oneOf [ bool int float str ];
  plain = with lib.types; either scalar (listOf scalar);
in
{
  # The file as a value, for a check that passes it to the programs.
  inherit text;
} // (if pkgs ? formats then
  let format = pkgs.formats.toml { };
  in {
    inherit (format) generate;
    settings = options: lib.types.submodule { freeformType = format.type; inherit options; };
  }
else {
  generate = name: settings: pkgs.writeText name (text settings);
  # No freeform submodules either: the options' types are not checked.
  settings = _options: with lib.types; attrsOf (either scalar (listOf (either scalar (attrsOf plain))));
})
