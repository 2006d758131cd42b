"""Credentials in Python: the two forms of a row, the seal with its check, a passkey's challenge and assertions, a kit's number.

Written from docs/FORMAT.md alone, as an independent witness of the Swift code. What signs draws its own randomness, so the
caller keeps a signature that is already on disk while it verifies.
"""

import base64
import hashlib
import hmac
import json
import struct

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

import clav2
from clav2 import context, hkdf, u64

KINDS = ("password", "recovery", "passkey", "session", "agent")
ES256, RS256 = 1, 2
PRESENT, VERIFIED = 0x01, 0x04


def inner_context(vault, holder, kind, row):
    return context(b"credential", vault, holder, kind.encode(), row)


def outer_context(vault, holder, kind, row, made, expires=None, audience=b""):
    return context(b"root", b"credential", vault, holder, kind.encode(), row, u64(made), u64(expires or 0), audience)


def box_key(secret, kind):
    return hkdf(secret, context(b"credential", kind.encode()))


def seal_seed(secret, kind, row):
    return hkdf(secret, context(b"credential-seal", kind.encode(), row))


def check(secret, kind, row):
    return hkdf(secret, context(b"credential-check", kind.encode(), row))


def seal_plaintext(secret, kind, row, algorithm=None, spki=b""):
    """X-Wing public key, check, and for a passkey the algorithm and its public key."""
    tail = bytes([algorithm]) + spki if kind == "passkey" else b""
    return clav2.xwing(seal_seed(secret, kind, row))[1] + check(secret, kind, row) + tail


def seal_context(vault, row):
    return context(b"node", vault, b"credential", row)


def lookup(secret):
    return hkdf(secret, context(b"token-id"))


def passkey_keys(prf, origin):
    """authKey and l2WrapKey of a passkey: the output of its PRF takes the place of a master key."""
    return (hkdf(prf, b"clavitor/1/passkey/auth\x00" + origin.encode()), hkdf(prf, b"clavitor/1/passkey/l2"))


def prf_input(origin):
    return b"clavitor/1/passkey\x00" + origin.encode()


def challenge(key, microseconds):
    """Time in microseconds since 1970, and its code."""
    time = u64(microseconds)
    return time + hmac.new(key, time, hashlib.sha256).digest()


def kit_number(row):
    """The first five bytes of a kit's id in base 32."""
    text = base64.b32encode(row[:5]).decode()
    return f"{text[:4]}-{text[4:]}"


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def client_data(challenge, origin, kind="webauthn.get", cross=False, **more):
    """clientDataJSON in the order in which browsers write it (WebAuthn Level 3, section 5.8.1.1)."""
    members = {"type": kind, "challenge": base64url(challenge), "origin": origin}
    if cross is not None:
        members["crossOrigin"] = cross
    return json.dumps(members | more, separators=(",", ":")).encode()


def authenticator_data(rp_id, flags=PRESENT | VERIFIED, counter=0, tail=b""):
    return hashlib.sha256(rp_id.encode()).digest() + bytes([flags]) + struct.pack(">I", counter) + tail


def signed(authenticator, client):
    return authenticator + hashlib.sha256(client).digest()


def new_key(algorithm):
    return ec.generate_private_key(ec.SECP256R1()) if algorithm == ES256 else rsa.generate_private_key(65537, 2048)


def spki(private):
    return private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def sign(private, data):
    if isinstance(private, ec.EllipticCurvePrivateKey):
        return private.sign(data, ec.ECDSA(SHA256()))
    return private.sign(data, padding.PKCS1v15(), SHA256())


def verifies(spki, signature, data):
    try:
        public = load_der_public_key(spki)
        if isinstance(public, ec.EllipticCurvePublicKey):
            public.verify(signature, data, ec.ECDSA(SHA256()))
        else:
            public.verify(signature, data, padding.PKCS1v15(), SHA256())
        return True
    except (InvalidSignature, ValueError):
        return False
