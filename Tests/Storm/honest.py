"""An honest user from 127.0.0.1, in a process of its own: signs in, reads, lists, asks whether the node lives.

One thread keeps its connection as long as the node does, the other makes a new one each time. A request whose
connection ends before its answer is sent once more, as every client does; the share of those is counted.
"""
import http.client
import json
import multiprocessing
import os
import signal
import threading
import time

from tenants import Client

PAUSE = 0.05
PATIENCE = 15


class Honest:
    """`home`: port, certificate, tenant, path of a field."""

    def __init__(self, home, processors):
        ours, theirs = multiprocessing.Pipe()
        self.pipe, self.home = ours, home
        self.process = multiprocessing.Process(target=_work, args=(home, processors, theirs), daemon=True)
        self.process.start()
        theirs.close()

    def stop(self, seconds=2 * PATIENCE + 5):
        """What was seen: {"latencies": {operation: [ms]}, "failures": [text], "retried": n, "device": text}."""
        seen = {"latencies": {}, "failures": ["the honest user's process gave no answer"], "retried": 0}
        try:
            self.pipe.send("stop")
            if self.pipe.poll(seconds):
                seen = self.pipe.recv()
        except (EOFError, OSError):
            pass
        self.process.join(1)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()
        return seen


class Seen:
    def __init__(self):
        self.lock, self.latencies, self.failures, self.retried = threading.Lock(), {}, [], 0

    def done(self, operation, began, failure=None):
        with self.lock:
            if failure:
                self.failures.append(f"{operation}: {failure}")
            else:
                self.latencies.setdefault(operation, []).append(round((time.monotonic() - began) * 1000, 2))

    def retry(self):
        with self.lock:
            self.retried += 1


def _work(home, processors, pipe):
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.sched_setaffinity(0, processors)
    seen, over = Seen(), threading.Event()
    threads = [threading.Thread(target=loop, args=(home, seen, over), daemon=True) for loop in (_kept, _fresh)]
    for thread in threads:
        thread.start()
    try:
        pipe.recv()
    except EOFError:
        pass
    over.set()
    for thread in threads:
        thread.join(PATIENCE)
    with seen.lock:
        pipe.send({"latencies": seen.latencies, "failures": seen.failures, "retried": seen.retried})
    pipe.close()


def _ask(seen, operation, client, method, path, body=None, token=None, wanted=200):
    """One request on `client`, once more on a new connection if the first one ends without an answer."""
    began = time.monotonic()
    for last in (False, True):
        try:
            status, text = client.status(method, path, body, token)
            seen.done(operation, began, None if status == wanted else f"{status} {text[:200].decode(errors='replace')}")
            return text if status == wanted else None
        except TimeoutError as error:
            client.close()
            return seen.done(operation, began, f"no answer in {PATIENCE} s: {error}")
        except (OSError, http.client.HTTPException) as error:
            client.close()
            if last:
                return seen.done(operation, began, f"{type(error).__name__} {error}")
            seen.retry()
    return None


def _kept(home, seen, over):
    client = Client(home["port"], home["certificate"], timeout=PATIENCE)
    while not over.wait(PAUSE):
        _ask(seen, "livez", client, "GET", "/livez")
        _ask(seen, "read", client, "GET", home["field"], token=home["tenant"].token)
        _ask(seen, "list", client, "GET", "/api/v1/entries", token=home["tenant"].token)
    client.close()


def _fresh(home, seen, over):
    tenant, signed = home["tenant"], 0.0
    while not over.wait(PAUSE):
        client = Client(home["port"], home["certificate"], timeout=PATIENCE)
        _ask(seen, "fresh livez", client, "GET", "/livez")
        _ask(seen, "fresh read", client, "GET", home["field"], token=tenant.token)
        if time.monotonic() - signed > 2.5:
            signed = time.monotonic()
            body = {"email": tenant.email, "authKey": tenant.key, "device": tenant.device}
            text = _ask(seen, "sign-in", client, "POST", "/api/v1/sessions", body, wanted=201)
            if text:
                _ask(seen, "sign-out", client, "DELETE", "/api/v1/sessions/current",
                     token=json.loads(text)["token"], wanted=204)
        client.close()
