"""What attackers share: source addresses, sockets with TLS, many at once, and an end to everything."""
import collections
import concurrent.futures
import dataclasses
import re
import socket
import ssl
import threading
import time

CONNECT_SECONDS = 5


@dataclasses.dataclass
class Attack:
    """One attack under way: whom it attacks, from where, until when."""
    port: int
    certificate: str
    folder: str
    #: The attacker's own account.
    tenant: object
    #: The e-mail address that passwords are guessed for.
    victim: str
    #: Second octet of its source addresses.
    net: int
    seconds: float
    short: bool
    #: Shares the attackers' processor with many other attacks: fewer connections.
    crowded: bool = False

    def begin(self):
        self.end = time.monotonic() + self.seconds
        self.tally, self.lock = collections.Counter(), threading.Lock()
        self.held, self.contexts = [], {}

    def left(self):
        return self.end - time.monotonic()

    def count(self, what, number=1):
        with self.lock:
            self.tally[what] += number

    def scaled(self, number):
        """So many of something, fewer where many attack at once."""
        return max(1, number // 4) if self.crowded else number

    def address(self, index=0):
        """A source address; another index is another /24."""
        return f"127.{self.net}.{index % 250}.{7 + index // 250 % 200}"

    def tcp(self, index=0, window=None):
        made = socket.socket()
        try:
            made.settimeout(max(0.2, min(CONNECT_SECONDS, self.left())))
            if window:
                made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
            made.setsockopt(socket.IPPROTO_IP, getattr(socket, "IP_BIND_ADDRESS_NO_PORT", 24), 1)
            made.bind((self.address(index), 0))
            made.connect(("127.0.0.1", self.port))
        except OSError:
            made.close()
            raise
        return made

    def tls(self, index=0, protocol="http/1.1", window=None):
        """A connection whose handshake is done. `window`: bytes that this end takes without being read."""
        raw = self.tcp(index, window)
        try:
            return self.context(protocol).wrap_socket(raw, server_hostname="localhost")
        except OSError:
            raw.close()
            raise

    def context(self, protocol="http/1.1"):
        with self.lock:
            if protocol not in self.contexts:
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
                context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
                context.set_alpn_protocols([protocol])
                self.contexts[protocol] = context
            return self.contexts[protocol]

    def crowd(self, count, work, threads=8):
        """`work(index)` for each index, some at once, until the time is over. Keeps the sockets that it returns."""
        def one(index):
            if self.left() <= 0:
                return
            try:
                made = work(index)
                self.count("connections")
                if made is not None:
                    with self.lock:
                        self.held.append(made)
            except OSError as error:
                self.count(f"refused ({type(error).__name__})")

        with concurrent.futures.ThreadPoolExecutor(threads) as pool:
            list(pool.map(one, range(count)))

    def repeat(self, work, threads=8):
        """`work(index)` again and again in each of some threads, until the time is over."""
        def loop(index):
            while self.left() > 0:
                try:
                    work(index)
                except OSError as error:
                    self.count(f"refused ({type(error).__name__})")
                    time.sleep(0.02)
                index += threads

        with concurrent.futures.ThreadPoolExecutor(threads) as pool:
            list(pool.map(loop, range(threads)))

    def hold(self):
        """Keeps everything open until the time is over."""
        time.sleep(max(0, self.left()))

    def finish(self):
        for made in self.held:
            try:
                made.close()
            except OSError:
                pass

    def note(self):
        return ", ".join(f"{number:,.{0 if number == int(number) else 1}f} {what}"
                         for what, number in sorted(self.tally.items()))


def answer(made):
    """The status of an answer of HTTP/1.1 that has a length, after all of it is read."""
    text = b""
    while b"\r\n\r\n" not in text:
        if not (more := made.recv(8_192)):
            return None
        text += more
    head, body = text.split(b"\r\n\r\n", 1)
    found = re.search(rb"content-length: *(\d+)", head, re.I)
    left = int(found[1]) - len(body) if found else 0
    while left > 0 and (more := made.recv(8_192)):
        left -= len(more)
    return int(head[9:12])


def get(path, token=None):
    """A GET of HTTP/1.1 as bytes."""
    credential = f"authorization: Bearer {token}\r\n" if token else ""
    return f"GET {path} HTTP/1.1\r\nhost: localhost\r\n{credential}\r\n".encode()


def post(path, length=None, token=None):
    """The head of a POST; without a length it is chunked."""
    size = "transfer-encoding: chunked" if length is None else f"content-length: {length}"
    credential = f"authorization: Bearer {token}\r\n" if token else ""
    return (f"POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n{credential}"
            f"{size}\r\n\r\n").encode()
