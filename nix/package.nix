# One of the static binaries that `make static` puts into dist/. It needs no linking or patching.
{ lib, stdenvNoCC, dist, program ? "clavitor-node", version ? "0.1.0" }:
stdenvNoCC.mkDerivation {
  pname = program;
  inherit version;
  src = dist + "/${program}";
  dontUnpack = true;
  dontStrip = true;
  dontPatchELF = true;
  installPhase = "install -D -m 755 $src $out/bin/${program}";
  # A binary that is not static fails to start in the sandbox, which has no libc.
  doInstallCheck = true;
  installCheckPhase = "$out/bin/${program} --version";
  meta = {
    description = "A password and credential vault as an appliance";
    license = lib.licenses.asl20;
    platforms = [ "x86_64-linux" ];
    mainProgram = program;
  };
}
