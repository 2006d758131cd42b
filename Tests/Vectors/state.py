"""The authenticated state of a database in Python: records, the digest of a vault, the digest of the node, the head's code.

Written from docs/FORMAT.md alone, so that it is an independent witness of the Swift code.
"""

import hashlib
import hmac
import struct

ZEROS = bytes(16)


def u64(number):
    return struct.pack(">Q", number)


def typed(value):
    """Type (1 integer, 2 text, 3 blob), length in 4 bytes and the bytes of a value that is not NULL."""
    if isinstance(value, int):
        kind, data = 1, struct.pack(">q", value)
    elif isinstance(value, str):
        kind, data = 2, value.encode()
    else:
        kind, data = 3, bytes(value)
    return bytes([kind]) + struct.pack(">I", len(data)) + data


def named(name):
    return struct.pack(">H", len(name)) + name.encode()


def record(table, row):
    """All columns that are not NULL, in the order of their names."""
    columns = (named(name) + typed(row[name]) for name in sorted(row) if row[name] is not None)
    return b"clav2/record" + named(table) + b"".join(columns)


def key(table, primary):
    return hashlib.sha256(b"clav2/key" + named(table) + typed(primary)).digest()[:16]


def digest(table, row):
    return hashlib.sha256(record(table, row)).digest()


def set_digest(entries):
    """S of a dictionary from 16-byte keys to 32-byte digests."""
    outer = b"clav2/set" + u64(len(entries))
    for first in range(256):
        bucket = b"".join(k + entries[k] for k in sorted(entries) if k[0] == first)
        if bucket:
            outer += bytes([first]) + hashlib.sha256(bucket).digest()
    return hashlib.sha256(outer).digest()


def node_digest(vaults):
    """N of a dictionary from vault ids (zeros: the node's own) to (change, D)."""
    return set_digest({
        vault: hashlib.sha256(b"clav2/vault" + vault + u64(change) + d).digest() for vault, (change, d) in vaults.items()})


def part_version(field, part, tier, version, author, written, k):
    """The columns of a value by which an entry's record names it."""
    return field + bytes([part, tier]) + u64(version) + author + u64(written) + struct.pack(">I", k)


def older_digest(versions):
    """Over the versions that are no longer current, by field, part and version."""
    in_order = sorted(versions, key=lambda v: (v[0], v[1], v[3]))
    return hashlib.sha256(b"".join(part_version(*v) for v in in_order)).digest()


def entry_record(parts, older, terms):
    """The column `record` of an entry. `parts`: versions with the set of their readers."""
    readers = sorted(set().union(*(who for _, who in parts)))
    out = b"\x02" + struct.pack(">H", len(readers)) + b"".join(readers) + struct.pack(">H", len(parts))
    for version, who in sorted(parts, key=lambda part: part[0][:2]):
        bits = "".join("1" if reader in who else "0" for reader in readers)
        bits += "0" * (-len(bits) % 8)
        out += part_version(*version) + bytes(int(bits[at:at + 8], 2) for at in range(0, len(bits), 8))
    return out + older_digest(older) + struct.pack(">H", len(terms)) + b"".join(sorted(terms))


def head_code(head_key, epoch, sequence, line_hash, n):
    return hmac.digest(head_key, b"clav2/audit-head" + u64(epoch) + u64(sequence) + line_hash + n, "sha256")


def line_hash(previous, sequence, time, vault, change, d, body):
    """The hash of one audit line; change and D are zeros when it changed no record."""
    line = b"clav2/audit" + previous + u64(sequence) + u64(time) + vault + u64(change) + d
    return hashlib.sha256(line + struct.pack(">I", len(body)) + body).digest()
