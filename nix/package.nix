# One of the static binaries, as `make static` leaves them in dist/. There is nothing to link or to patch in it.
{ lib, stdenvNoCC, dist, program ? "clavitor-node", version ? "0.1.0" }:
stdenvNoCC.mkDerivation {
  pname = program;
  inherit version;
  src = dist + "/${program}";
  dontUnpack = true;
  dontStrip = true;
  dontPatchELF = true;
  installPhase = "install -D -m 755 $src $out/bin/${program}";
  # A binary that is not static does not start in here, where there is no libc.
  doInstallCheck = true;
  installCheckPhase = "$out/bin/${program} --version";
  meta = {
    description = "A password and credential vault as an appliance";
    license = lib.licenses.asl20;
    platforms = [ "x86_64-linux" ];
    mainProgram = program;
  };
}
