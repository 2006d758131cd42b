"""Connections that do nothing, each stuck at another place; and handshakes that are begun and left."""
import ssl

import http2
from wire import get


def hello(attack):
    """The first flight of a handshake."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    half = attack.context().wrap_bio(incoming, outgoing, server_hostname="localhost")
    try:
        half.do_handshake()
    except ssl.SSLWantReadError:
        pass
    return outgoing.read()


def run(attack, count, spread):
    """Opened and left: before TLS, within it, after it, in HTTP/2 without a stream, within a request's head.

    The first half before TLS, which costs nothing: whoever comes after them should find room all the same.
    """
    count = attack.scaled(count)
    greeting = hello(attack)

    def one(index):
        where, place = index % spread, index % 6 if index >= count // 2 else 0
        if place < 3:
            made = attack.tcp(where)
            made.sendall([b"", greeting[:len(greeting) // 2], greeting][place])
        elif place == 3:
            made = attack.tls(where)
        elif place == 4:
            made = attack.tls(where, "h2")
            made.sendall(http2.PREFACE + http2.settings())
        else:
            made = attack.tls(where)
            made.sendall(get("/livez")[:-4])
        return made

    attack.crowd(count, one, threads=24)
    attack.hold()


def handshakes(attack, spread=20):
    """As many as possible: half of them left after the first flight, half done and left."""
    greeting = hello(attack)

    def one(index):
        if index % 2:
            attack.tls(index % spread).close()
            attack.count("handshakes done")
        else:
            with attack.tcp(index % spread) as made:
                made.sendall(greeting)
                made.recv(1)
            attack.count("handshakes begun")

    attack.repeat(one, threads=8)
