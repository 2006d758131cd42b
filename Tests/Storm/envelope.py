"""The memory that a node may have: a control group with a hard limit, and what is read from it.

What counts against the limit is what the kernel cannot take back by itself: everything charged to the group but
file cache, and with it the buffers of its TCP sockets (a v1 group keeps those in an account of their own, v2 in the
same one).
"""
import os
import re
import signal
import time
from pathlib import Path

NAME = "clavitor-storm"


def make(limit):
    """The strictest envelope that this machine lets us make."""
    for kind in (VersionTwo, VersionOne):
        try:
            return kind(limit)
        except OSError:
            continue
    return Unbounded(limit)


def status(pid, key):
    """A figure of /proc/PID/status in bytes; 0 once the process is gone."""
    try:
        found = re.search(rf"^{key}:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(), re.M)
    except OSError:
        return 0
    return int(found[1]) << 10 if found else 0


class Envelope:
    """Samples what is held; `peak` is the most that was seen since `reset`."""
    is_limit = True

    def __init__(self, limit):
        self.limit, self.pid, self.peak, self.sockets = limit, None, 0, 0

    def enter(self):
        """Puts the calling process into the group: to be run between fork and exec."""

    def reset(self, pid):
        self.pid, self.peak, self.sockets = pid, 0, 0
        try:
            Path(f"/proc/{pid}/clear_refs").write_text("5")
        except OSError:
            pass

    def sample(self):
        """Bytes held now."""
        try:
            held, sockets = self.held()
        except (OSError, ValueError):
            return 0
        self.peak, self.sockets = max(self.peak, held), max(self.sockets, sockets)
        return held

    def kills(self):
        return 0

    def resident(self):
        """The most that was resident since `reset`, mapped files as well."""
        return status(self.pid, "VmHWM")

    def empty(self):
        """Ends what a dead node has left, such as the program that writes down its crash and holds its sockets."""

    def close(self):
        pass


class Group(Envelope):
    def read(self, name):
        return (self.folder / name).read_text()

    def figures(self, name):
        return {line.split()[0]: int(line.split()[1]) for line in self.read(name).splitlines()}

    def empty(self):
        for pid in self.read("cgroup.procs").split():
            try:
                os.kill(int(pid), signal.SIGKILL)
            except ProcessLookupError:
                pass

    def close(self):
        for _ in range(50):
            try:
                self.empty()
                return self.folder.rmdir()
            except FileNotFoundError:
                return None
            except OSError:
                # What was killed is still on its way out.
                time.sleep(0.1)
        return None


class VersionTwo(Group):
    def __init__(self, limit):
        super().__init__(limit)
        root = Path("/sys/fs/cgroup")
        if "memory" not in (root / "cgroup.subtree_control").read_text().split():
            (root / "cgroup.subtree_control").write_text("+memory")
        self.folder = root / f"{NAME}-{os.getpid()}"
        self.folder.mkdir()
        try:
            (self.folder / "memory.max").write_text(str(limit))
            if (self.folder / "memory.swap.max").exists():
                (self.folder / "memory.swap.max").write_text("0")
        except OSError:
            self.close()
            raise
        self.what = "cgroup v2"

    def enter(self):
        (self.folder / "cgroup.procs").write_text("0")

    def held(self):
        figures = self.figures("memory.stat")
        cache = figures["active_file"] + figures["inactive_file"]
        return int(self.read("memory.current")) - cache, figures.get("sock", 0)

    def kills(self):
        return self.figures("memory.events").get("oom_kill", 0)


class VersionOne(Group):
    def __init__(self, limit):
        super().__init__(limit)
        self.folder = Path("/sys/fs/cgroup/memory") / f"{NAME}-{os.getpid()}"
        self.folder.mkdir()
        try:
            # A limit that is never reached, so that the kernel begins to count the buffers of TCP.
            (self.folder / "memory.kmem.tcp.limit_in_bytes").write_text(str(8 << 30))
        except OSError:
            pass
        try:
            for name in ("memory.limit_in_bytes", "memory.memsw.limit_in_bytes"):
                if name == "memory.limit_in_bytes" or (self.folder / name).exists():
                    (self.folder / name).write_text(str(limit))
        except OSError:
            self.close()
            raise
        self.what = "cgroup v1"

    def enter(self):
        (self.folder / "cgroup.procs").write_text("0")

    def held(self):
        figures = self.figures("memory.stat")
        cache = figures["active_file"] + figures["inactive_file"]
        try:
            sockets = int(self.read("memory.kmem.tcp.usage_in_bytes"))
        except OSError:
            sockets = 0
        return int(self.read("memory.usage_in_bytes")) - cache + sockets, sockets

    def kills(self):
        return self.figures("memory.oom_control").get("oom_kill", 0)


class Unbounded(Envelope):
    """No group can be made here: resident memory alone, and nothing that would stop the node."""
    is_limit = False
    what = "no memory cgroup"

    def held(self):
        self.peak = max(self.peak, status(self.pid, "VmHWM"))
        return status(self.pid, "VmRSS"), 0
