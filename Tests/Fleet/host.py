"""Machines on one machine: a network namespace each, a file system of its own (copy-on-write), and real WireGuard."""
import os
import signal
import subprocess
import time


class Failed(Exception):
    """What was expected did not come."""


def run(*words, check=True, **options):
    done = subprocess.run(words, capture_output=True, text=True, timeout=options.pop("timeout", 120), **options)
    if check and done.returncode != 0:
        raise Failed(f"{' '.join(words)}: {done.returncode}\n{done.stdout}{done.stderr}")
    return done


def until(what, look, seconds=60):
    """Looks until it is so, and returns what was seen."""
    end = time.monotonic() + seconds
    while True:
        seen = look()
        if seen:
            return seen
        if time.monotonic() > end:
            raise Failed(f"it did not come in {seconds} s: {what}")
        time.sleep(0.2)


class Network:
    """A bridge in a namespace of its own: the internet."""

    prefix = "203.0.113"

    def __init__(self):
        self.name = "clv-internet"
        run("ip", "netns", "add", self.name)
        self.ip("link", "set", "lo", "up")
        self.ip("link", "add", "br0", "type", "bridge")
        self.ip("link", "set", "br0", "up")

    def ip(self, *words):
        return run("ip", "-n", self.name, *words)

    def close(self):
        run("ip", "netns", "del", self.name, check=False)


class Host:
    """`shared`: a folder of this machine, at /mnt there."""

    def __init__(self, network, name, number, shared):
        self.network, self.name, self.address = network, name, f"{network.prefix}.{number}"
        self.namespace = f"clv-{name}"
        run("ip", "netns", "add", self.namespace)
        run("ip", "link", "add", f"v-{name}", "netns", network.name, "type", "veth", "peer", "name", "eth0",
            "netns", self.namespace)
        network.ip("link", "set", f"v-{name}", "master", "br0", "up")
        # An address of a namespace whose lo was never up can be bound by anybody.
        for words in (["link", "set", "lo", "up"], ["addr", "add", f"{self.address}/24", "dev", "eth0"],
                      ["link", "set", "eth0", "up"]):
            run("ip", "-n", self.namespace, *words)
        self.leader = subprocess.Popen(
            ["nsenter", f"--net=/run/netns/{self.namespace}", "unshare", "--mount", "--pid", "--fork", "--kill-child",
             "--propagation", "private", "sh", "-euc", """
                mount -t tmpfs none /media
                mkdir /media/upper /media/work /media/root
                mount -t overlay overlay -o lowerdir=/,upperdir=/media/upper,workdir=/media/work /media/root
                mount --rbind /dev /media/root/dev
                mount -t proc none /media/root/proc
                for folder in run tmp nix; do mount -t tmpfs none /media/root/$folder; done
                mount --bind "$1" /media/root/mnt
                mkdir -p /media/root/run/sshd
                # What this machine's own people like to have at sign-in is not the fleet's.
                rm -f /media/root/root/.bashrc /media/root/root/.profile /media/root/etc/bash.bashrc
                # Not chroot: Nix enters its mount namespace anew, whose root is this then.
                cd /media/root
                mkdir -p old
                pivot_root . old
                umount -l /old
                # bash takes in orphans, as the first process must.
                exec bash -c 'echo up >/run/up; while :; do sleep 1000 & wait $!; done'
             """, "sh", shared], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.pid = until("the host's first process", self._child)
        until("the host's files", lambda: self.run("test", "-e", "/run/up", check=False).returncode == 0)

    def _child(self):
        with open(f"/proc/{self.leader.pid}/task/{self.leader.pid}/children") as file:
            return file.read().split()[:1]

    def _words(self, words):
        return ["nsenter", "-t", self.pid[0], "-m", "-n", "-p", "-r", "-w", "--", *words]

    def run(self, *words, **options):
        return run(*self._words(words), **options)

    def sh(self, script, *words, **options):
        return self.run("sh", "-euc", script, "sh", *words, **options)

    def start(self, *words, log, env=None):
        """In the background, until the host is closed. `log`: on this machine."""
        with open(log, "ab") as file:
            return subprocess.Popen(
                self._words(words), stdin=subprocess.DEVNULL, stdout=file, stderr=file, start_new_session=True,
                env={**os.environ, **(env or {})})

    @staticmethod
    def stop(process):
        """Ends what was started there; the process here is only the way to it."""
        with open(f"/proc/{process.pid}/task/{process.pid}/children") as file:
            for child in file.read().split():
                os.kill(int(child), signal.SIGTERM)
        process.wait(timeout=20)

    def write(self, path, text, mode=0o644):
        self.sh('umask 077; mkdir -p "$(dirname "$1")"; cat >"$1.new"; chmod "$2" "$1.new"; mv "$1.new" "$1"',
                path, f"{mode:o}", input=text)

    def read(self, path):
        return self.run("cat", path).stdout

    def plug(self, is_in):
        """The cable to the internet."""
        run("ip", "-n", self.namespace, "link", "set", "eth0", "up" if is_in else "down")

    def close(self):
        self.leader.send_signal(signal.SIGKILL)
        self.leader.wait()
        run("ip", "netns", "del", self.namespace, check=False)
