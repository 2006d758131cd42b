"""Attacks a node of its own in every way that we know, and measures what that costs.

Starts the node on one processor in a memory cgroup, with an honest user who works throughout. Needs Linux, hpack,
and for the cgroup root. Ends with 0 if the node lived, stayed in its envelope and served the honest user; with 1 if
not; with 3 if all that could be seen held, but no cgroup could be made.
"""
import argparse
import multiprocessing
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
from pathlib import Path

import attacks
import envelope
import report
from honest import Honest
from node import Node, NodeFailed
from tenants import Client, Tenant
from wire import Attack

#: Everything is stopped after that much more than its time.
GRACE = 15


class Storm:
    def __init__(self, options, folder):
        usable = sorted(os.sched_getaffinity(0))
        self.options, self.folder = options, folder
        self.others = set(usable[:-1]) or set(usable)
        self.envelope = envelope.make(options.limit << 20)
        self.node = Node(options.node, folder, self.envelope, usable[-1])
        self.results, self.is_shared, self.failure = [], len(usable) == 1, None

    def prepare(self):
        """Two people, one of whom means well."""
        os.sched_setaffinity(0, self.others)
        self.node.start()
        client = Client(self.node.port, self.node.certificate)
        self.user = Tenant("user").register(client)
        entry = client.call("POST", "/api/v1/entries", {"title": "Bank", "type": "login", "fields": [
            {"label": "user name", "kind": "username", "tier": 1, "value": "alice"}]}, self.user.token)
        self.home = {"port": self.node.port, "certificate": str(self.node.certificate), "tenant": self.user,
                     "field": f"/api/v1/entries/{entry['id']}/fields/{entry['fields'][0]['id']}"}
        client.close()
        client = Client(self.node.port, self.node.certificate, "127.9.0.1")
        self.tenant = Tenant("attacker").register(client)
        client.close()

    def attack(self, kind, number, seconds, crowded=False):
        return kind, Attack(
            port=self.node.port, certificate=str(self.node.certificate), folder=str(self.folder), tenant=self.tenant,
            victim=self.user.email, net=10 + number, seconds=seconds * (1 if crowded else kind.times),
            short=self.options.short, crowded=crowded)

    def weather(self, name, pairs, seconds):
        """Some attacks at once, and what the node and the honest user make of it."""
        if not self.node.is_alive():
            self.node.start()
        kills, began = self.envelope.kills(), time.monotonic()
        self.envelope.reset(self.node.pid)
        before = self.envelope.sample()
        user = Honest(self.home, self.others)
        self.watch(time.monotonic() + 0.5)
        runs = [Run(kind, attack, self.others) for kind, attack in pairs]
        end = time.monotonic() + max([seconds] + [attack.seconds for _, attack in pairs])
        if runs:
            self.watch(end + GRACE, lambda: any(run.is_going() for run in runs))
        else:
            self.watch(end)
        notes = [run.stop() for run in runs]
        if not self.node.is_alive():
            self.envelope.empty()
        seen = user.stop()
        peak, sockets, resident = self.envelope.peak, self.envelope.sockets, self.envelope.resident()
        self.watch(time.monotonic() + (0.5 if self.options.short else 5))
        is_alive, killed = self.node.is_alive(), self.envelope.kills() - kills
        death = "" if is_alive else f"{self.node.death()} {self.node.last_words()}".strip()
        if killed:
            death, peak = f"{death} (out of memory)".strip(), max(peak, self.envelope.limit)
        result = report.Result(
            attack=name, before=before, peak=peak, after=self.envelope.sample() if is_alive else 0, sockets=sockets,
            resident=resident, kills=killed, is_alive=is_alive, death=death,
            ok=sum(len(each) for each in seen["latencies"].values()), failed=len(seen["failures"]),
            retried=seen["retried"], failures=sorted(set(seen["failures"]))[:10],
            latencies={key: report.figures(each) for key, each in seen["latencies"].items()},
            seconds=round(time.monotonic() - began, 1), note="; ".join(filter(None, notes)))
        self.results.append(result)
        print(report.line(result.row()), flush=True)

    def watch(self, end, is_going=lambda: True):
        """Samples memory until the time is over, the attacks are, or the node is dead."""
        while time.monotonic() < end and is_going() and self.node.is_alive():
            self.envelope.sample()
            time.sleep(0.02)

    def close(self):
        self.node.stop()
        self.envelope.close()


class Run:
    """An attack in a process of its own, which gives way to the honest user's."""

    def __init__(self, kind, attack, processors):
        self.kind, self.attack = kind, attack
        self.pipe, theirs = multiprocessing.Pipe()
        self.process = multiprocessing.Process(target=_run, args=(kind, attack, processors, theirs), daemon=True)
        self.process.start()
        theirs.close()

    def is_going(self):
        return self.process.is_alive()

    def stop(self):
        """Ends it, and gives its note."""
        note = "cut short"
        try:
            if self.pipe.poll(0):
                note = self.pipe.recv()
        except EOFError:
            pass
        if self.process.is_alive():
            self.process.kill()
        self.process.join()
        return f"{self.kind.name}: {note}" if self.attack.crowded else note


def _run(kind, attack, processors, pipe):
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.sched_setaffinity(0, processors)
    os.nice(10)
    attack.begin()
    try:
        kind.run(attack, **kind.arguments)
    except Exception as error:
        if not isinstance(error, OSError):
            traceback.print_exc()
        attack.count(f"given up ({type(error).__name__} {error})")
    pipe.send(attack.note())
    attack.finish()


def disk_of(path):
    """The kind of file system that a folder is on."""
    mounts = [line.split()[1:3] for line in Path("/proc/mounts").read_text().splitlines()]
    fitting = [(len(place), kind) for place, kind in mounts if Path(place) == path or Path(place) in path.parents]
    return max(fitting, default=(0, ""))[1]


def chosen(kinds, options):
    if options.only:
        wanted = [kind for kind in kinds if any(kind.name.startswith(name) for name in options.only)]
        if not wanted and options.only != ["all"]:
            raise SystemExit(f"There is no such attack. There are: {', '.join(kind.name for kind in kinds)}, all")
        return wanted
    return [kind for kind in kinds if kind.is_short or not options.short]


def perform(storm, options):
    kinds = attacks.every()
    seconds = min(options.seconds, 2) if options.short else options.seconds
    storm.prepare()
    print(report.heading(options.limit << 20, storm.envelope), report.line(report.COLUMNS), sep="\n", flush=True)
    storm.weather("calm", [], min(seconds, 3))
    numbered = {kind.name: number for number, kind in enumerate(kinds)}
    picked = chosen(kinds, options)
    for kind in picked:
        storm.weather(kind.name, [storm.attack(kind, numbered[kind.name], seconds)], seconds)
    if not options.only or "all" in options.only:
        mixed = [storm.attack(kind, 100 + numbered[kind.name], 2 * seconds if options.short else seconds, True)
                 for kind in (chosen(kinds, argparse.Namespace(only=None, short=options.short)))]
        storm.weather("all", mixed, seconds)


def judge(storm, options):
    """Prints the verdict; gives the exit status."""
    unmet = report.faults(storm.results, options.limit << 20, options.retries)
    if storm.failure:
        unmet.append(storm.failure)
    unproven = []
    if not storm.envelope.is_limit:
        unproven.append("envelope not proven: no memory cgroup here")
    if storm.is_shared:
        unproven.append("latencies not proven: the attackers had to share the node's processor")
    unproven += [f"{result.attack}: the attack did not come to its end ({result.note[:120]})"
                 for result in storm.results
                 if result.attack != "all" and result.is_alive
                 and ("given up" in result.note or "cut short" in result.note)]
    skipped = [kind.name for kind in attacks.every()] + ["all"]
    skipped = [name for name in skipped if name not in {result.attack for result in storm.results}]
    if skipped:
        unproven.append(f"not tried: {', '.join(skipped)}")
    asked = sum(result.ok + result.failed for result in storm.results)
    retried = sum(result.retried for result in storm.results)
    print(f"\nHonest user: {asked} requests, {retried} sent once more ({retried / max(1, asked):.2%}; "
          f"{options.retries:.1%} may be).")
    for text in unmet:
        print(f"FAILED: {text}")
    for text in unproven:
        print(f"NOT PROVEN: {text}")
    if not unmet:
        print("Everything that was tried held.")
    if options.json:
        report.write(options.json, storm.results, options.limit << 20, storm.envelope, unmet, unproven)
    return 1 if unmet or not storm.results else 0 if storm.envelope.is_limit else 3


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--node", required=True, help="the binary")
    parser.add_argument("--seconds", type=float, default=20, help="how long each attack and the mixed one goes on")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="attacks whose names begin so; `all` is the mix")
    parser.add_argument("--short", action="store_true", help="one attack of each family, 2 seconds each")
    parser.add_argument("--json", metavar="FILE", help="where to write the same as JSON")
    parser.add_argument("--limit", type=int, default=400, help="MB of memory")
    parser.add_argument("--retries", type=float, default=0.02,
                        help="share of the honest user's requests that may need another try")
    parser.add_argument("--scratch", help="where to put the data; on a disk, not in memory")
    options = parser.parse_args()
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    folder = Path(tempfile.mkdtemp(prefix="clavitor-storm-", dir=options.scratch)).resolve()
    if disk_of(folder) == "tmpfs":
        print(f"{folder} is in memory, and so the node's files count against it. Choose a --scratch on a disk.")
    storm = None
    try:
        storm = Storm(options, folder)
        try:
            perform(storm, options)
        except NodeFailed as error:
            storm.failure = str(error)
        status = judge(storm, options)
    finally:
        if storm:
            storm.close()
        shutil.rmtree(folder, ignore_errors=True)
    return status


if __name__ == "__main__":
    multiprocessing.set_start_method("fork")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(main())
