"""What the benchmarks share: servers that end with the `with`, and tables of results."""

import os
import pathlib
import re
import socket
import statistics
import subprocess
import sys
import time

import measure

HERE = pathlib.Path(__file__).resolve().parent
ROUNDS = int(os.environ.get("ROUNDS", "3"))
SECONDS = int(os.environ.get("SECONDS", "5"))


class Server:
    """A process that listens, ended at the end of the `with`."""

    def __init__(self, command, port, log, address="127.0.0.1"):
        self.port = port
        self.log = open(log, "w")
        self.started = time.monotonic()
        self.process = subprocess.Popen(command, stdout=self.log, stderr=self.log)
        self.pid = self.process.pid
        while True:
            try:
                socket.create_connection((address, port), timeout=1).close()
                return
            except OSError:
                if self.process.poll() is not None:
                    sys.exit(f"{command[0]} did not start; see {log}")
                time.sleep(0.005)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        self.log.close()


def nginx(scratch, certificate, key, port):
    """A server that answers every request with the same text."""
    (scratch / "nginx").mkdir()
    text = (HERE / "nginx.conf.in").read_text()
    for mark, value in [("@PREFIX@", scratch / "nginx"), ("@PORT@", port), ("@CERT@", certificate), ("@KEY@", key)]:
        text = text.replace(mark, str(value))
    (scratch / "nginx.conf").write_text(text)
    return Server(
        ["/usr/sbin/nginx", "-p", scratch / "nginx", "-c", scratch / "nginx.conf"], port, scratch / "nginx.log")


def certificate(scratch):
    """A self-signed certificate for localhost, and its key."""
    chain, key = scratch / "cert.pem", scratch / "key.pem"
    measure.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key,
                 "-out", chain, "-days", "2", "-subj", "/CN=localhost", "-addext",
                 "subjectAltName=DNS:localhost,IP:127.0.0.1"])
    return chain, key


def median(rows, name):
    return statistics.median(row[name] for row in rows)


def verdict(target, figure):
    """The figure, marked where it misses its target; of several figures in a cell the first counts."""
    wanted = re.match(r"([≤≥]) ([\d.]+)", target)
    value = float(re.match(r"[\d.,]+", figure)[0].replace(",", ""))
    if wanted and (value < float(wanted[2]) if wanted[1] == "≥" else value > float(wanted[2])):
        return f"**missed: {figure}**"
    return figure


class Table:
    """The rows of a table of results, printed as they come."""

    def __init__(self):
        self.rows = []

    def add(self, name, target, figure, note=""):
        figure = verdict(target, figure)
        self.rows.append((name, target, figure, note))
        print(f"{name}: {figure} {note}", flush=True)

    def write(self, name, how, notes):
        cpu = next(line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name"))
        with open(HERE / name, "w") as file:
            file.write(
                f"# Results\n\n{time.strftime('%Y-%m-%d')}, {cpu}, {os.cpu_count()} cores, loopback, {how}, "
                f"{ROUNDS} interleaved rounds of {SECONDS} s, medians. The load generator shares the cores.\n\n"
                "| Figure | To reach | Measured | |\n|---|---|---|---|\n")
            for row in self.rows:
                file.write("| " + " | ".join(row) + " |\n")
            file.write("\n" + (HERE / notes).read_text())


def summary(rows):
    return (f"{median(rows, 'requests_per_s'):,.0f}/s, p99 {median(rows, 'p99_ms'):.1f} ms, "
            f"{median(rows, 'server_cpu_us_per_request'):.0f} µs CPU")


def ratio(result):
    return statistics.median(a["requests_per_s"] / b["requests_per_s"] for a, b in zip(result["ours"], result["peer"]))
