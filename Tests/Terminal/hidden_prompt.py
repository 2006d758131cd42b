"""Types and pastes at the hidden prompt, in an interactive shell on a real terminal, and says what came of it as JSON.

Argument: the program `clavitor`, whose environment is signed in. The shell is what would run whatever is left over.
"""
import json
import os
import pty
import select
import signal
import subprocess
import sys
import termios
import time

PROGRAM = sys.argv[1]
KEY = "-----BEGIN KEY-----\n" + "".join(f"touch left-{index}\n" for index in range(40)) + "-----END KEY-----\n"


class Shell:
    def __init__(self):
        self.seen, self.all = "", ""
        self.child, self.terminal = pty.fork()
        if self.child == 0:
            os.environ.update(PS1="ready> ", TERM="xterm")
            os.execv("/bin/bash", ["bash", "--norc", "--noprofile", "--noediting", "-i"])
        self.until("ready> ")

    def until(self, text, seconds=60):
        end = time.monotonic() + seconds
        while text not in self.seen:
            if time.monotonic() > end:
                raise TimeoutError(f"no {text!r} in {self.seen!r}")
            if select.select([self.terminal], [], [], 1)[0]:
                came = os.read(self.terminal, 65_536).decode(errors="replace")
                self.seen, self.all = self.seen + came, self.all + came
        before, self.seen = self.seen.split(text, 1)
        return before

    def type(self, text):
        text = text if isinstance(text, bytes) else text.encode()
        while text:
            # The terminal's own buffer is small: what does not fit waits for its reader.
            text = text[os.write(self.terminal, text[:1_024]):]
            time.sleep(0.002)

    def shows(self):
        return bool(termios.tcgetattr(self.terminal)[3] & termios.ECHO)

    def status(self):
        """Of the command that has just ended."""
        self.until("ready> ")
        self.type("echo =$?=\n")
        self.until("\n=")
        return int(self.until("="))


def value(title):
    """What the vault holds, as the program gives it to a pipe."""
    read = subprocess.run([PROGRAM, "get", f"{title}/key"], capture_output=True)
    return read.stdout.decode() if read.returncode == 0 else None


def scenario(name, keys, job=None):
    """Adds an entry whose secret is asked for, with `keys` at the prompt."""
    shell = Shell()
    shell.type(f"{PROGRAM} add {name} --secret key\n")
    shell.until("key: ")
    hidden = not shell.shows()
    if job:
        job(shell)
    shell.type(keys)
    status = shell.status()
    result = {"status": status, "hidden": hidden, "shown": shell.shows(), "value": value(name),
              "leaked": any(part in shell.all for part in ("BEGIN KEY", "hunter")),
              "left": [entry for entry in os.listdir(".") if entry.startswith("left-")]}
    os.close(shell.terminal)
    os.waitpid(shell.child, 0)
    return result


def back_after(stop):
    """Stopped, a look at the shell, and back."""
    def job(shell):
        stop(shell)
        shell.until("ready> ")
        assert shell.shows(), "the shell shows nothing"
        shell.type("fg\n")
        shell.until("key: ")
        assert not shell.shows(), "the prompt shows what is typed after fg"
    return job


def control_z(shell):
    shell.type("hunter-lost\x1a")


def from_outside(shell):
    found = subprocess.run(["pgrep", "-P", str(shell.child)], capture_output=True, text=True).stdout.split()
    os.kill(int(found[0]), signal.SIGTSTP)


def marked(text):
    return "\x1b[200~" + text.replace("\n", "\r") + "\x1b[201~"


LONG = "hunter" + "x" * 20_000
print(json.dumps({"key": KEY, "long": LONG, "scenarios": {
    "line": scenario("line", "hunter2\r"),
    "edited": scenario("edited", "lost\x15hunteré\x7f3x\x7f\x1b[A\x1b[3~ last\x17\x7f\r"),
    "unmarked": scenario("unmarked", KEY.replace("\n", "\r")),
    "marked": scenario("marked", marked(KEY) + "\r"),
    "marked-line": scenario("marked-line", marked("hunter2\n") + "\r"),
    "controls": scenario("controls", marked("hunter\x03\x1a\x04\x1b[A\t") + "\r"),
    "long": scenario("long", LONG + "\r"),
    "stopped": scenario("stopped", "hunter4\r", back_after(control_z)),
    "stopped-from-outside": scenario("stopped-from-outside", "hunter5\r", back_after(from_outside)),
    "empty": scenario("empty", "\r"),
    "not-text": scenario("not-text", b"hunter\xff\xfe\r"),
    "nothing": scenario("nothing", "\x04"),
    "interrupted": scenario("interrupted", "hunter\x03"),
    "too-long": scenario("too-long", marked("hunter" + "x" * (1 << 20)) + "\r"),
}}))
