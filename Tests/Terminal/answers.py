"""Runs a program on a real terminal and answers its questions. Says what came of it as JSON.

Arguments: pairs of a text that is waited for and the answer to it, as JSON; then the command.
"""
import json
import os
import pty
import select
import sys
import time

pairs, command = json.loads(sys.argv[1]), sys.argv[2:]
child, terminal = pty.fork()
if child == 0:
    os.environ["TERM"] = "xterm"
    os.execv(command[0], command)
seen, end = "", time.monotonic() + 60


def more():
    """Reads what comes; false at the end."""
    global seen
    if time.monotonic() > end:
        raise TimeoutError(seen)
    if select.select([terminal], [], [], 1)[0]:
        try:
            came = os.read(terminal, 65_536)
        except OSError:  # The program has closed the terminal.
            return False
        seen += came.decode(errors="replace")
        return bool(came)
    return True


at = 0
for text, answer in pairs:
    while text not in seen[at:]:
        if not more():
            sys.exit(f"no {text!r} in {seen!r}")
    at = len(seen)
    os.write(terminal, (answer + "\n").encode())
while more():
    pass
print(json.dumps({"status": os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), "text": seen}))
