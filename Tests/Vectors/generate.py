#!/usr/bin/env python3
"""Makes the test vectors beside this file; `--check` compares instead and fails if a file differs.

Every byte follows from fixed labels, with one exception: HPKE draws its own randomness, so a sealed wrap
that is already on disk is kept as long as it opens to what it should.
"""

import argparse
import base64
import hashlib
import hmac
import json
import pathlib
import struct
import sys
import unicodedata

import clav2
import credential
import state
from clav2 import context, u64

HERE = pathlib.Path(__file__).resolve().parent

NO_FIELD = bytes(16)
VAULT, ENTRY, FIELD = (bytes([first]) * 16 for first in (0xA1, 0xB2, 0xC3))
AGENT = bytes([0xD4]) * 16
ROW = bytes([0xE5]) * 16
ORIGIN = "zurich.example.net"


def fixed(label, count):
    """Bytes that look random and are the same on every run."""
    return hashlib.shake_256(b"clavitor vectors: " + label.encode()).digest(count)


def compact(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


# context.json


def context_file():
    value = (b"value", VAULT, ENTRY)
    cases = {
        "no parts": (),
        "one label": (b"audit-head",),
        "an empty part": (b"",),
        "empty parts keep their places": (b"", b"value", b""),
        "the same bytes cut elsewhere": (b"val", b"ue"),
        "a holder": (b"holder-wrap", AGENT),
        "a password credential": (b"credential", VAULT, AGENT, b"password", ROW),
        "tier 0, a title": (*value, NO_FIELD, b"\x00", b"\x00", u64(1)),
        "tier 0, details": (*value, bytes(15) + b"\x01", b"\x00", b"\x00", u64(1)),
        "tier 1, a value": (*value, FIELD, b"\x00", b"\x01", u64(7)),
        "part 1, which names a field": (*value, FIELD, b"\x01", b"\x00", u64(7)),
        "tier 2, the largest version": (*value, FIELD, b"\x00", b"\x02", u64(2**63 - 1)),
        "a wrap": (b"wrap", VAULT, ENTRY, FIELD, b"\x00", b"\x01", u64(256), AGENT),
        "an agent's record": (b"value", VAULT, AGENT, bytes(16), b"\x00", b"\x00", u64(1)),
        "owner's items": (b"item", VAULT, AGENT, b"totp"),
        "l2 key": (b"l2key", VAULT, u64(1)),
        "the l2 key of the generation before": (b"l2-previous", VAULT, u64(2)),
        "an entry's l2 key": (b"l2-entry", VAULT, ENTRY, b"\x00\x00\x00\x03"),
        "a field's l2 key": (b"l2-field", VAULT, ENTRY, FIELD),
        "outer box of a session: creation, expiry, audience": (
            b"root", b"credential", VAULT, AGENT, b"session", ROW, u64(1709312400), u64(1709355600), b"",
        ),
        "node tier, no vault": (b"node", bytes(16), b"node-key", ROW),
        "a part of 255 bytes": (b"\x5a" * 255,),
        "a part of 256 bytes": (b"\x5a" * 256,),
        "a part of 1000 bytes": (b"value", b"\x5a" * 1000, b"\x01"),
    }
    return {
        "about": "context(parts): clav2 and the parts, each behind its length as two bytes big-endian",
        "cases": [{"name": name, "parts": list(parts), "bytes": context(*parts)} for name, parts in cases.items()],
    }


# box.json


def box_case(name, plaintext, ctx, key=None, salt=None, key_id=0):
    key, salt = key or fixed(f"{name}: key", 32), salt or fixed(f"{name}: salt", 24)
    box = clav2.seal_box(plaintext, key, ctx, salt, key_id)
    assert clav2.open_box(box, key, ctx) == plaintext
    return {"name": name, "key": key, "salt": salt, "keyId": key_id, "context": ctx, "plaintext": plaintext, "box": box}


def flipped(data, at, bit=0x01):
    changed = bytearray(data)
    changed[at] ^= bit
    return bytes(changed)


def box_failures(good):
    """Ways to spoil the box of `good`; each must be refused with the class beside it."""
    key, ctx, box = good["key"], good["context"], good["box"]
    form, wrong, damaged = clav2.FORMAT, clav2.WRONG_KEY_OR_CONTEXT, clav2.DAMAGED
    failures = []

    def add(name, error, box=box, key=key, ctx=ctx):
        try:
            clav2.open_box(box, key, ctx)
            raise AssertionError(f"{name}: opened")
        except clav2.Refused as refused:
            assert str(refused) == error, name
        failures.append({"name": name, "key": key, "context": ctx, "box": box, "error": error})

    add("format 0", form, box=b"\x00" + box[1:])
    add("format 1", form, box=b"\x01" + box[1:])
    add("suite 0", form, box=box[:1] + b"\x00" + box[2:])
    add("suite 2, which is a sealed wrap", form, box=box[:1] + b"\x02" + box[2:])
    add("suite 3", form, box=box[:1] + b"\x03" + box[2:])
    add("format and suite swapped places with the key id", form, box=box[2:6] + box[:2] + box[6:])
    for at in range(2, 6):
        add(f"key id, byte {at} flipped", wrong, box=flipped(box, at))
    for at in (6, 29):
        add(f"salt, byte {at} flipped", wrong, box=flipped(box, at))
    for at in (30, 61):
        add(f"commitment, byte {at} flipped", wrong, box=flipped(box, at, 0x80))
    for at in (62, len(box) - 17):
        add(f"ciphertext, byte {at} flipped", damaged, box=flipped(box, at))
    for at in (len(box) - 16, len(box) - 1):
        add(f"tag, byte {at} flipped", damaged, box=flipped(box, at))
    add("commitment and tag flipped", wrong, box=flipped(flipped(box, 30), len(box) - 1))
    add("one byte too many", damaged, box=box + b"\x00")
    add("wrong key", wrong, key=flipped(key, 31))
    add("key of zeros", wrong, key=bytes(32))
    value = (b"value", VAULT, ENTRY, FIELD, b"\x00", b"\x01", u64(7))
    add("context of another kind", wrong, ctx=context(b"wrap", *value[1:]))
    add("context of another vault", wrong, ctx=context(value[0], AGENT, *value[2:]))
    add("context of another entry", wrong, ctx=context(*value[:2], AGENT, *value[3:]))
    add("context of another field", wrong, ctx=context(*value[:3], NO_FIELD, *value[4:]))
    add("context of another part", wrong, ctx=context(*value[:4], b"\x01", *value[5:]))
    add("context of another tier", wrong, ctx=context(*value[:5], b"\x02", value[6]))
    add("context of another version", wrong, ctx=context(*value[:6], u64(6)))
    add("context with a further part", wrong, ctx=context(*value, b""))
    add("context with a missing part", wrong, ctx=context(*value[:6]))
    add("empty context", wrong, ctx=b"")
    # 78 and more is long enough to be a box, so the commitment is compared and is right.
    for length in (0, 1, 2, 5, 6, 29, 30, 31, 61, 62, 63, 77):
        add(f"truncated to {length}", form, box=box[:length])
    for length in (78, len(box) - 1):
        add(f"truncated to {length}", damaged, box=box[:length])
    return failures


def box_limit():
    """The largest plaintext, told by its hash, and one byte more, which neither side may accept."""
    key, salt, ctx = fixed("limit: key", 32), fixed("limit: salt", 24), context(b"value", VAULT)
    plaintext = b"\x61" * clav2.MAX_PLAINTEXT
    box = clav2.seal_box(plaintext, key, ctx, salt)
    try:
        clav2.open_box(box + b"\x00", key, ctx)
        raise AssertionError("too long a box opened")
    except clav2.Refused as refused:
        assert str(refused) == clav2.FORMAT
    return {
        "key": key, "salt": salt, "keyId": 0, "context": ctx,
        "plaintextByte": b"\x61", "plaintextLength": len(plaintext),
        "boxLength": len(box), "boxSHA256": hashlib.sha256(box).digest(),
        "oneByteMore": clav2.FORMAT,
    }


# A literal, so that a change of this program shows.
LITERAL_BOX = (
    "020100000000404142434445464748494a4b4c4d4e4f5051525354555657b75b56f49f5751d2642e1651a5fabd72"
    "2745b1b426d0d68afbba363dea249920afd618252660387d4195241db4c26dfbf446228d9e925b"
)


def box_file():
    value = context(b"value", VAULT, ENTRY, FIELD, b"\x00", b"\x01", u64(7))
    own = box_case("a value", b"hunter2", value, bytes(range(32)), bytes(range(0x40, 0x58)))
    assert own["box"].hex() == LITERAL_BOX
    cases = [
        own,
        box_case("empty plaintext", b"", value),
        box_case("one byte", b"\x00", value),
        box_case("exactly one AES block", b"\x11" * 16, value),
        box_case("a 32-byte key, as in a wrap", fixed("a data key", 32), context(b"wrap", VAULT, ENTRY)),
        box_case("UTF-8 JSON", compact({"value": "Grüezi 🗝"}), value),
        box_case("root key id 1, outer context", own["box"], context(b"root", b"l2key", VAULT), key_id=1),
        box_case("root key id with four different bytes", b"hunter2", value, key_id=0x01020304),
        box_case("the largest root key id", b"hunter2", value, key_id=0xFFFFFFFF),
        box_case("key and salt of zeros", b"hunter2", value, bytes(32), bytes(24)),
        box_case("context without parts", b"hunter2", context()),
        box_case("5000 bytes", fixed("a long plaintext", 5000), value),
    ]
    empty = cases[1]
    short = {"name": "empty plaintext, truncated to 77", "key": empty["key"], "context": value,
             "box": empty["box"][:77], "error": clav2.FORMAT}
    return {
        "about": "boxes of suite 1; failures name the error that opening must give",
        "cases": cases,
        "failures": [*box_failures(own), short],
        "limit": box_limit(),
    }


# seal.json


def kept_seal(old, name, plaintext, seed, ctx):
    """The sealed wrap that `old` holds under `name`, if it opens, else a new one."""
    for case in old.get("cases", []):
        try:
            if case["name"] == name and clav2.open_seal(bytes.fromhex(case["sealed"]), seed, ctx) == plaintext:
                return bytes.fromhex(case["sealed"])
        except (KeyError, TypeError, ValueError, clav2.Refused):
            continue
    return clav2.seal_wrap(plaintext, seed, ctx)


def seal_case(old, name, ctx, seed=None, plaintext=None):
    seed, plaintext = seed or fixed(f"{name}: seed", 32), plaintext or fixed(f"{name}: DEK", 32)
    sealed = kept_seal(old, name, plaintext, seed, ctx)
    assert clav2.open_seal(sealed, seed, ctx) == plaintext and len(sealed) == clav2.SEAL_LENGTH
    return {"name": name, "seed": seed, "publicKey": clav2.xwing(seed)[1], "context": ctx,
            "plaintext": plaintext, "sealed": sealed}


def seal_failures(good):
    seed, ctx, sealed = good["seed"], good["context"], good["sealed"]
    form, wrong = clav2.FORMAT, clav2.WRONG_KEY_OR_CONTEXT
    failures = []

    def add(name, error, sealed=sealed, seed=seed, ctx=ctx):
        try:
            clav2.open_seal(sealed, seed, ctx)
            raise AssertionError(f"{name}: opened")
        except clav2.Refused as refused:
            assert str(refused) == error, name
        failures.append({"name": name, "seed": seed, "context": ctx, "sealed": sealed, "error": error})

    add("format 1", form, sealed=b"\x01" + sealed[1:])
    add("suite 1, which is a box", form, sealed=sealed[:1] + b"\x01" + sealed[2:])
    add("suite 3", form, sealed=sealed[:1] + b"\x03" + sealed[2:])
    add("key id not zero", form, sealed=flipped(sealed, 5))
    add("first byte of the ML-KEM ciphertext flipped", wrong, sealed=flipped(sealed, 6))
    add("last byte of the ML-KEM ciphertext flipped", wrong, sealed=flipped(sealed, 6 + 1087))
    add("first byte of the X25519 share flipped", wrong, sealed=flipped(sealed, 6 + 1088))
    add("first byte of the ciphertext flipped", wrong, sealed=flipped(sealed, 6 + 1120))
    add("last byte of the tag flipped", wrong, sealed=flipped(sealed, len(sealed) - 1))
    add("wrong seed", wrong, seed=flipped(seed, 0))
    parts = (b"wrap", VAULT, ENTRY, FIELD, b"\x00", b"\x01", u64(7))
    add("context of another holder", wrong, ctx=context(*parts, ROW))
    add("context without the holder", wrong, ctx=context(*parts))
    add("empty context", wrong, ctx=b"")
    for length in (0, 1, 2, 6, 1126, 1142, 1173):
        add(f"truncated to {length}", form, sealed=sealed[:length])
    add("one byte too many", form, sealed=sealed + b"\x00")
    return failures


def seal_file():
    old = on_disk("seal.json")
    wrap = context(b"wrap", VAULT, ENTRY, FIELD, b"\x00", b"\x01", u64(7), AGENT)
    cases = [
        seal_case(old, "a field's data key for an agent", wrap),
        seal_case(old, "a title's data key", context(b"wrap", VAULT, ENTRY, NO_FIELD, b"\x00", b"\x00", u64(1), AGENT)),
        seal_case(old, "seed and data key of ones", wrap, b"\xff" * 32, b"\xff" * 32),
        seal_case(old, "empty context", b""),
    ]
    public = cases[0]["publicKey"]
    return {
        "about": "sealed wraps of suite 2; HPKE commits to no key, so what fails past the header is wrongKeyOrContext",
        "cases": cases,
        "failures": seal_failures(cases[0]),
        "badPublicKeys": [
            {"name": "empty", "publicKey": b""},
            {"name": "one byte short", "publicKey": public[:-1]},
            {"name": "one byte long", "publicKey": public + b"\x00"},
            {"name": "ML-KEM coefficients not reduced", "publicKey": b"\xff" * 1152 + public[1152:]},
        ],
    }


# derive.json


def password_case(name, password, iterations, memory_kib, parallelism):
    encoded, salt = unicodedata.normalize("NFC", password).encode(), fixed(f"{name}: salt", 16)
    return {
        "name": name, "password": password, "passwordBytes": encoded, "salt": salt,
        "kdf": {"type": "argon2id", "memoryKiB": memory_kib, "iterations": iterations, "parallelism": parallelism},
        "masterKey": clav2.argon2id(encoded, salt, iterations, memory_kib, parallelism),
    }


def refused_parameters():
    """Outside what a client accepts: 3 ≤ t ≤ 20, 32 MiB ≤ m ≤ 256 MiB, 1 ≤ p ≤ 16, Argon2id alone."""
    good = {"type": "argon2id", "memoryKiB": 32768, "iterations": 6, "parallelism": 4}
    changes = [
        {"type": "argon2i"}, {"type": "argon2d"}, {"type": "pbkdf2"}, {"type": ""},
        {"iterations": 2}, {"iterations": 21}, {"iterations": 0}, {"iterations": -6},
        {"memoryKiB": 32767}, {"memoryKiB": 262145}, {"memoryKiB": 0},
        {"parallelism": 0}, {"parallelism": 17},
    ]
    return [good | change for change in changes]


def derive_file():
    # Composed and decomposed: the same password typed on two machines.
    composed = unicodedata.normalize("NFC", "Zürich 한글 ångström 🗝")
    decomposed = unicodedata.normalize("NFD", composed)
    assert composed != decomposed
    passwords = [
        password_case("the default parameters", "correct horse battery staple", 6, 32768, 4),
        password_case("the least of everything", "correct horse battery staple", 3, 32768, 1),
        password_case("the most memory", "correct horse battery staple", 3, 262144, 4),
        password_case("the most iterations and lanes", "correct horse battery staple", 20, 32768, 16),
        password_case("memory that is no power of two", "correct horse battery staple", 4, 50000, 3),
        password_case("composed", composed, 6, 32768, 4),
        password_case("decomposed", decomposed, 6, 32768, 4),
        password_case("long", "passphrase " * 30, 6, 32768, 4),
    ]
    assert passwords[5]["passwordBytes"] == passwords[6]["passwordBytes"]

    client = []
    for origin in (ORIGIN, "localhost:8443"):
        for recovery, secret in ((False, passwords[0]["masterKey"]), (True, fixed("a recovery kit", 32))):
            auth, wrap = clav2.client_keys(secret, origin, recovery)
            client.append({"secret": secret, "recovery": recovery, "origin": origin,
                           "authKey": auth, "l2WrapKey": wrap})

    holder_key, node_key = fixed("a holder's H", 32), fixed("nodeKey", 32)
    node = []
    for ikm, *parts in [
        *((fixed(f"a {kind} credential", 32), b"credential", kind.encode())
          for kind in ("password", "session", "agent", "recovery", "passkey")),
        (holder_key, b"holder-wrap", AGENT),
        (holder_key, b"holder-seal", AGENT),
        (fixed("a agent credential", 32), b"token-id"),
        (fixed("a session credential", 32), b"token-id"),
        (node_key, b"email-index"),
        (node_key, b"prelogin"),
        (node_key, b"audit-head"),
        (node_key, b"heartbeat"),
        (node_key, b"passkey"),
    ]:
        info = context(*parts)
        node.append({"label": parts[0].decode(), "ikm": ikm, "parts": parts, "info": info,
                     "okm": clav2.hkdf(ikm, info)})

    seed = node[6]["okm"]
    return {
        "about": "Argon2id v1.3 and HKDF-SHA256 without salt, 32 bytes each; passwordBytes = UTF-8 of password's NFC",
        "passwords": passwords,
        "refusedParameters": refused_parameters(),
        "client": client,
        "node": node,
        "holderSeal": {"seed": seed, "publicKey": clav2.xwing(seed)[1]},
    }


# totp.json


def totp(secret, time, algorithm, digits, period):
    mac = hmac.digest(secret, u64(time // period), algorithm)
    at = mac[-1] & 0x0F
    return str((struct.unpack(">I", mac[at : at + 4])[0] & 0x7FFFFFFF) % 10**digits).zfill(digits)


# RFC 6238, appendix B: time, then the code under SHA1, SHA256 and SHA512.
RFC_6238 = [
    (59, "94287082", "46119246", "90693936"),
    (1111111109, "07081804", "68084774", "25091201"),
    (1111111111, "14050471", "67062674", "99943326"),
    (1234567890, "89005924", "91819424", "93441116"),
    (2000000000, "69279037", "90698825", "38618901"),
    (20000000000, "65353130", "77737706", "47863826"),
]


def totp_file():
    # The RFC's own program stretches the seed to the hash's length; its prose does not say so.
    lengths = {"SHA1": 20, "SHA256": 32, "SHA512": 64}
    codes = []

    def add(source, algorithm, time, digits=6, period=30, secret=None):
        secret = secret or (b"1234567890" * 7)[: lengths[algorithm]]
        codes.append({"source": source, "secret": secret, "algorithm": algorithm, "digits": digits, "period": period,
                      "time": time, "code": totp(secret, time, algorithm, digits, period)})
        return codes[-1]["code"]

    for time, *expected in RFC_6238:
        for algorithm, code in zip(lengths, expected):
            assert add("RFC 6238", algorithm, time, 8) == code
    for time in (0, 29, 30, 59, 1111111109, 1709312400):
        add("six digits", "SHA1", time)
    add("six digits", "SHA256", 1709312400)
    add("seven digits", "SHA1", 1709312400, 7)
    add("sixty seconds", "SHA1", 1709312400, 6, 60)
    add("ten bytes of secret", "SHA1", 1709312400, secret=fixed("a short TOTP secret", 10))
    # A key longer than the hash's block is hashed first, which is easy to forget.
    add("a hundred bytes of secret", "SHA1", 1709312400, secret=fixed("a long TOTP secret", 100))

    secret = b"12345678901234567890"
    text = base64.b32encode(secret).decode()
    odd = fixed("a secret that base32 pads", 16)
    odd_text = base64.b32encode(odd).decode()

    base = "otpauth://totp/"

    def uri(name, value, issuer, account, secret=secret, algorithm="SHA1", digits=6, period=30):
        return {"name": name, "uri": value, "expected": {"issuer": issuer, "account": account, "secret": secret,
                "algorithm": algorithm, "digits": digits, "period": period}}

    uris = [
        uri("everything said",
            f"{base}Example:ada@example.org?secret={text}&issuer=Example&algorithm=SHA1&digits=6&period=30",
            "Example", "ada@example.org"),
        uri("the secret alone", f"{base}ada?secret={text}", None, "ada"),
        uri("issuer in the label only", f"{base}Example:ada?secret={text}", "Example", "ada"),
        uri("issuer as a parameter only", f"{base}ada?secret={text}&issuer=Example", "Example", "ada"),
        uri("two issuers: the parameter counts", f"{base}Old:ada?secret={text}&issuer=New", "New", "ada"),
        uri("percent-encoded",
            f"{base}Z%C3%BCrich%20Bank%3A%20ada%40example.org?secret={text}&issuer=Z%C3%BCrich%20Bank",
            "Zürich Bank", "ada@example.org"),
        uri("SHA256, 8 digits", f"{base}x?secret={text}&algorithm=SHA256&digits=8", None, "x",
            algorithm="SHA256", digits=8),
        uri("SHA512, 60 seconds", f"{base}x?secret={text}&algorithm=SHA512&period=60", None, "x",
            algorithm="SHA512", period=60),
        uri("lower-case secret and algorithm", f"{base}x?secret={text.lower()}&algorithm=sha1", None, "x"),
        uri("scheme and type in capitals", f"OTPAUTH://TOTP/x?secret={text}", None, "x"),
        uri("padding present", f"{base}x?secret={odd_text.replace('=', '%3D')}", None, "x", secret=odd),
        uri("padding absent", f"{base}x?secret={odd_text.rstrip('=')}", None, "x", secret=odd),
        uri("unknown parameter", f"{base}x?secret={text}&image=https%3A%2F%2Fexample.org%2Fx.png", None, "x"),
    ]
    refused = {
        "another scheme": f"https://totp/x?secret={text}",
        "counter-based": f"otpauth://hotp/x?secret={text}&counter=1",
        "no secret": "otpauth://totp/x?issuer=Example",
        "empty secret": "otpauth://totp/x?secret=",
        "not base32": "otpauth://totp/x?secret=0189",
        "unknown algorithm": f"otpauth://totp/x?secret={text}&algorithm=MD5",
        "five digits": f"otpauth://totp/x?secret={text}&digits=5",
        "nine digits": f"otpauth://totp/x?secret={text}&digits=9",
        "digits that are no number": f"otpauth://totp/x?secret={text}&digits=six",
        "period of zero": f"otpauth://totp/x?secret={text}&period=0",
        "negative period": f"otpauth://totp/x?secret={text}&period=-30",
        "empty": "",
    }
    return {
        "about": "RFC 6238 codes, and otpauth URIs with what they say; an absent issuer is null; digits are 6 to 8",
        "codes": codes,
        "uris": uris,
        "refusedURIs": [{"name": name, "uri": value} for name, value in refused.items()],
    }


# chain.json


def chain_file():
    nothing = (0, bytes(32))
    bodies = [
        (bytes(16), nothing, b"node started"),
        (VAULT, (1, fixed("a state", 32)), b""),
        (VAULT, nothing, fixed("an audit body", 120)),
        (fixed("another vault", 16), (2**40, fixed("another state", 32)), fixed("a long audit body", 300)),
        # The vault was closed.
        (VAULT, (2, bytes(32)), b"closed"),
        (bytes(16), nothing, b"\x00"),
    ]
    first = previous = bytes(32)
    lines = []
    for seq, (vault, (change, digest), body) in enumerate(bodies, start=1):
        time = 1709312400 + 3600 * (seq - 1)
        hash_ = state.line_hash(previous, seq, time, vault, change, digest, body)
        lines.append({
            "seq": seq, "time": time, "vault": vault, "change": change, "digest": digest, "body": body, "hash": hash_})
        previous = hash_
    far = {
        "previous": fixed("a far hash", 32), "seq": 2**40 + 1, "time": 2**33, "vault": VAULT, "change": 0,
        "digest": bytes(32), "body": b"far"}
    far["hash"] = state.line_hash(*far.values())
    return {
        "about": "the audit chain; hash = SHA-256(clav2/audit, previous, seq, time, vault, change, digest, body length, body)",
        "first": first, "lines": lines, "single": [far],
    }


# end-to-end.json


def caseless(text):
    """As docs/FORMAT.md has it: lower, upper and lower case, scalar by scalar, in NFC."""
    for change in (str.lower, str.upper, str.lower):
        text = "".join(change(c) for c in unicodedata.normalize("NFC", text))
    return unicodedata.normalize("NFC", text)


def caseless_file():
    texts = ["", "plain ASCII", "Ada@Example.ORG", "caf\u00e9", "cafe\u0301", "CAF\u00c9", "stra\u00dfe", "STRASSE",
             "\u03a3\u0391\u03a3", "\u03c3\u03b1\u03c2", "\u0130stanbul", "\u0131", "\u212a", "\u212b", "\u00c5", "\ufb03",
             "\u1e9e", "\u01c5", "\u1100\u1161\u11a8", "\uac01", "\u0345\u0301\u03b1", "\u1fb3", "q\u0307\u0323", "q\u0323\u0307",
             "\u10a0", "\ua7ae", "\U00010400", "\u0149", "\u1f80", "\u0390", "\u03b9\u0308\u0301", "\u2126"]
    return [{"text": text, "caseless": caseless(text)} for text in texts]


def end_to_end_file():
    old = on_disk("end-to-end.json")
    account = password_case("account", "violet tractor seventeen lakes", 6, 32768, 4)
    del account["name"]
    auth, wrap = clav2.client_keys(account["masterKey"], ORIGIN)
    vault, entry, secret_field, open_field, owner, agent, row = (
        fixed(f"end to end: {name}", 16)
        for name in ("vault", "entry", "L2 field", "L1 field", "owner", "agent", "row")
    )
    l2_key, entry_key, owner_key, agent_key, root = (
        fixed(f"end to end: {name}", 32) for name in ("l2Key", "entry key", "owner's H", "agent's H", "root key")
    )
    title_dek, dek, about_dek = (fixed(f"end to end: {name}", 32) for name in ("title DEK", "DEK", "about DEK"))
    version, kid = u64(3), 1

    def inner(name, plaintext, key, *parts):
        return box_case(f"end to end: {name}", plaintext, context(*parts), key)

    def outer(name, inside, *parts):
        return box_case(f"end to end: outer box of {name}", inside, context(b"root", *parts), root, key_id=kid)

    row_of = (b"credential", vault, owner, b"password", row)
    made = 1709312400
    l2 = (b"l2key", vault)
    generation, number = 1, 1
    owner_wrap = clav2.hkdf(owner_key, context(b"holder-wrap", owner))
    agent_seed = clav2.hkdf(agent_key, context(b"holder-seal", agent))
    for_owner = (b"wrap", vault, entry, open_field, b"\x00", b"\x01", version, owner)
    for_agent = (*for_owner[:-1], agent)
    title_place = (vault, entry, NO_FIELD, b"\x00", b"\x00", version)
    about_place = (vault, entry, open_field, b"\x01", b"\x00", version)

    boxes = {}
    boxes["credential"] = inner(
        "credential", owner_key, clav2.hkdf(auth, context(b"credential", b"password")), *row_of)
    boxes["credentialOuter"] = outer("credential", boxes["credential"]["box"], *row_of, u64(made), u64(0), b"")
    boxes["l2Key"] = inner("l2Key", l2_key, wrap, *l2, u64(generation))
    boxes["l2KeyOuter"] = outer("l2Key", boxes["l2Key"]["box"], *l2, row)
    boxes["l2Entry"] = box_case(
        "end to end: L2 entry", clav2.l2_entry(entry_key, {secret_field: 3}),
        context(b"l2-entry", vault, entry, struct.pack(">I", number)), l2_key, key_id=generation)
    boxes["l2Value"] = box_case(
        "end to end: L2 value", clav2.pad(b"4111 1111 1111 1111"),
        context(b"value", vault, entry, secret_field, b"\x00", b"\x02", version),
        clav2.l2_field_key(entry_key, vault, entry, secret_field), key_id=number)
    boxes["title"] = inner("title", clav2.pad(compact({"title": "Bank", "type": "login"})), title_dek, b"value", *title_place)
    boxes["titleWrap"] = inner("title wrap", title_dek, owner_wrap, b"wrap", *title_place, owner)
    boxes["l1Value"] = inner(
        "L1 value", clav2.pad(b"hunter2"), dek, b"value", vault, entry, open_field, b"\x00", b"\x01", version)
    boxes["l1Wrap"] = inner("L1 wrap", dek, owner_wrap, *for_owner)
    boxes["about"] = inner("about", clav2.pad(clav2.about("secret", "api key")), about_dek, b"value", *about_place)
    boxes["aboutWrap"] = inner("about wrap", about_dek, owner_wrap, b"wrap", *about_place, owner)
    sealed = seal_case(old, "end to end: sealed wrap", context(*for_agent), agent_seed, dek)
    boxes["sealedWrapOuter"] = outer("sealed wrap", sealed["sealed"], *for_agent)
    assert len(boxes["l1Wrap"]["box"]) == 110 and len(boxes["sealedWrapOuter"]["box"]) == 1252

    return {
        "about": "one small account, from its password to its values; cases: the sealed wrap inside sealedWrapOuter",
        "account": account | {"origin": ORIGIN, "authKey": auth, "l2WrapKey": wrap},
        "ids": {"vault": vault, "entry": entry, "l2Field": secret_field, "l1Field": open_field,
                "owner": owner, "agent": agent, "credentialRow": row},
        "version": 3,
        "made": made,
        "rootKey": {"id": kid, "key": root},
        "owner": {"H": owner_key, "wrapKey": owner_wrap},
        "agent": {"H": agent_key, "sealSeed": agent_seed},
        "boxes": boxes,
        "cases": [sealed],
    }


# l2.json


def l2_file():
    """A vault in generation 2 whose entry was rekeyed twice: its row has k = 3."""
    vault, entry = fixed("l2: vault", 16), fixed("l2: entry", 16)
    fields = sorted(fixed(f"l2: field {n}", 16) for n in range(3))
    old, new, entry_key, companion = (
        fixed(f"l2: {name}", 32) for name in ("l2Key 1", "l2Key 2", "entry key", "companion key"))
    number = struct.pack(">I", 3)
    versions = dict(zip(fields, (1, 7, 2**53)))
    values = dict(zip(fields, ("hunter2", "", "p\u00e4ss/\U0001f511")))

    def row(name, listed, generation=2, key=new):
        return box_case(
            f"l2: {name}", clav2.l2_entry(entry_key, listed), context(b"l2-entry", vault, entry, number), key,
            key_id=generation) | {"generation": generation}

    def plaintext(name, content):
        return {"name": name, "plaintext": clav2.pad(content)}

    good = entry_key + struct.pack(">H", 2) + b"".join(fields[n] + u64(n + 1) for n in (0, 1))
    return {
        "about": "the client's keys of L2 values: wrapped copy, previous generation, an entry's row, values, drafts",
        "vault": vault, "entry": entry, "generation": 2, "l2Key": new, "previousKey": old, "companionKey": companion,
        "number": 3, "entryKey": entry_key, "draftKey": clav2.hkdf(new, b"clavitor/2/draft"),
        "wrapped": box_case("l2: wrapped", new, context(b"l2key", vault, u64(2)), companion),
        "previous": box_case("l2: previous", old, context(b"l2-previous", vault, u64(2)), new),
        "rows": [row("no field", {}), row("one field", {fields[1]: 7}), row("three fields", versions)],
        "otherGeneration": row("generation 1", versions, generation=1, key=old),
        "malformedPlaintexts": [
            plaintext("empty", b""), plaintext("no count", entry_key), plaintext("a field is missing", good[:-24]),
            plaintext("one byte more", good + b"\x00"),
            plaintext("a field twice", entry_key + struct.pack(">H", 2) + (fields[0] + u64(1)) * 2),
            plaintext("out of order", entry_key + struct.pack(">H", 2) + fields[1] + u64(1) + fields[0] + u64(1)),
            plaintext("version 0", entry_key + struct.pack(">H", 1) + fields[0] + u64(0)),
            plaintext("version beyond 2^53", entry_key + struct.pack(">H", 1) + fields[0] + u64(2**53 + 1)),
        ],
        "fields": [
            {"field": field, "version": versions[field], "value": values[field],
             "key": clav2.l2_field_key(entry_key, vault, entry, field),
             "envelope": box_case(
                 f"l2: value {n}", clav2.pad(values[field].encode()),
                 context(b"value", vault, entry, field, b"\x00", b"\x02", u64(versions[field])),
                 clav2.l2_field_key(entry_key, vault, entry, field), key_id=3)["box"]}
            for n, field in enumerate(fields)
        ],
    }


# padding.json


def padding_file():
    sizes = [0, 1, 27, 28, 29, 60, 124, 251, 252, 253, 316, 317, 412, 413, 700, 5000, 65536]
    contents = [(fixed("padding", 32) * 2049)[:size] for size in sizes]
    return {
        "about": "plaintexts; the long ones as their length alone; refused: what is no padded plaintext",
        "steps": [{"count": count, "step": clav2.step(count)} for count in range(4, 1500)],
        "cases": [{"content": content, "padded": clav2.pad(content)} for content in contents[:15]],
        "refused": [
            {"name": name, "padded": padded} for name, padded in {
                "nothing": b"", "three bytes": bytes(3), "a length alone": bytes(4),
                "a byte too few": clav2.pad(b"secret")[:-1], "a byte too many": clav2.pad(b"secret") + b"\x00",
                "a step too many": clav2.pad(b"secret") + bytes(32), "padding that is not zeros": clav2.pad(b"secret")[:-1] + b"\x01",
                "a length beyond the end": struct.pack(">I", 29) + bytes(28), "a length of four gigabytes": b"\xff" * 4 + bytes(28),
            }.items()],
        "fields": [
            {"label": label, "kind": kind, "value": value, "content": value.encode(), "about": clav2.about(kind, label)}
            for label, kind, value in [
                ("api key", "secret", "hunter2"), ("", "text", ""), ("\u00e9\U0001f511" * 20, "username", "Gr\u00fcezi \U0001f5dd"),
                ("l", "totp", "JBSWY3DPEHPK3PXP" * 8)]],
    }


# state.json


def state_file():
    entry = {"id": ENTRY, "vault": VAULT, "version": 7, "record": b"\x00\x01"}
    rows = {
        "FORMAT.md's own": ("entry", "id", entry),
        "a column that is NULL counts as absent": ("entry", "id", entry | {"later": None}),
        "another version": ("entry", "id", entry | {"version": 8}),
        "an integer is not its text": ("entry", "id", entry | {"version": "7"}),
        "text is not its bytes": ("entry", "id", entry | {"version": b"7"}),
        "the smallest integer, empty text, empty bytes": (
            "account", "vault", {"vault": VAULT, "added": -(2**63), "note": "", "box": b""}),
        "text beyond ASCII": ("client", "id", {"id": ROW, "vault": VAULT, "name": "Z\u00fcrich \U0001f511"}),
        "names in byte order": ("item", "id", {"id": ROW, "vault": VAULT, "b_1": 1, "b": 2, "b0": 3}),
    }
    records = [
        {
            "name": name, "table": table,
            "columns": [
                {"name": column, "type": {int: "integer", str: "text", bytes: "blob", type(None): "null"}[type(value)],
                 "value": str(value) if isinstance(value, int) else value}
                for column, value in row.items()],
            "primaryKey": primary, "bytes": state.record(table, row), "key": state.key(table, row[primary]),
            "digest": state.digest(table, row),
        } for name, (table, primary, row) in rows.items()]
    many = {fixed(f"state: key {n}", 16): fixed(f"state: digest {n}", 32) for n in range(300)}
    first = {bytes([0xB2]) + fixed(f"state: same byte {n}", 15): fixed(f"state: same digest {n}", 32) for n in range(3)}
    sets = {
        "empty": {},
        "FORMAT.md's own": {records[0]["key"]: records[0]["digest"]},
        "three with the same first byte": first,
        "three hundred": many,
    }
    digests = {name: state.set_digest(entries) for name, entries in sets.items()}
    own = (5, digests["three with the same first byte"])
    nodes = {
        "FORMAT.md's own": {VAULT: (3, digests["FORMAT.md's own"])},
        "with the node's own set": {state.ZEROS: own, VAULT: (3, digests["FORMAT.md's own"])},
        "a vault without records": {state.ZEROS: own, VAULT: (4, digests["empty"])},
    }
    head_key = bytes(range(32))
    body = fixed("state: body", 40)
    line = (bytes(32), 9, 1709312400000, VAULT, 3, digests["FORMAT.md's own"], body)
    return {
        "about": "records, the digest of a set of records, the digest of a node, the head's code and an audit line",
        "records": records,
        "sets": [
            {"name": name, "entries": [{"key": k, "digest": d} for k, d in entries.items()], "digest": digests[name]}
            for name, entries in sets.items()],
        "nodes": [
            {"name": name, "vaults": [{"vault": v, "change": c, "digest": d} for v, (c, d) in vaults.items()],
             "digest": state.node_digest(vaults),
             "epoch": 1, "sequence": 9, "hash": bytes(32), "headKey": head_key,
             "code": state.head_code(head_key, 1, 9, bytes(32), state.node_digest(vaults))}
            for name, vaults in nodes.items()],
        "line": dict(zip(("previous", "sequence", "time", "vault", "change", "digest", "body"), line))
        | {"hash": state.line_hash(*line)},
    }


# entry-record.json


def entry_record_file():
    def some(what, n):
        return fixed(f"entry record: {what} {n}", 16)

    def part(n, field=None, version=1, readers=(), number=0, k=0):
        columns = (field or some("field", n), number, n % 3, version, some("author", n % 2), 1_700_000_000 + n, k)
        return columns, {some("reader", r) for r in readers}

    title, details = bytes(16), bytes(15) + b"\x01"
    login = [part(0, title, 2, (0, 1)), part(3, details, 2), part(1, None, 1, (0, 1)), part(4, None, 2, (1,)), part(2, None, 2**53, k=7)]
    # Of field 1 also what names it, which the writing agent may read and not the value.
    login.append(part(1, None, 1, (0, 1), 1))
    cases = {
        "a new entry, before its first part": ([], [], []),
        "a login with two readers": (login, [part(4, None, 1, (), 1)[0], part(4)[0], part(4, None, 0, k=2**32 - 1)[0]], [some("term", 0), some("term", 1)]),
        "older versions alone, out of order": ([], [part(7, None, 3)[0], part(7, None, 1)[0], part(5, None, 2)[0]], []),
        "eight readers": ([part(1, None, 1, range(8)), part(4, None, 1, (7,))], [], []),
        "nine readers, of whom the last reads nothing else": (
            [part(1, None, 1, range(8)), part(4, None, 1, (8,))], [], [some("term", 9)]),
        "forty parts, and more terms than one byte counts": (
            [part(n, None, n + 1, (n % 20,)) for n in range(40)], [], [some("term", n) for n in range(260)]),
    }

    def version(columns):
        return dict(zip(("field", "part", "tier", "version", "author", "written", "k"), columns))

    return {
        "about": "the column record of an entry",
        "cases": [
            {
                "name": name,
                "parts": [version(columns) | {"readers": sorted(readers)} for columns, readers in parts],
                "older": [version(columns) for columns in older], "terms": terms,
                "record": state.entry_record(parts, older, terms),
            } for name, (parts, older, terms) in cases.items()],
    }


# credential.json


def credential_case(old, name, kind, form, algorithm=None, spki=b"", expires=None):
    """A row: H in an inner box or sealed, in a box under the root key, and the seal of a kit or passkey."""
    secret, holder_key = fixed(f"{name}: secret", 32), fixed(f"{name}: H", 32)
    vault, holder, row = (fixed(f"{name}: {what}", 16) for what in ("vault", "holder", "row"))
    root, made = fixed("credential: root key", 32), 1709312400
    inner_context = credential.inner_context(vault, holder, kind, row)
    seed = credential.seal_seed(secret, kind, row)
    if form == "boxed":
        inner = clav2.seal_box(
            holder_key, credential.box_key(secret, kind), inner_context, fixed(f"{name}: inner salt", 24))
    else:
        inner = kept_inner(old, name, holder_key, seed, inner_context)
    outer_context = credential.outer_context(vault, holder, kind, row, made, expires)
    case = {
        "name": name, "kind": kind, "form": form, "secret": secret, "H": holder_key, "vault": vault, "holder": holder,
        "id": row, "made": made, "expires": expires, "rootKeyId": 1, "rootKey": root,
        "innerContext": inner_context, "outerContext": outer_context, "key": credential.box_key(secret, kind),
        "lookup": credential.lookup(secret), "inner": inner,
        "box": clav2.seal_box(inner, root, outer_context, fixed(f"{name}: outer salt", 24), 1),
    }
    if kind in ("recovery", "passkey"):
        plaintext = credential.seal_plaintext(secret, kind, row, algorithm, spki)
        case["seal"] = {
            "seed": seed, "publicKey": clav2.xwing(seed)[1], "check": credential.check(secret, kind, row),
            "algorithm": algorithm, "spki": spki, "context": credential.seal_context(vault, row),
            "plaintext": plaintext,
            "box": clav2.seal_box(
                plaintext, root, credential.seal_context(vault, row), fixed(f"{name}: seal salt", 24), 1),
        }
    return case


def kept_inner(old, name, plaintext, seed, ctx):
    """The sealed form on disk under `name`, if it opens, else a new one."""
    for case in old.get("rows", []):
        try:
            inner = bytes.fromhex(case["inner"])
            if case["name"] == name and clav2.open_seal(inner, seed, ctx) == plaintext:
                return inner
        except (KeyError, TypeError, ValueError, clav2.Refused):
            continue
    return clav2.seal_wrap(plaintext, seed, ctx)


def assertions(old, key, issued, present):
    """For each algorithm a key with an assertion that is accepted, and such as are signed and refused all the same."""
    origin, rp_id = f"https://{ORIGIN}", ORIGIN
    good = credential.challenge(key, issued)
    client, authenticator = credential.client_data, credential.authenticator_data
    spoiled = {
        "accepted": (client(good, origin), authenticator(rp_id), True),
        "accepted, without crossOrigin": (client(good, origin, cross=None), authenticator(rp_id), True),
        "accepted, with members of a newer browser": (
            client(good, origin, other_keys_can_be_added_here="see https://goo.gl/yabPex"), authenticator(rp_id), True),
        "accepted, with extensions": (
            client(good, origin), authenticator(rp_id, 0x85, 7, b"\xa1\x63prf\xa0"), True),
        "another type": (client(good, origin, "webauthn.create"), authenticator(rp_id), False),
        "another origin": (client(good, "https://zurich.example.org"), authenticator(rp_id), False),
        "a child of the origin": (client(good, f"https://x.{ORIGIN}"), authenticator(rp_id), False),
        "another port": (client(good, f"{origin}:3000"), authenticator(rp_id), False),
        "plain HTTP": (client(good, f"http://{ORIGIN}"), authenticator(rp_id), False),
        "a slash more": (client(good, f"{origin}/"), authenticator(rp_id), False),
        "in a frame of another page": (client(good, origin, cross=True), authenticator(rp_id), False),
        "another rpId": (client(good, origin), authenticator("example.net"), False),
        "nobody present": (client(good, origin), authenticator(rp_id, 0x04), False),
        "user not verified": (client(good, origin), authenticator(rp_id, 0x01), False),
        "bytes behind the data that no flag announces": (
            client(good, origin), authenticator(rp_id, tail=b"\x00"), False),
        "authenticator data cut short": (client(good, origin), authenticator(rp_id)[:36], False),
        "another challenge": (client(fixed("a challenge", 40), origin), authenticator(rp_id), False),
        "a challenge cut short": (client(good[:39], origin), authenticator(rp_id), False),
        "a challenge older than five minutes": (
            client(credential.challenge(key, present - 300_000_001), origin), authenticator(rp_id), False),
        "a challenge of the future": (
            client(credential.challenge(key, present + 1_000_000), origin), authenticator(rp_id), False),
        "client data that is not JSON": (b"{", authenticator(rp_id), False),
    }
    result = []
    for name, algorithm in (("ES256", credential.ES256), ("RS256", credential.RS256)):
        signed = {case: credential.signed(a, c) for case, (c, a, _) in spoiled.items()}
        kept = next((made for made in old.get("assertions", []) if made.get("algorithm") == algorithm), {"cases": []})
        spki = bytes.fromhex(kept.get("spki", ""))
        signatures = {case["name"]: bytes.fromhex(case["signature"]) for case in kept["cases"]}
        if not all(credential.verifies(spki, signatures.get(case, b""), data) for case, data in signed.items()):
            private = credential.new_key(algorithm)
            spki = credential.spki(private)
            signatures = {case: credential.sign(private, data) for case, data in signed.items()}
        result.append({
            "name": name, "algorithm": algorithm, "spki": spki,
            "cases": [
                {"name": case, "clientDataJSON": client, "authenticatorData": authenticator,
                 "signature": signatures[case], "isAccepted": accepted}
                for case, (client, authenticator, accepted) in spoiled.items()]})
    return origin, rp_id, result


def credential_file():
    old = on_disk("credential.json")
    key = clav2.hkdf(fixed("nodeKey", 32), context(b"passkey"))
    now = 1_709_312_400
    issued = now * 1_000_000 + 17
    origin, rp_id, signed = assertions(old, key, issued, now * 1_000_000)
    spki = signed[0]["spki"]
    rows = [credential_case(old, f"{kind}, boxed", kind, "boxed", **more) for kind, more in (
        ("password", {}), ("recovery", {}), ("passkey", {"algorithm": 1, "spki": spki}),
        ("session", {"expires": 1711904400}), ("agent", {}))]
    rows += [
        credential_case(old, "recovery, sealed", "recovery", "sealed"),
        credential_case(old, "passkey, sealed", "passkey", "sealed", algorithm=2, spki=signed[1]["spki"]),
    ]
    prf = fixed("a passkey's PRF output", 32)
    auth, wrap = credential.passkey_keys(prf, ORIGIN)
    ids = [bytes(16), b"\xff" * 16, *(fixed(f"a kit's id {n}", 16) for n in range(6))]
    return {
        "about": "credentials in both forms, seals with their checks, challenges, and assertions of passkeys",
        "rows": rows,
        "kitNumbers": [{"id": row, "number": credential.kit_number(row)} for row in ids],
        "client": {"prf": prf, "origin": ORIGIN, "prfInput": credential.prf_input(ORIGIN),
                   "authKey": auth, "l2WrapKey": wrap},
        "nodeKey": fixed("nodeKey", 32), "challengeKey": key,
        "challenges": [
            {"microseconds": time, "challenge": credential.challenge(key, time)} for time in (0, issued, 2**62)],
        "now": now, "issued": issued, "origin": origin, "rpId": rp_id,
        "assertions": signed,
    }


# email.json


def white_space(c):
    """The property White_Space of Unicode."""
    return c in "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" or "\u2000" <= c <= "\u200a"


# Default_Ignorable_Code_Point of Unicode, as far as it is neither Cf, Cn nor another category below.
IGNORABLE = {0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x180B, 0x180C, 0x180D, 0x180F, 0x3164, 0xFFA0,
             *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)}


def email(text):
    """The normalized address; None for text that is none."""
    start, end = 0, len(text)
    while start < end and white_space(text[start]):
        start += 1
    while end > start and white_space(text[end - 1]):
        end -= 1
    address = caseless(text[start:end])
    halves = address.split("@")
    if len(halves) != 2 or not all(halves) or len(address.encode()) > 254:
        return None
    hidden = {"Cc", "Cf", "Cs", "Co", "Cn", "Zs", "Zl", "Zp"}
    if any(unicodedata.category(c) in hidden or ord(c) in IGNORABLE for c in address):
        return None
    return address


def email_file():
    index_key = clav2.hkdf(fixed("nodeKey", 32), context(b"email-index"))
    salt_key = clav2.hkdf(fixed("nodeKey", 32), context(b"prelogin"))
    texts = [
        "ada@example.org", " ADA@Example.ORG ", "\tada@example.org\r\n", "\u00a0ada@example.org\u3000",
        "\u2003ada@example.org\x85", "ren\u00e9@example.org", "rene\u0301@example.org", "REN\u00c9@EXAMPLE.ORG",
        "\u00c5sa@example.org", "\u212bsa@example.org", "stra\u00dfe@example.org", "STRASSE@example.org",
        "\u03c3\u03bf\u03c2@example.org", "\u03a3\u039f\u03a3@example.org", "\u1100\u1161@example.org", "\uac00@example.org",
        "\u0130stanbul@example.org", "i\u0307stanbul@example.org", "\U0001f511@example.org", "a+b@example.org",
        # Space before a combining mark is space.
        " \u0301ada@example.org", "ada@example.org\u0301 ", "a" * 242 + "@example.org",
        # None of these is an address.
        "", "@", "ada", "ada@", "@example.org", "a@b@c", "ada @example.org", "ada@exam\u00a0ple.org", "a" * 243 + "@example.org",
        "ada\u200b@example.org", "ada\u00ad@example.org", "ada\u202e@example.org", "ada\u034f@example.org",
        "ada\ufe0f@example.org", "ada\u3164@example.org", "ada\x00@example.org", "ada\ue000@example.org", "\ufeffada@example.org",
        # A mark behind the sign: the sign is still there.
        "ada@\u0301example.org",
    ]
    cases = []
    for text in texts:
        address = email(text)
        case = {"text": text, "normalized": address}
        if address is not None:
            case["index"] = hmac.digest(index_key, address.encode(), "sha256")
            case["salt"] = hmac.digest(salt_key, address.encode(), "sha256")[:16]
        cases.append(case)
    return {"about": "e-mail addresses as accounts' names; null for text that is none", "nodeKey": fixed("nodeKey", 32),
            "rootKey": fixed("email: root key", 32), "cases": cases,
            "storedNodeKey": clav2.seal_box(
                fixed("nodeKey", 32), fixed("email: root key", 32), context(b"node", bytes(16), b"node-key", b""),
                fixed("email: salt", 24), 1)}


FILES = {
    "caseless.json": caseless_file,
    "context.json": context_file,
    "box.json": box_file,
    "seal.json": seal_file,
    "derive.json": derive_file,
    "totp.json": totp_file,
    "chain.json": chain_file,
    "end-to-end.json": end_to_end_file,
    "l2.json": l2_file,
    "padding.json": padding_file,
    "state.json": state_file,
    "entry-record.json": entry_record_file,
    "credential.json": credential_file,
    "email.json": email_file,
}


def on_disk(name):
    """What a vector file holds now; nothing if it is missing or unreadable."""
    try:
        content = json.loads((HERE / name).read_text())
        return content if isinstance(content, dict) else {}
    except (OSError, ValueError):
        return {}


def as_text(value):
    return json.dumps(value, indent=2, ensure_ascii=True, default=bytes.hex) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a file on disk differs")
    check = parser.parse_args().check
    differing = []
    for name, make in FILES.items():
        path, text = HERE / name, as_text(make())
        if path.exists() and path.read_bytes() == text.encode():
            continue
        differing.append(name)
        if not check:
            path.write_text(text)
    for name in differing:
        print(f"{name}: {'differs' if check else 'written'}")
    sys.exit(1 if check and differing else 0)


if __name__ == "__main__":
    main()
