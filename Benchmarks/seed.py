"""Fills a node that runs in development mode: one account, entries of ten L1 fields, agents that may read some.

Prints one JSON object: the owner's token, the first agent's, how many fields. Writes lines 'path token' for wrk/read.lua.
"""

import argparse
import base64
import concurrent.futures
import http.client
import json
import os
import ssl
import threading


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


# An agent's grants cover at most 4,096 fields, an entry's title and details included.
FIELDS_OF_AN_AGENT = 3000


class Client:
    """One keep-alive connection per thread."""

    def __init__(self, host, port, certificate):
        self.place = (host, port)
        self.context = ssl.create_default_context(cafile=certificate)
        self.local = threading.local()

    def call(self, method, path, body=None, token=None):
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        sent = json.dumps(body) if body is not None else None
        try:
            answer = self.send(method, path, sent, headers)
        except (ssl.SSLEOFError, ConnectionError, http.client.RemoteDisconnected):
            # The node has closed a connection that was idle for more than a minute.
            self.local.connection.close()
            answer = self.send(method, path, sent, headers)
        text = answer.read()
        if answer.status >= 300:
            raise SystemExit(f"{method} {path}: {answer.status} {text.decode()}")
        return json.loads(text) if text else None

    def send(self, method, path, body, headers):
        if not hasattr(self.local, "connection"):
            self.local.connection = http.client.HTTPSConnection(*self.place, context=self.context, timeout=120)
        self.local.connection.request(method, path, body, headers)
        return self.local.connection.getresponse()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--certificate", required=True)
    parser.add_argument("--entries", type=int, default=1000)
    parser.add_argument("--fields", type=int, default=10)
    parser.add_argument("--granted", type=int, default=1000, help="entries that the agent may read")
    parser.add_argument("--paths", required=True)
    options = parser.parse_args()

    client = Client("localhost", options.port, options.certificate)
    email = f"bench-{os.getpid()}@example.com"
    hello = client.call("POST", "/api/v1/accounts/prelogin", {"email": email})
    key = b64(os.urandom(32))
    # The node checks the shape of the wrapped key alone; nobody here will open it.
    wrapped = b64(bytes([2, 1, 0, 0, 0, 0]) + os.urandom(24 + 32 + 32 + 16))
    client.call("POST", "/api/v1/accounts", {
        "email": email, "vault": b64(os.urandom(16)), "kdf": hello["kdf"], "salt": hello["salt"], "authKey": key,
        "l2": {"generation": 1, "wrappedKey": wrapped}})
    owner = client.call("POST", "/api/v1/sessions", {"email": email, "authKey": key})["token"]

    # Entries that one agent reads.
    share = max(1, FIELDS_OF_AN_AGENT // options.fields)

    def create(number):
        return client.call("POST", "/api/v1/entries", {
            "title": f"entry {number}", "type": "api-key",
            "tags": [f"granted-{number // share}"] if number < options.granted else [],
            "fields": [{"label": f"field {index}", "kind": "secret", "tier": 1, "value": os.urandom(12).hex()}
                       for index in range(options.fields)]}, owner)

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        entries = list(pool.map(create, range(options.entries)))
    tokens = [
        client.call("POST", "/api/v1/agents", {
            "name": f"bench-{number}", "grants": [{"tag": f"granted-{number}", "labels": "*"}], "verbs": ["read"]},
            owner)["token"]
        for number in range(-(-min(options.granted, options.entries) // share))]
    with open(options.paths, "w") as file:
        for number, entry in enumerate(entries[:options.granted]):
            for field in entry["fields"]:
                file.write(f"/api/v1/entries/{entry['id']}/fields/{field['id']} {tokens[number // share]}\n")
    print(json.dumps({"owner": owner, "agent": tokens[0] if tokens else None, "fields": options.entries * options.fields}))


if __name__ == "__main__":
    main()
