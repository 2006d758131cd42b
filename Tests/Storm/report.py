"""What a storm has shown, as a table, as JSON and as a verdict."""
import dataclasses
import json
import statistics

COLUMNS = ["attack", "before", "peak MB", "after", "sockets", "alive", "ok/failed/retried", "livez ms", "read ms",
           "fresh ms", "s", "note"]

#: Letters of a note in the table; JSON has all of it.
NOTE = 240


def figures(latencies):
    """Median, 99th percentile and maximum, or nothing."""
    if not latencies:
        return {}
    ordered = sorted(latencies)
    return {"count": len(ordered), "median": statistics.median(ordered),
            "p99": ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)], "max": ordered[-1]}


@dataclasses.dataclass
class Result:
    """One attack. Bytes and milliseconds, `seconds` for all of it with its preparation and its end."""
    attack: str
    before: int
    peak: int
    after: int
    sockets: int
    resident: int
    kills: int
    is_alive: bool
    death: str
    ok: int
    failed: int
    retried: int
    failures: list
    latencies: dict
    seconds: float
    note: str

    def row(self):
        def times(operation):
            seen = self.latencies.get(operation)
            return f"{seen['median']:.0f}/{seen['p99']:.0f}/{seen['max']:.0f}" if seen else "-"

        return [self.attack, *(f"{size / 2**20:.0f}" for size in (self.before, self.peak, self.after, self.sockets)),
                "yes" if self.is_alive else "NO", f"{self.ok}/{self.failed}/{self.retried}", times("livez"),
                times("read"), times("fresh livez"), f"{self.seconds:.0f}",
                "; ".join(filter(None, [self.death, self.note]))[:NOTE]]


def heading(limit, envelope):
    return (f"Envelope: {envelope.what}, {limit >> 20} MB. Peak is what cannot be reclaimed, buffers of sockets "
            "included.\nTimes are median/p99/max of the honest user: two on a kept connection, `fresh` with a new one.")


WIDTHS = [15, 6, 7, 5, 7, 5, 17, 15, 15, 15, 3, 0]


def line(cells):
    return "  ".join(str(cell).ljust(width) for cell, width in zip(cells, WIDTHS)).rstrip()


def faults(results, limit, retries):
    """What did not hold, in words."""
    found = []
    for result in results:
        if not result.is_alive:
            # What the honest user missed for that reason needs no lines of its own.
            found.append(f"{result.attack}: the node did not survive ({result.death})")
            continue
        if result.kills:
            found.append(f"{result.attack}: the kernel killed {result.kills} process(es) of the node")
        if result.peak >= limit:
            found.append(f"{result.attack}: held {result.peak >> 20} MB of {limit >> 20}, "
                         f"{result.sockets >> 20} of them buffers of sockets")
        if result.failed:
            found.append(f"{result.attack}: {result.failed} of the honest user's requests failed; the first: "
                         f"{result.failures[0] if result.failures else '?'}")
        total = result.ok + result.failed
        if result.retried > retries * max(1, total):
            found.append(f"{result.attack}: {result.retried} of {total} of the honest user's requests needed another "
                         f"try; {retries:.1%} may")
        if not result.ok and not result.failed:
            found.append(f"{result.attack}: the honest user got nothing done")
    return found


def write(path, results, limit, envelope, unmet, unproven):
    with open(path, "w") as file:
        json.dump({
            "limit": limit, "envelope": envelope.what, "held": not unmet, "faults": unmet, "notProven": unproven,
            "attacks": [dataclasses.asdict(result) for result in results]}, file, indent=1)
        file.write("\n")
