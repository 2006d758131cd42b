"""One change that must be sealed for every field and every agent that may read it."""
import time

from tenants import Client, Refused, Tenant

AGENTS = 100
FIELDS = 128
#: Keys that one change may seal, as the node's limits have it.
SEALS = 2_048


def run(attack):
    """Makes agents in half of the time, then changes all fields again and again."""
    client = Client(attack.port, attack.certificate, attack.address(), timeout=attack.left() + 5)
    # A vault of its own: other attacks may have filled the attacker's.
    token = Tenant("fan-out").register(client).token
    entry = client.call("POST", "/api/v1/entries", {"title": "fan", "type": "login", "fields": [
        {"label": f"field {index}", "kind": "secret", "tier": 1, "value": "v" * 100} for index in range(FIELDS)]},
        token)
    until = time.monotonic() + attack.left() / 2
    try:
        for number in range(attack.scaled(AGENTS)):
            if time.monotonic() > until:
                break
            client.call("POST", "/api/v1/agents", {
                "name": f"fan {number}", "verbs": ["read"], "grants": [{"entry": entry["id"], "fields": "*"}]}, token)
            attack.count("agents")
    except Refused as refusal:
        attack.count(f"agent refused ({refusal.status} {refusal.code})")
    version, longest = entry["version"], 0
    agents = max(1, attack.tally.get("agents", 1))
    fields = entry["fields"][:min(FIELDS, SEALS // agents - 1)]
    attack.tally["fields in a change"] = len(fields)
    while attack.left() > 0:
        began = time.monotonic()
        try:
            answer = client.call("PATCH", f"/api/v1/entries/{entry['id']}", {"fields": [
                {"id": field["id"], "value": f"v{version}" * 20} for field in fields]}, token,
                **{"If-Match": f'"{version}"'})
        except Refused as refusal:
            attack.count(f"change refused ({refusal.status} {refusal.code})")
            time.sleep(0.2)
            continue
        version, longest = answer["version"], max(longest, time.monotonic() - began)
        attack.count("changes")
    attack.tally["ms for the slowest change"] = round(longest * 1000)
