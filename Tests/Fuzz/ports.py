"""Sends nonsense to the ports of both programs for a while: bytes, broken handshakes, broken requests of both versions of
HTTP, inside and outside of TLS. Afterwards both must be alive and answer.

Prints its seed, and with `--seed` each thread sends the same again. Exit status 1 when a program ended or does not answer.
"""
import argparse
import contextlib
import random
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

REQUESTS = [
    b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"POST /api/v1/accounts/prelogin HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    b"Content-Length: 24\r\n\r\n{\"email\":\"a@b.example\"}\n",
    b"POST /api/v1/sessions HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"a\":\r\n2\r\n1}\r\n0\r\n\r\n",
    b"GET /api/push/abcdefghijklmnopqrstuvwxyz123456?status=up&msg=OK&ping=1 HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"POST /api/v1/login HTTP/1.1\r\nHost: localhost\r\nCookie: clavitor_monitor=x; a\r\nContent-Length: 2\r\n\r\n{}",
    b"GET /.well-known/acme-challenge/token HTTP/1.0\r\n\r\n",
    b"OPTIONS * HTTP/1.1\r\nHost: [::1]:443\r\nExpect: 100-continue\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n",
]
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


def frame(kind, flags, stream, payload):
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


# SETTINGS, HEADERS of `GET / https localhost` (indexed but for the authority), DATA, PING, RST_STREAM, WINDOW_UPDATE.
FRAMES = [
    frame(4, 0, 0, b""), frame(1, 5, 1, b"\x82\x84\x87\x41\x09localhost"), frame(1, 4, 3, b"\x83\x84\x87\x41\x09localhost"),
    frame(0, 1, 3, b"{}"), frame(6, 0, 0, b"12345678"), frame(3, 0, 1, b"\0\0\0\x08"), frame(8, 0, 0, b"\0\0\xff\xff"),
    frame(2, 0, 5, b"\0\0\0\0\x10"), frame(9, 4, 1, b"\x82"), frame(7, 0, 0, b"\0" * 8),
]


def changed(data, chance):
    """The same with some bytes turned, cut out, doubled or put in."""
    data = bytearray(data)
    for _ in range(chance.randrange(1, 6)):
        place = chance.randrange(len(data) + 1)
        what = chance.randrange(5)
        if what == 0 and place < len(data):
            data[place] = chance.randrange(256)
        elif what == 1:
            del data[place:place + chance.randrange(1, 9)]
        elif what == 2:
            data[place:place] = data[place:place + chance.randrange(1, 40)]
        elif what == 3:
            data[place:place] = chance.randbytes(chance.randrange(1, 20))
        else:
            data[place:place] = chance.choice([b"\r\n", b"\0", b"%00", b"\xff" * 9, b"9" * 20, b"[", b"\xf0\x9f\x91\xbb"])
        if not data:
            return b""
    return bytes(data)


def nonsense(chance, isHTTP2):
    if isHTTP2:
        frames = [chance.choice(FRAMES) for _ in range(chance.randrange(1, 8))]
        return PREFACE + b"".join(changed(f, chance) if chance.random() < 0.4 else f for f in frames)
    request = b"".join(chance.choice(REQUESTS) for _ in range(chance.randrange(1, 4)))
    return changed(request, chance) if chance.random() < 0.9 else chance.randbytes(chance.randrange(1, 4_000))


def send(port, chance, isTLS, counts):
    isHTTP2 = chance.random() < 0.4
    try:
        with socket.create_connection(("127.0.0.1", port), 2) as plain:
            plain.settimeout(0.3)
            if not isTLS:
                hello = b"\x16\x03\x01\x00\x70\x01\x00\x00\x6c\x03\x03" + chance.randbytes(108)
                plain.sendall(changed(hello, chance) if chance.random() < 0.3 else nonsense(chance, False))
                kind = "plain"
                with contextlib.suppress(OSError):
                    plain.recv(4_096)
            else:
                context = ssl.create_default_context()
                context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
                context.set_alpn_protocols(["h2"] if isHTTP2 else ["http/1.1"])
                with context.wrap_socket(plain, server_hostname=chance.choice(["localhost", "other.example"])) as tls:
                    tls.sendall(nonsense(chance, isHTTP2))
                    kind = "h2" if isHTTP2 else "h1"
                    if chance.random() < 0.7:
                        with contextlib.suppress(OSError):
                            tls.recv(4_096)
            counts[kind] += 1
    except OSError as error:
        counts[type(error).__name__] += 1


def answers(port):
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    for _ in range(50):
        with contextlib.suppress(OSError):
            with socket.create_connection(("127.0.0.1", port), 2) as plain:
                with context.wrap_socket(plain, server_hostname="localhost") as tls:
                    tls.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                    if tls.recv(4_096).startswith(b"HTTP/1.1 200"):
                        return True
        time.sleep(0.2)
    return False


def free():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def work(number, options, process, https, http, counts):
    chance = random.Random(f"{options.seed} {number}")
    end = time.time() + options.seconds
    while time.time() < end and process.poll() is None:
        if chance.random() < 0.25:
            send(http, chance, False, counts)
        else:
            send(https, chance, chance.random() < 0.85, counts)


def main():
    options = argparse.ArgumentParser()
    options.add_argument("program", nargs="+", help="clavitor-node or clavitor-monitor, by its path")
    options.add_argument("--seconds", type=float, default=60, help="for each program")
    options.add_argument("--threads", type=int, default=8, help="that send at the same time, each with its own chance")
    options.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    options = options.parse_args()
    print(f"seed {options.seed}", flush=True)
    isWell = True
    for program in options.program:
        with tempfile.TemporaryDirectory() as folder:
            # Its own certificate first, then served from files, with port 80's work beside it.
            https, http = free(), free()
            serve = [program, "serve", "--data", f"{folder}/data", "--https", f"127.0.0.1:{https}"]
            if program.endswith("node"):
                subprocess.run([program, "init", "--quiet", "--data", f"{folder}/data"], check=True, stdout=subprocess.DEVNULL)
            log = open(f"{folder}/log", "wb")
            first = subprocess.Popen(serve + ["--dev"], stdout=log, stderr=log)
            assert answers(https), Path(f"{folder}/log").read_text()
            first.terminate()
            first.wait()
            files = [f"{folder}/data/dev-cert.pem", f"{folder}/data/dev-key.pem"]
            own = ["--origin", "localhost"] if program.endswith("node") else []
            process = subprocess.Popen(
                serve + ["--tls-cert", files[0], "--tls-key", files[1], "--http", f"127.0.0.1:{http}"] + own,
                stdout=log, stderr=log)
            assert answers(https), Path(f"{folder}/log").read_text()
            counts = Counter()
            workers = [
                threading.Thread(target=work, args=(number, options, process, https, http, counts))
                for number in range(options.threads)
            ]
            for worker in workers:
                worker.start()
            for worker in workers:
                worker.join()
            isAlive, isThere = process.poll() is None, answers(https)
            print(f"{Path(program).name}: {sum(counts.values())} connections {dict(counts)}, "
                  f"{'alive' if isAlive else f'ENDED with {process.returncode}'}, {'answers' if isThere else 'DOES NOT ANSWER'}",
                  flush=True)
            if not (isAlive and isThere):
                isWell = False
                print(Path(f"{folder}/log").read_text()[-2_000:])
            process.terminate()
            process.wait()
    sys.exit(0 if isWell else 1)


main()
