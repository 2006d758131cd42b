"""The node under test: one process on one processor, in its envelope."""
import ctypes
import os
import re
import signal
import socket
import subprocess
import time
from pathlib import Path


PR_SET_PDEATHSIG = 1


class NodeFailed(Exception):
    """The node does not start or does not answer."""


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


class Node:
    def __init__(self, binary, folder, envelope, processor):
        self.binary, self.envelope, self.processor = binary, envelope, processor
        self.folder = Path(folder)
        self.data, self.port, self.process, self.starts = self.folder / "data", free_port(), None, 0
        self.data.mkdir(mode=0o700)

    @property
    def certificate(self):
        return self.data / "dev-cert.pem"

    @property
    def pid(self):
        return self.process.pid

    def is_alive(self):
        return self.process is not None and self.process.poll() is None

    def start(self, seconds=30):
        """Starts it, for the first time or after its death, and waits until it listens."""
        def enter():
            # Ends with whoever watches it, however that ends.
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            os.sched_setaffinity(0, {self.processor})
            self.envelope.enter()

        self.starts += 1
        with open(self.folder / f"node-{self.starts}.log", "wb") as log:
            self.process = subprocess.Popen(
                [self.binary, "serve", "--dev", "--data", str(self.data), "--https", f"127.0.0.1:{self.port}",
                 "--log-level", "warning"], stdout=log, stderr=log, stdin=subprocess.DEVNULL, preexec_fn=enter)
        end = time.monotonic() + seconds
        while time.monotonic() < end and self.is_alive():
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                self.envelope.reset(self.pid)
                return
            except OSError:
                time.sleep(0.05)
        raise NodeFailed(f"the node does not listen; see {log.name}:\n{Path(log.name).read_text()[-2000:]}")

    def death(self):
        """How it ended, in words."""
        code = self.process.poll()
        if code is None:
            return ""
        if code >= 0:
            return f"ended with status {code}"
        return f"killed by {signal.Signals(-code).name}"

    def last_words(self):
        """What it wrote before it died, shortened to its first line of a crash."""
        text = (self.folder / f"node-{self.starts}.log").read_text(errors="replace")
        found = re.search(r".*(Fatal error|Crash|Precondition failed).*", text)
        return found[0].strip()[:200] if found else ""

    def disk(self):
        """Bytes of the data directory."""
        return sum(file.stat().st_size for file in self.data.rglob("*") if file.is_file())

    def stop(self):
        if not self.is_alive():
            return
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(10)
