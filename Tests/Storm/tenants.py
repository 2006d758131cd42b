"""People with an account, over plain HTTP/1.1 requests. They derive no keys from a password: the node cannot tell."""
import base64
import http.client
import json
import os
import socket
import ssl


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def box(size, key_id=0):
    """What the node takes for a box of `size` bytes: it checks header and length alone; nobody here will open it."""
    return b64(bytes([2, 1, 0, 0, 0, key_id]) + os.urandom(24 + 32 + size + 16))


class Refused(Exception):
    """An answer that is no success."""

    def __init__(self, status, text):
        super().__init__(f"{status} {text[:300]}")
        self.status = status
        try:
            self.code = json.loads(text).get("type", "").removeprefix("/problems/")
        except ValueError:
            self.code = ""


class Client:
    """One connection of HTTP/1.1, kept open; comes from `source` if one is given."""

    def __init__(self, port, certificate, source=None, timeout=15):
        context = ssl.create_default_context(cafile=str(certificate))
        self.connection = http.client.HTTPSConnection(
            "localhost", port, context=context, timeout=timeout, source_address=(source, 0) if source else None)
        self.connection._create_connection = self._connect

    @staticmethod
    def _connect(address, timeout, source):
        """Always IPv4: a source address in 127.0.0.0/8 has no other."""
        made = socket.create_connection(("127.0.0.1", address[1]), timeout, source)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return made

    def connect(self):
        self.connection.connect()

    def close(self):
        self.connection.close()

    def status(self, method, path, body=None, token=None, **headers):
        """Status and text of the answer."""
        if token:
            headers["Authorization"] = f"Bearer {token}"
        if body is not None:
            body = body if isinstance(body, bytes) else json.dumps(body).encode()
            headers["Content-Type"] = "application/json"
        self.connection.request(method, path, body, headers)
        answer = self.connection.getresponse()
        return answer.status, answer.read()

    def call(self, method, path, body=None, token=None, **headers):
        status, text = self.status(method, path, body, token, **headers)
        if status >= 300:
            raise Refused(status, text.decode(errors="replace"))
        return json.loads(text) if text else None


class Tenant:
    """An account; `sign_in` gives a fresh session on the device of the last one."""

    def __init__(self, name):
        self.email = f"{name}-{os.urandom(4).hex()}@example.com"
        self.key, self.token, self.device = b64(os.urandom(32)), None, None

    def register(self, client):
        hello = client.call("POST", "/api/v1/accounts/prelogin", {"email": self.email})
        client.call("POST", "/api/v1/accounts", {
            "email": self.email, "vault": b64(os.urandom(16)), "kdf": hello["kdf"], "salt": hello["salt"],
            "authKey": self.key, "l2": {"generation": 1, "wrappedKey": box(32)}})
        self.sign_in(client)
        return self

    def sign_in(self, client):
        body = {"email": self.email, "authKey": self.key}
        if self.device:
            body["device"] = self.device
        session = client.call("POST", "/api/v1/sessions", body)
        self.token, self.device = session["token"], session["device"]
