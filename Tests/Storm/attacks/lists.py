"""A tenant whose entries are as large as they may be, and who asks for all of them at once."""
import json
import os
import time
from pathlib import Path

import http2
from tenants import Client, Refused, b64, box
from wire import answer, get

ENTRIES = 100
#: One byte at rest, six in JSON.
COSTLY = "\x01"
BOXES = [box(120_000, key_id=1) for _ in range(14)]
#: The key of these boxes with a list of 14 fields, padded.
L2 = {"generation": 1, "key": 1, "box": box(416, key_id=1)}


def entry(number, urls=2, notes=20_000):
    """About 3 MB of JSON: lists, notes and labels filled with what is long when escaped, and L2 boxes.

    Its metadata is nearly as large as a node takes; with 64 `urls` and 65,000 `notes` it is larger.
    """
    fields = [{"id": b64(os.urandom(16)), "label": COSTLY * 250 + f"{index:03}", "kind": "secret", "tier": 2,
               "envelope": envelope} for index, envelope in enumerate(BOXES)]
    fields += [{"label": COSTLY * 250 + f"{index:03}", "kind": "secret", "tier": 1, "value": "v"}
               for index in range(14, 128)]
    return {"id": b64(os.urandom(16)), "title": f"{number} " + COSTLY * 1_000, "type": "login",
            "urls": [COSTLY * 2_048] * urls, "tags": [COSTLY * 120 + str(index) for index in range(64)],
            "notes": COSTLY * notes, "fields": fields, "l2": L2}


def stock(attack):
    """Stores entries as far as the node lets us, in at most two thirds of the time; gives their ids."""
    file = Path(attack.folder) / "stock.json"
    ids = json.loads(file.read_text()) if file.exists() else []
    body = b""
    client = Client(attack.port, attack.certificate, attack.address(), timeout=15)
    until, wanted = time.monotonic() + attack.left() * 2 / 3, attack.scaled(ENTRIES)
    try:
        while len(ids) < wanted and time.monotonic() < until:
            body = json.dumps(entry(len(ids))).encode()
            ids.append(client.call("POST", "/api/v1/entries", body, attack.tenant.token)["id"])
    except Refused as refusal:
        attack.count(f"entry refused ({refusal.status} {refusal.code})")
    except OSError as error:
        attack.count(f"entry not stored ({type(error).__name__})")
    client.close()
    scratch = file.with_suffix(f".{os.getpid()}")
    scratch.write_text(json.dumps(ids))
    scratch.replace(file)
    attack.tally["entries stored"] = len(ids)
    if body:
        attack.tally["MB each"] = round(len(body) / 1e6, 1)
    return ids


def _drain(attack, made, most=300 << 20):
    """Reads an answer to the end of the time, to `most` bytes or to the connection's end."""
    size = 0
    while attack.left() > 0 and size < most:
        try:
            text = made.recv(262_144)
        except TimeoutError:
            break
        if not size:
            attack.count(f"answered {text[9:12].decode(errors='replace') or 'nothing'}")
        if not text:
            break
        size += len(text)
    attack.count("MB read", size / 1e6)


def h1(attack, connections=50):
    """The whole list on many connections, read."""
    stock(attack)

    def one(index):
        made = attack.tls(0)
        attack.held.append(made)
        made.sendall(get(f"/api/v1/entries?limit={ENTRIES}", attack.tenant.token))
        made.settimeout(max(0.2, attack.left()))
        _drain(attack, made)

    attack.crowd(attack.scaled(connections), one, threads=50)
    attack.hold()


def kept(attack, connections=350):
    """Connections that take a page of a list each and stay: what a node remembers of the answers it has given adds up."""
    stock(attack)

    def one(index):
        made = attack.tls(index % 20)
        made.settimeout(max(0.2, attack.left()))
        made.sendall(get(f"/api/v1/entries?limit={ENTRIES}", attack.tenant.token))
        attack.count(f"answered {answer(made)}")
        return made

    attack.crowd(attack.scaled(connections), one, threads=16)
    attack.hold()


def _streams(attack, paths, connections):
    """`paths` in turn on every stream of some connections, with a closed window."""
    def one(index):
        connection = http2.Connection(attack.tls(0, "h2", window=4_096), {http2.INITIAL_WINDOW_SIZE: 0})
        attack.held.append(connection)
        connection.read()
        streams = min(connection.streams, 100)
        connection.send(*[
            http2.request(2 * number + 1, paths[(index + number) % len(paths)], token=attack.tenant.token)
            for number in range(streams)])
        attack.count("streams", streams)

    attack.crowd(attack.scaled(connections), one)
    attack.hold()


def h2(attack, connections=20):
    """The whole list on every stream, not read."""
    stock(attack)
    _streams(attack, [f"/api/v1/entries?limit={ENTRIES}"], connections)


def others(attack, connections=20):
    """The other large answers: one entry, its versions, all L2 values, audit, agents."""
    ids = stock(attack)
    paths = ["/api/v1/account/l2", "/api/v1/audit?limit=200", "/api/v1/agents"]
    for id in ids[:3]:
        paths += [f"/api/v1/entries/{id}", f"/api/v1/entries/{id}/versions"]
    _streams(attack, paths, connections)
