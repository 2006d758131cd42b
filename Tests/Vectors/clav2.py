"""The format in Python: contexts, boxes, sealed wraps, padding and key derivation.

Written from docs/FORMAT.md alone, so that it is an independent witness of the Swift code.
The functions that make a box take the salt as an argument; only vectors may do that.
"""

import hashlib
import hmac
import struct

from argon2.low_level import Type, hash_secret_raw
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

FORMAT = "format"  # format, suite or length: no key was tried
WRONG_KEY_OR_CONTEXT = "wrongKeyOrContext"
DAMAGED = "damaged"  # the commitment is right, the tag is not

BOX_OVERHEAD = 78
MAX_PLAINTEXT = 1 << 20
SEAL_HEADER = b"\x02\x02\x00\x00\x00\x00"
SEAL_LENGTH = 1174

HPKE = hpke.Suite(hpke.KEM.MLKEM768_X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)


class Refused(Exception):
    """A box or a sealed wrap that does not open. The argument is the error class."""


def context(*parts):
    """Each part, "clav2" first, behind its length as two bytes big-endian."""
    return b"".join(struct.pack(">H", len(part)) + part for part in (b"clav2", *parts))


def u64(number):
    """Versions and times."""
    return struct.pack(">Q", number)


def hkdf(key, info, salt=b"", length=32):
    return HKDF(SHA256(), length, salt, info).derive(key)


def _box_keys(key, header, ctx):
    okm = hkdf(key, b"clav2/box" + header[:6] + ctx, salt=header[6:30], length=64)
    return okm[:32], okm[32:]


def seal_box(plaintext, key, ctx, salt, key_id=0):
    """A box of suite 1."""
    if len(plaintext) > MAX_PLAINTEXT or len(key) != 32 or len(salt) != 24:
        raise ValueError("outside the format")
    header = struct.pack(">BBI", 2, 1, key_id) + salt
    once, commitment = _box_keys(key, header, ctx)
    return header + commitment + AESGCM(once).encrypt(bytes(12), plaintext, None)


def open_box(box, key, ctx):
    if not BOX_OVERHEAD <= len(box) <= BOX_OVERHEAD + MAX_PLAINTEXT or box[:2] != b"\x02\x01":
        raise Refused(FORMAT)
    once, commitment = _box_keys(key, box[:30], ctx)
    if not hmac.compare_digest(commitment, box[30:62]):
        raise Refused(WRONG_KEY_OR_CONTEXT)
    try:
        return AESGCM(once).decrypt(bytes(12), box[62:], None)
    except InvalidTag:
        raise Refused(DAMAGED) from None


def xwing(seed):
    """The private key of a 32-byte X-Wing seed, and the 1,216 bytes of its public key."""
    expanded = hashlib.shake_256(seed).digest(96)
    lattice = MLKEM768PrivateKey.from_seed_bytes(expanded[:64])
    curve = X25519PrivateKey.from_private_bytes(expanded[64:])
    public = lattice.public_key().public_bytes_raw() + curve.public_key().public_bytes_raw()
    return hpke.MLKEM768X25519PrivateKey(lattice, curve), public


def _seal_info(ctx):
    return b"clav2/seal" + SEAL_HEADER + ctx


def seal_wrap(plaintext, seed, ctx):
    """A sealed wrap of suite 2. New randomness each time: the library offers no other way."""
    if len(plaintext) != 32:
        raise ValueError("a sealed wrap carries one 32-byte key")
    private, _ = xwing(seed)
    return SEAL_HEADER + HPKE.encrypt(plaintext, private.public_key(), _seal_info(ctx))


def open_seal(sealed, seed, ctx):
    """HPKE commits to no key, so a wrong key, a wrong context and damage look the same."""
    if len(sealed) != SEAL_LENGTH or sealed[:6] != SEAL_HEADER:
        raise Refused(FORMAT)
    private, _ = xwing(seed)
    try:
        return HPKE.decrypt(sealed[6:], private, _seal_info(ctx))
    except InvalidTag:
        raise Refused(WRONG_KEY_OR_CONTEXT) from None


def step(count):
    """The length to which `count` bytes are padded."""
    if count <= 256:
        return max(32, -(-count // 32) * 32)
    length = 256
    while length < count:
        length = -(-length * 5 // 128) * 32
    return length


def pad(content):
    """Length, content, zeros up to the step."""
    framed = struct.pack(">I", len(content)) + content
    return framed.ljust(step(len(framed)), b"\x00")


def about(kind, label):
    """The content of the part that names a field."""
    kind = kind.encode()
    return bytes([len(kind)]) + kind + label.encode()


def l2_field_key(entry_key, vault, entry, field):
    """The key of one field's L2 values."""
    return hkdf(entry_key, context(b"l2-field", vault, entry, field))


def l2_entry(entry_key, versions):
    """The plaintext of an entry's row: its key, and the version of each L2 field."""
    listed = b"".join(field + u64(versions[field]) for field in sorted(versions))
    return pad(entry_key + struct.pack(">H", len(versions)) + listed)


def argon2id(password, salt, iterations, memory_kib, parallelism):
    """The master key. `password` is UTF-8 of the NFC form."""
    return hash_secret_raw(password, salt, iterations, memory_kib, parallelism, 32, Type.ID, 0x13)


def client_keys(secret, origin, recovery=False):
    """authKey and l2WrapKey of a master key, or their twins of a recovery kit."""
    prefix = b"clavitor/1/recovery/" if recovery else b"clavitor/1/"
    return hkdf(secret, prefix + b"auth\x00" + origin.encode()), hkdf(secret, prefix + b"l2")
