"""An agent that may deposit, and does nothing else."""
import json
from pathlib import Path

from tenants import Client, Refused

MOST_BYTES = 1 << 30
#: Distinct values, so that nothing is saved by their being alike.
VALUE = "d" * 65_000


def run(attack, threads=4):
    """Deposits as fast as it can, until it is refused or has filled 1 GiB; says what that took on disk."""
    owner = Client(attack.port, attack.certificate, attack.address())
    attack.tenant.sign_in(owner)
    agent = owner.call("POST", "/api/v1/agents", {"name": "depositor", "verbs": ["deposit"]}, attack.tenant.token)
    owner.close()
    before = _disk(attack)
    body = json.dumps({"title": "deposit", "fields": [
        {"label": f"field {index}", "kind": "secret", "tier": 1, "value": VALUE} for index in range(58)]}).encode()
    clients, stop = {}, []

    def one(index):
        if stop:
            return attack.hold()
        number = index % threads
        client = clients.pop(number, None) or Client(attack.port, attack.certificate, attack.address(number))
        try:
            client.call("POST", "/api/v1/deposits", body, agent["token"])
            attack.count("deposits taken")
            clients[number] = client
            if attack.tally["deposits taken"] * len(body) > MOST_BYTES:
                stop.append("enough")
        except Refused as refusal:
            clients[number] = client
            attack.count(f"deposit refused ({refusal.status} {refusal.code})")
            if refusal.status in (403, 409, 413, 507) or attack.tally[f"deposit refused ({refusal.status} "
                                                                       f"{refusal.code})"] > 200:
                stop.append(refusal.code)

    attack.repeat(one, threads=threads)
    attack.tally["MB on disk"] = round((_disk(attack) - before) / 1e6)
    attack.tally["MB sent"] = round(attack.tally["deposits taken"] * len(body) / 1e6)


def _disk(attack):
    return sum(file.stat().st_size for file in Path(attack.folder, "data").rglob("*") if file.is_file())
