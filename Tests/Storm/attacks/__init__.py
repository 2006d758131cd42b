"""All attacks by name. Each is a function that takes the `Attack` and perhaps a variant's arguments."""
import dataclasses
from typing import Callable


@dataclasses.dataclass(frozen=True)
class Kind:
    name: str
    run: Callable
    arguments: dict
    #: Whether it stands for its family in a short run.
    is_short: bool
    #: How often the usual time it takes.
    times: float = 1


def every():
    from attacks import bodies, deposits, early, fan_out, floods, guesses, idle, lists, oversized, unread

    def kind(name, run, is_short=False, times=1, **arguments):
        return Kind(name, run, arguments, is_short, times)

    return [
        kind("h2-window", unread.h2, True, times=1.5),
        kind("h2-window-20", unread.h2, spread=20),
        kind("h2-trickle", unread.h2, trickle=True),
        kind("h2-unread", unread.h2, window=65_535),
        kind("h1-unread", unread.h1, True),
        kind("h1-unread-20", unread.h1, spread=20),
        kind("body-length", bodies.plain, True),
        kind("body-length-20", bodies.plain, spread=20),
        kind("body-chunked", bodies.plain, is_chunked=True),
        kind("body-h2", bodies.h2, True),
        kind("body-members", bodies.members, True),
        kind("early-h1", early.h1, True),
        kind("early-h2", early.h2, True),
        kind("early-h2-fields", early.h2, fields=40, networks=1, connections=200),
        kind("chunks-h1", early.chunks_h1, True),
        kind("chunks-h2", early.chunks_h2),
        kind("oversized-entry", oversized.entry, True),
        kind("oversized-agent", oversized.agent, True),
        kind("oversized-audit", oversized.audit, times=2),
        kind("list-h1", lists.h1, True, times=1.5),
        kind("list-kept", lists.kept, True, times=2),
        kind("list-h2-unread", lists.h2),
        kind("list-others", lists.others),
        kind("deposits", deposits.run, True),
        kind("idle-one", idle.run, True, count=1_400, spread=1),
        kind("idle-many", idle.run, count=4_800, spread=240),
        kind("fan-out", fan_out.run, True, times=1.5),
        kind("guesses", guesses.run, True),
        kind("header-fields", floods.fields, True),
        kind("continuation", floods.continuation),
        kind("rapid-reset", floods.rapid_reset, True),
        kind("reset-work", floods.reset_work, True),
        kind("ping", floods.ping),
        kind("settings", floods.settings),
        kind("handshakes", idle.handshakes, True),
    ]
