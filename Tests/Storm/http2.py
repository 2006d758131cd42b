"""Just enough HTTP/2 to misuse it: frames made by hand, because a proper library refuses to make most of these."""
import struct

import hpack

DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = 0, 1, 3, 4, 6, 7, 8, 9
END_STREAM, ACK, END_HEADERS = 1, 1, 4
MAX_CONCURRENT_STREAMS, INITIAL_WINDOW_SIZE = 3, 4
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def settings(values=None):
    return frame(SETTINGS, 0, 0, b"".join(struct.pack(">HI", *pair) for pair in (values or {}).items()))


def window_update(stream, bytes):
    return frame(WINDOW_UPDATE, 0, stream, struct.pack(">I", bytes))


def reset(stream, code=8):
    return frame(RST_STREAM, 0, stream, struct.pack(">I", code))


def _length(number):
    """An HPACK integer of seven bits' prefix, without the Huffman flag."""
    if number < 127:
        return bytes([number])
    rest, text = number - 127, bytearray([127])
    while rest >= 128:
        text.append(rest % 128 + 128)
        rest //= 128
    return bytes(text + bytes([rest]))


def block(fields):
    """Header fields as literals that go into no table."""
    return b"".join(
        b"\0" + _length(len(name)) + name.encode() + _length(len(value)) + value.encode() for name, value in fields)


def request(stream, path, method="GET", token=None, more=(), is_end=True):
    fields = [(":method", method), (":scheme", "https"), (":path", path), (":authority", "localhost")]
    if token:
        fields.append(("authorization", f"Bearer {token}"))
    if method == "POST":
        fields.append(("content-type", "application/json"))
    return frame(HEADERS, END_HEADERS | (END_STREAM if is_end else 0), stream, block(fields + list(more)))


class Connection:
    """One connection over a TLS socket. Reads only when it is told to."""

    def __init__(self, socket, values=None):
        self.socket, self.buffer = socket, bytearray()
        self.streams, self.window, self.initial, self.windows = 100, 65_535, 65_535, {}
        self.statuses, self.ended, self.decoder, self.is_over = {}, set(), hpack.Decoder(), False
        socket.sendall(PREFACE + settings(values))

    def send(self, *frames):
        self.socket.sendall(b"".join(frames))

    def read(self):
        """Takes what is there, at most one record, and says which frames came: (kind, flags, stream, length)."""
        text = self.socket.recv(65_536)
        if not text:
            raise ConnectionResetError("closed by the node")
        self.buffer += text
        came = []
        while len(self.buffer) >= 9 and len(self.buffer) >= 9 + (size := int.from_bytes(self.buffer[:3], "big")):
            kind, flags, stream = self.buffer[3], self.buffer[4], struct.unpack(">I", self.buffer[5:9])[0]
            self._take(kind, flags, stream, bytes(self.buffer[9:9 + size]))
            came.append((kind, flags, stream, size))
            del self.buffer[:9 + size]
        return came

    def _take(self, kind, flags, stream, payload):
        if kind == SETTINGS and not flags & ACK:
            for name, value in struct.iter_unpack(">HI", payload):
                if name == MAX_CONCURRENT_STREAMS:
                    self.streams = value
                elif name == INITIAL_WINDOW_SIZE:
                    self.initial = value
            self.send(frame(SETTINGS, ACK, 0))
        elif kind == WINDOW_UPDATE:
            more = struct.unpack(">I", payload)[0]
            if stream:
                self.windows[stream] = self.windows.get(stream, 0) + more
            else:
                self.window += more
        elif kind == HEADERS:
            for name, value in self.decoder.decode(payload):
                if name == ":status":
                    self.statuses[stream] = int(value)
        elif kind == PING and not flags & ACK:
            self.send(frame(PING, ACK, 0, payload))
        elif kind == GOAWAY:
            self.is_over = True
        if kind == RST_STREAM or kind in (DATA, HEADERS) and flags & END_STREAM:
            self.ended.add(stream)

    def room(self, stream):
        """Bytes of body that may be sent on a stream now."""
        return max(0, min(self.window, self.initial + self.windows.get(stream, 0), 16_384))

    def send_data(self, stream, text, is_end=False):
        self.window -= len(text)
        self.windows[stream] = self.windows.get(stream, 0) - len(text)
        self.send(frame(DATA, END_STREAM if is_end else 0, stream, text))

    def close(self):
        self.socket.close()
