"""What stands in for NixOS on a Debian: generations, switch-to-configuration, and the parts of systemd and Nix that a deploy
calls. Everything that it starts is the real thing."""

# A unit is a file with the number of its process in /run/units.
SYSTEMCTL = r"""#!/bin/sh
quiet=
verb=$1; shift
while :; do
    case ${1:-} in
    --quiet) quiet=1 ;;
    --no-block) ;;
    *) break ;;
    esac
    shift
done
unit=/run/units/$1
alive() { [ -e "$unit" ] && kill -0 "$(cat "$unit")" 2>/dev/null; }
case $verb in
cat) exec cat "/etc/units/$1" ;;
start)
    alive && exit 0
    [ -x "/etc/units/$1" ] || { echo "there is no unit $1" >&2; exit 5; }
    setsid sh -c 'echo $$ >"$1"; exec "$2"' sh "$unit" "/etc/units/$1" </dev/null >>/var/log/units.log 2>&1 &
    sleep 0.5
    alive ;;
is-active)
    if alive; then word=active code=0; else word=inactive code=3; fi
    [ -n "$quiet" ] || echo $word
    exit $code ;;
stop)
    alive || exit 0
    kill -TERM "$(cat "$unit")" 2>/dev/null
    for _ in $(seq 1 100); do alive || break; sleep 0.1; done
    # What was run by it goes with it.
    case $1 in *.timer) ;; *) kill -KILL "-$(cat "$unit")" 2>/dev/null ;; esac
    rm -f "$unit" ;;
*) echo "systemctl stands in and knows no $verb" >&2; exit 1 ;;
esac
exit 0
"""

SYSTEMD_RUN = r"""#!/bin/sh
unit= after=
while :; do
    case $1 in
    --unit=*) unit=${1#--unit=} ;;
    --on-active=*) after=${1#--on-active=} ;;
    --*) ;;
    *) break ;;
    esac
    shift
done
mkdir -p /run/units
if [ -n "$after" ]; then
    setsid sh -c 'echo $$ >"/run/units/$1.timer"; sleep "$2"; shift 2; exec "$@"' sh "$unit" "$after" "$@" \
        </dev/null >/dev/null 2>&1 &
else
    setsid sh -c 'echo $$ >"/run/units/$1.service"; shift; exec "$@"' sh "$unit" "$@" </dev/null >/dev/null 2>&1 &
fi
file=/run/units/$unit.$([ -n "$after" ] && echo timer || echo service)
until [ -e "$file" ]; do sleep 0.05; done
"""

NIX_ENV = r"""#!/bin/sh
set -eu
[ "$1" = -p ]
profile=$2
case $3 in
--set)
    last=0
    for link in "$profile"-*-link; do
        number=${link#"$profile"-}; number=${number%-link}
        case $number in *[!0-9]*) continue ;; esac
        [ "$number" -le "$last" ] || last=$number
    done
    ln -s "$4" "$profile-$((last + 1))-link"
    ln -sfn "$(basename "$profile")-$((last + 1))-link" "$profile" ;;
--switch-generation) ln -sfn "$(basename "$profile")-$4-link" "$profile" ;;
--delete-generations) case $4 in +*) ;; *) rm "$profile-$4-link" ;; esac ;;
*) exit 1 ;;
esac
"""

NIX_STORE = "#!/bin/sh\nexit 0\n"

CLAVITOR_ADMIN = r"""#!/bin/sh
export CREDENTIALS_DIRECTORY=/run/credentials/clavitor-node.service
exec /run/current-system/sw/clavitor-node "$@" --data /var/lib/clavitor
"""

# On the operator's machine.
NIX_COPY_CLOSURE = r"""#!/bin/sh
set -eu
[ "$1" = --to ]
tar -cf - -C / "${3#/}" | ssh $NIX_SSHOPTS "$2" tar -xf - -C /
"""

NO_NIX = "#!/bin/sh\necho 'there is no nix here' >&2\nexit 1\n"

# `test` makes it what runs, `boot` what the next boot begins with.
SWITCH = r"""#!/bin/sh
set -eu
system=$(readlink -f "$(dirname "$0")/..")
case $1 in
boot) echo "$system" >/nix/booted-by-default ;;
test)
    mkdir -p /run/units /etc/units
    systemctl stop clavitor-node.service
    ln -sfn "$system" /run/current-system
    cat >/etc/units/clavitor-node.service <<'END'
#!/bin/sh
# LoadCredential=, ExecStartPre= and ExecStart= of nix/module.nix.
set -e
export CREDENTIALS_DIRECTORY=/run/credentials/clavitor-node.service
mkdir -p -m 0700 "$CREDENTIALS_DIRECTORY"
install -m 0400 /etc/clavitor/root.key "$CREDENTIALS_DIRECTORY/root-key"
program=/run/current-system/sw/clavitor-node
"$program" init --if-empty --quiet --data /var/lib/clavitor
exec "$program" serve --data /var/lib/clavitor --config /etc/clavitor.toml
END
    chmod 755 /etc/units/clavitor-node.service
    systemctl start clavitor-node.service
    sleep 1
    systemctl is-active --quiet clavitor-node.service ;;
esac
"""

MACHINE = {
    "systemctl": SYSTEMCTL, "systemd-run": SYSTEMD_RUN, "nix-env": NIX_ENV, "nix-store": NIX_STORE,
    "clavitor-admin": CLAVITOR_ADMIN,
}
OPERATOR = {"nix-copy-closure": NIX_COPY_CLOSURE, "nix": NO_NIX}


def install(host, programs):
    for name, text in programs.items():
        host.write(f"/usr/local/bin/{name}", text, 0o755)


def make_system(host, name, program):
    """Puts a system into the store of a host, with the node's program copied from there. Returns its path."""
    path = f"/nix/store/00000000000000000000000000000000-system-{name}"
    host.sh('mkdir -p "$1/bin" "$1/sw"; cp "$2" "$1/sw/clavitor-node"', path, program)
    host.write(f"{path}/bin/switch-to-configuration", SWITCH, 0o755)
    return path


def break_glass(host, config, keys):
    """What nix/break-glass.nix puts into a system, and root's account as nix/machine.nix has it: locked."""
    host.write("/etc/ssh/break-glass_config", config)
    host.write("/etc/ssh/break-glass.keys", keys, 0o444)
    host.write("/etc/units/break-glass.service",
               "#!/bin/sh\nexec /usr/sbin/sshd -D -e -f /etc/ssh/break-glass_config\n", 0o755)
    host.run("usermod", "--password", "!", "root")


def boot(host, system):
    """The first generation."""
    host.sh('mkdir -p /nix/var/nix/profiles /nix/var/nix/gcroots; nix-env -p /nix/var/nix/profiles/system --set "$1"; '
            '"$1/bin/switch-to-configuration" test; "$1/bin/switch-to-configuration" boot', system)
