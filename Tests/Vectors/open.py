#!/usr/bin/env python3
"""Opens boxes and sealed wraps, so that a test can check what the Swift code made.

Reads JSON objects on stdin, one or several, and prints a line for each: the plaintext in hex, or "error: class".
    {"kind": "box",  "key":  hex, "context": hex, "box": hex}
    {"kind": "seal", "seed": hex, "context": hex, "box": hex}
An object that is none of these ends the program with status 2.
"""

import json
import sys

import clav2


def objects(text):
    decoder, at = json.JSONDecoder(), 0
    while text := text[at:].lstrip():
        value, at = decoder.raw_decode(text)
        yield value


def opened(request):
    ctx, box = bytes.fromhex(request["context"]), bytes.fromhex(request["box"])
    if request["kind"] == "box":
        return clav2.open_box(box, bytes.fromhex(request["key"]), ctx)
    if request["kind"] == "seal":
        return clav2.open_seal(box, bytes.fromhex(request["seed"]), ctx)
    raise ValueError(f"unknown kind {request['kind']!r}")


def main():
    try:
        for request in objects(sys.stdin.read()):
            try:
                print(opened(request).hex())
            except clav2.Refused as refused:
                print(f"error: {refused}")
    except (KeyError, TypeError, ValueError) as wrong:
        print(f"open.py: {wrong!r}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
