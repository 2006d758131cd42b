"""What stands in for NixOS on a Debian: switch-to-configuration (system/switch), a conversion (system/infect), and the parts of
systemd that those and a deploy call. Nix, and everything that they start, is the real thing."""
import os

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "system")

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
reset-failed) ;;
is-failed) exit 1 ;;
# Everything ends but the first process, and the machine comes up with what it boots by default.
reboot)
    for pid in $(ls /proc); do
        case $pid in 1 | $$ | $PPID | *[!0-9]*) ;; *) kill -KILL "$pid" 2>/dev/null || true ;; esac
    done
    rm -rf /run/units /run/wireguard /run/credentials /run/sshd*.pid /run/current-system
    date +%s%N >/run/boot
    setsid "$(cat /nix/booted-by-default)/bin/switch-to-configuration" test </dev/null >>/var/log/units.log 2>&1 & ;;
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
    --setenv=*) export "${1#--setenv=}" ;;
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

CLAVITOR_ADMIN = r"""#!/bin/sh
export CREDENTIALS_DIRECTORY=/run/credentials/clavitor-node.service
exec /run/current-system/sw/clavitor-node "$@" --data /var/lib/clavitor
"""

MONITOR_ADMIN = r"""#!/bin/sh
exec /run/current-system/sw/clavitor-monitor "$@" --data /var/lib/clavitor-monitor
"""

# This machine may be a container; those that stand for rented ones are none.
NO_CONTAINER = "#!/bin/sh\necho none\n"
JOURNALCTL = "#!/bin/sh\ntail -n 1 /var/log/units.log\n"

MACHINE = {
    "systemctl": SYSTEMCTL, "systemd-run": SYSTEMD_RUN, "journalctl": JOURNALCTL, "systemd-detect-virt": NO_CONTAINER,
    "clavitor-admin": CLAVITOR_ADMIN, "clavitor-monitor-admin": MONITOR_ADMIN,
}


def rent(host, key, image):
    """A fresh Debian as a provider has it: sshd for everybody, root's key, a disk with ext4. Returns its host key and the
    device of its /. `image`: a file for the disk, which is seen and not used: the machine's files stay where they are."""
    for name, text in MACHINE.items():
        host.write(f"/usr/local/bin/{name}", text, 0o755)
    host.write("/root/.ssh/authorized_keys", key + "\n", 0o600)
    host.write("/etc/ssh/sshd_config", "PidFile /run/sshd-fresh.pid\nPermitRootLogin prohibit-password\nUsePAM yes\n")
    host.sh("mkdir -p /run/systemd/system /run/units; rm -f /etc/ssh/ssh_host_*; "
            "ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key; /usr/sbin/sshd")
    host.sh('truncate -s 16M "$1"; mkfs.ext4 -q "$1"; mount -o loop "$1" /', image)
    device = host.sh("df -Pk / | tail -n 1 | cut -d ' ' -f 1").stdout.strip()
    return " ".join(host.read("/etc/ssh/ssh_host_ed25519_key.pub").split()[:2]), device
