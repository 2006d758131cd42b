#!/usr/bin/env python3
"""Measures a server from outside: CPU time, memory, requests and handshakes.

Each command prints one JSON object. The server is named by its pid; its child processes are counted with it.
CPU time comes from /proc/PID/stat in ticks of 10 ms, so runs should last seconds.
"""

import argparse
import json
import os
import pathlib
import re
import resource
import subprocess
import sys
import time

PROC = pathlib.Path("/proc")
TICKS = os.sysconf("SC_CLK_TCK")
UNITS = {"us": 1e-3, "ms": 1.0, "s": 1e3, "m": 6e4, "h": 3.6e6}  # to milliseconds


def stat(pid):
    """The fields of /proc/PID/stat from the state on; the name before it may hold spaces and brackets."""
    return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()


def family(pid):
    """The process and its living descendants."""
    children = {}
    for entry in PROC.iterdir():
        if entry.name.isdigit():
            try:
                children.setdefault(int(stat(entry.name)[1]), []).append(int(entry.name))
            except OSError:
                continue  # it ended while we looked
    found = [pid]
    for each in found:
        found += children.get(each, [])
    return found


def cpu(pid):
    """Seconds of CPU time that the server has used so far."""
    user = system = 0
    for each in family(pid):
        fields = stat(each)
        user, system = user + int(fields[11]), system + int(fields[12])
    return {"user_s": user / TICKS, "system_s": system / TICKS, "cpu_s": (user + system) / TICKS}


def rss(pid):
    """Memory in bytes. `private_dirty` is what the server alone causes and cannot give back."""
    wanted = {"Rss": "rss", "Pss": "pss", "Private_Dirty": "private_dirty", "Anonymous": "anonymous"}
    total = dict.fromkeys(wanted.values(), 0)
    for each in family(pid):
        for line in (PROC / str(each) / "smaps_rollup").read_text().splitlines():
            name, _, rest = line.partition(":")
            if name in wanted:
                total[wanted[name]] += int(rest.split()[0]) * 1024
    return total


def peak(pid):
    """The most memory that the server has had resident, in bytes."""
    line = next(line for line in (PROC / str(pid) / "status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


def machine_busy():
    """Seconds that all cores together were not idle since boot, and seconds stolen by other guests."""
    ticks = [int(word) for word in (PROC / "stat").read_text().splitlines()[0].split()[1:9]]
    user, nice, system, _idle, _iowait, irq, softirq, steal = ticks
    return (user + nice + system + irq + softirq) / TICKS, steal / TICKS


def around(pid, work):
    """Runs `work` and tells what the server, the load generator and the rest of the machine used meanwhile."""

    def now():
        own = resource.getrusage(resource.RUSAGE_CHILDREN)
        return time.monotonic(), cpu(pid)["cpu_s"], own.ru_utime + own.ru_stime, *machine_busy()

    before = now()
    result = work()
    wall, server, client, busy, stolen = (b - a for a, b in zip(before, now()))
    used = {
        "wall_s": wall, "server_cpu_s": server, "client_cpu_s": client,
        "others_cpu_s": max(0.0, busy - server - client), "stolen_s": stolen,
    }
    return result, {name: round(value, 3) for name, value in used.items()}


def run(command, env=None):
    done = subprocess.run(command, capture_output=True, text=True, env=env)
    if done.returncode:
        sys.exit(f"{command[0]} ended with {done.returncode}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def parse_wrk(text):
    """The figures of `wrk --latency`, times in milliseconds."""

    def number(pattern):
        found = re.search(pattern, text)
        if not found:
            raise ValueError(f"wrk said nothing like {pattern!r}:\n{text}")
        return found

    def percentile(percent):
        value, unit = number(rf"\n\s+{percent}%\s+([\d.]+)(us|ms|s|m|h)\s*\n").groups()
        return round(float(value) * UNITS[unit], 4)

    socket = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", text)
    refused = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    return {
        "requests": int(number(r"(\d+) requests in").group(1)),
        "requests_per_s": float(number(r"Requests/sec:\s+([\d.]+)").group(1)),
        "p50_ms": percentile(50), "p90_ms": percentile(90), "p99_ms": percentile(99),
        "status_errors": int(refused.group(1)) if refused else 0,
        "socket_errors": sum(map(int, socket.groups())) if socket else 0,
    }


def run_wrk(pid, url, connections, seconds, threads=2, script=None, paths=None, timeout=2, wrk="wrk"):
    command = [wrk, "--latency", f"-t{min(threads, connections)}", f"-c{connections}", f"-d{seconds}s", f"--timeout={timeout}s"]
    command += ["-s", script] if script else []
    env = dict(os.environ, **({"CLAVITOR_PATHS": str(paths)} if paths else {}))
    text, used = around(pid, lambda: run([*command, url], env))
    result = {"connections": connections, **parse_wrk(text), **used}
    result["server_cpu_us_per_request"] = round(1e6 * used["server_cpu_s"] / max(1, result["requests"]), 2)
    return result


def run_handshakes(pid, client, addr, count, parallel):
    text, used = around(pid, lambda: run([client, "-addr", addr, "-n", str(count), "-c", str(parallel)]))
    result = {"parallel": parallel, **json.loads(text), **used}
    result["handshakes_per_server_cpu_s"] = round(result["handshakes"] / max(used["server_cpu_s"], 1 / TICKS), 1)
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    for name, about in (("cpu", "CPU time so far"), ("rss", "memory now")):
        commands.add_parser(name, help=about).add_argument("pid", type=int)

    load = commands.add_parser("run-wrk", help="requests per second, latency, CPU per request")
    load.add_argument("--pid", type=int, required=True)
    load.add_argument("--url", required=True)
    load.add_argument("-c", "--connections", type=int, default=32)
    load.add_argument("-d", "--seconds", type=int, default=5)
    load.add_argument("-t", "--threads", type=int, default=2)
    load.add_argument("-s", "--script")
    load.add_argument("--paths", help="file of lines 'path token' for wrk/read.lua")

    full = commands.add_parser("run-handshakes", help="full TLS 1.3 handshakes per second of the server's CPU")
    full.add_argument("--pid", type=int, required=True)
    full.add_argument("--client", required=True, help="the built peer/handshake")
    full.add_argument("--addr", required=True)
    full.add_argument("-n", "--count", type=int, default=4000)
    full.add_argument("-c", "--parallel", type=int, default=8)

    args = parser.parse_args()
    if args.command == "cpu":
        result = cpu(args.pid)
    elif args.command == "rss":
        result = rss(args.pid)
    elif args.command == "run-wrk":
        result = run_wrk(args.pid, args.url, args.connections, args.seconds, args.threads, args.script, args.paths)
    else:
        result = run_handshakes(args.pid, args.client, args.addr, args.count, args.parallel)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
