"""Requests that keep every limit of their parts, but not that of the box in which the node seals the whole."""
from attacks import lists
from tenants import Client, Refused

LONG = "x" * 2_000_000


def _send(attack, client, what, path, body):
    try:
        client.call("POST", path, body, attack.tenant.token)
        attack.count(f"{what} taken")
        return True
    except Refused as refusal:
        attack.count(f"{what} refused ({refusal.status} {refusal.code})")
        return False


def _client(attack):
    client = Client(attack.port, attack.certificate, attack.address(), timeout=max(1, attack.left()))
    attack.tenant.sign_in(client)
    return client


def entry(attack):
    """Metadata full of what is six times as long in JSON."""
    client = _client(attack)
    for number in range(4):
        _send(attack, client, "entry", "/api/v1/entries", lists.entry(number, urls=64, notes=65_000))


def agent(attack):
    """Grants by a tag or a label of two million letters."""
    client = _client(attack)
    for grant in ({"tag": "t", "labels": [LONG]}, {"tag": LONG, "labels": "*"}):
        _send(attack, client, "agent", "/api/v1/agents", {"name": "long", "verbs": ["read"], "grants": [grant]})


def audit(attack, entries=220, fields=128):
    """An agent that is granted so many fields that the audit line naming them does not fit."""
    client = _client(attack)
    body = {"title": "many", "tags": ["storm-many"], "fields": [
        {"label": str(index), "kind": "secret", "tier": 1, "value": "v"} for index in range(fields)]}
    for _ in range(entries):
        if attack.left() < attack.seconds / 2 or not _send(attack, client, "entry", "/api/v1/entries", body):
            break
    client.connection.sock.settimeout(max(1, attack.left()))
    _send(attack, client, "agent", "/api/v1/agents", {
        "name": "many", "verbs": ["read"], "grants": [{"tag": "storm-many", "labels": "*"}]})
