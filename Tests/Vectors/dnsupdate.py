"""Prints the messages in DNSUpdateTests/Vectors.swift as dnspython makes them: an independent witness.

    pip install dnspython==2.7.0 && python3 dnsupdate.py
"""

import time

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.renderer
import dns.rrset
import dns.tsig
import dns.update

TIME = 1_800_000_000
SECRET = bytes(range(32))


class Uncompressed(dict):
    def get(self, *_):
        return None


class Renderer(dns.renderer.Renderer):
    """Compression is the sender's choice; ours does without."""

    def __init__(self, *arguments, **named):
        super().__init__(*arguments, **named)
        self.compress = Uncompressed()


def update(keyring=None):
    message = dns.update.UpdateMessage("example.org", keyring=keyring, id=0x1234)
    message.delete("_acme-challenge.node", "TXT")
    message.add("_acme-challenge.node", 60, "TXT", "first")
    message.add("_acme-challenge.node", 60, "TXT", '"%s" "%s"' % ("a" * 255, "a" * 45))
    message.add("node", 300, "A", "192.0.2.1")
    message.add("node", 300, "AAAA", "2001:db8::1")
    message.delete("node", "A", "192.0.2.2")
    return message.to_wire(max_size=65535)


def answer(request, keyring, rcode=dns.rcode.NOERROR, error=dns.rcode.NOERROR, other=b""):
    received = dns.message.from_wire(request, keyring=keyring)
    response = dns.message.make_response(received)
    response.set_rcode(rcode)
    response.request_mac = received.mac
    response.use_tsig(keyring, tsig_error=error, other_data=other)
    return response.to_wire()


def query(keyring):
    message = dns.message.make_query("node.example.org", "A", flags=0, id=0x1234)
    message.use_tsig(keyring)
    return message.to_wire()


def addresses(request, keyring):
    received = dns.message.from_wire(request, keyring=keyring)
    response = dns.message.make_response(received)
    response.flags |= dns.flags.AA
    response.answer.append(dns.rrset.from_text("node.example.org.", 30, "IN", "A", "192.0.2.1", "192.0.2.2"))
    response.request_mac = received.mac
    response.use_tsig(keyring)
    return response.to_wire()


def show(name, wire):
    print(f"{name}: {wire.hex()}\n")


dns.renderer.Renderer = Renderer
time.time = lambda: TIME
show("unsignedRequest", update())
for suffix, algorithm in (("256", dns.tsig.HMAC_SHA256), ("512", dns.tsig.HMAC_SHA512)):
    key = dns.tsig.Key("acme.key", SECRET, algorithm)
    keyring = {key.name: key}
    request = update(keyring)
    show(f"request{suffix}", request)
    show(f"answer{suffix}", answer(request, keyring))
    if algorithm == dns.tsig.HMAC_SHA256:
        show("query", query(keyring))
        show("addresses", addresses(query(keyring), keyring))
        show("refusal", answer(request, keyring, rcode=dns.rcode.REFUSED))
        server_time = (TIME + 1000).to_bytes(6, "big")
        show("badTime", answer(request, keyring, dns.rcode.NOTAUTH, dns.rcode.BADTIME, server_time))
