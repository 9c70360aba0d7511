"""A real HTTP server on this machine that answers chats and completions as it is told, and misbehaves on script.

    with MisbehavingServer([status(429, headers={"retry-after": "0"}), good("42")]) as server:
        OpenAIBackend("m", base_url=server.url)

Each request takes the next act of the script; when the script is over, the last act is played again. An act is a
function of the `Exchange`, which knows the request and writes to the connection.
"""

import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self, TypeAlias


@dataclass
class Seen:
    """One request as it arrived."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]
    at: float


class Exchange:
    """A request and the connection to answer on."""

    def __init__(self, handler: BaseHTTPRequestHandler, seen: Seen) -> None:
        self.handler = handler
        self.seen = seen

    def send(self, status: int, body: bytes, headers: dict[str, str] | None = None, length: int | None = None) -> None:
        """Send a response; `length` other than that of the body is a lie."""
        self.handler.send_response(status)
        every = {"content-type": "application/json", "content-length": str(len(body) if length is None else length)}
        for name, value in {**every, **(headers or {})}.items():
            self.handler.send_header(name, value)
        self.handler.end_headers()
        self.handler.wfile.write(body)

    def reset(self) -> None:
        """Break the connection off with a TCP reset."""
        connection = self.handler.connection
        self.handler.wfile.flush()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()


Act: TypeAlias = Callable[[Exchange], None]


def completion(text: str | None, seen: Seen, **changes: Any) -> dict[str, Any]:
    """A reply of the form that was asked for, with as many choices as were asked for."""
    n = int(seen.body.get("n", 1))
    if seen.path.endswith("/chat/completions"):
        said = [{"message": {"role": "assistant", "content": text}} for _ in range(n)]
    else:
        said = [{"text": text} for _ in range(n)]
    choices = [{"index": place, "finish_reason": "stop", **one} for place, one in enumerate(said)]
    usage = {"prompt_tokens": 11, "completion_tokens": 5 * n, "total_tokens": 11 + 5 * n}
    return {"id": "the-same-for-all", "object": "x", "model": "m", "choices": choices, "usage": usage, **changes}


def good(text: str | None = "The answer is 4.", headers: dict[str, str] | None = None, **changes: Any) -> Act:
    """A proper answer, some of its fields changed."""

    def act(exchange: Exchange) -> None:
        exchange.send(200, json.dumps(completion(text, exchange.seen, **changes)).encode(), headers)

    return act


def status(number: int, message: str = "no reason", headers: dict[str, str] | None = None, **fields: Any) -> Act:
    """An error in OpenAI's form."""

    def act(exchange: Exchange) -> None:
        error = {"error": {"message": message, "type": "x", "param": None, "code": None, **fields}}
        exchange.send(number, json.dumps(error).encode(), headers)

    return act


def raw(body: bytes, number: int = 200, headers: dict[str, str] | None = None) -> Act:
    """These very bytes."""
    return lambda exchange: exchange.send(number, body, headers)


def cut_off(*, reset: bool) -> Act:
    """Half a body, and then the end of the connection, or a reset."""

    def act(exchange: Exchange) -> None:
        body = json.dumps(completion("The answer is 4.", exchange.seen)).encode()
        exchange.send(200, body[: len(body) // 2], length=len(body))
        if reset:
            exchange.reset()
        exchange.handler.close_connection = True

    return act


def silent(seconds: float) -> Act:
    """No answer for a while, and then a good one, if anybody still listens."""

    def act(exchange: Exchange) -> None:
        time.sleep(seconds)
        good()(exchange)

    return act


def drip(pause: float) -> Act:
    """A good answer, one byte at a time, with a pause after each."""

    def act(exchange: Exchange) -> None:
        body = json.dumps(completion("The answer is 4.", exchange.seen)).encode()
        exchange.send(200, b"", length=len(body))
        for byte in body:
            exchange.handler.wfile.write(bytes([byte]))
            exchange.handler.wfile.flush()
            time.sleep(pause)

    return act


def endless(exchange: Exchange) -> None:
    """A body that says it is a terabyte, sent until the reader goes away."""
    exchange.send(200, b'{"choices": "', length=2**40)
    while True:
        exchange.handler.wfile.write(b"x" * 2**16)


class MisbehavingServer:
    """Serves on a free port of 127.0.0.1 while it is entered; `stop` and `start` again keep the port.

    Args:
        script: the acts, one a request; the last one is played for ever. A function is asked with each exchange.
        context: for HTTPS.
    """

    def __init__(self, script: Iterable[Act] | Act = (), context: Any = None) -> None:
        self._script = [script] if callable(script) else list(script) or [good()]
        self._context = context
        self._lock = threading.Lock()
        self._server: ThreadingHTTPServer | None = None
        self.port = 0
        self.seen: list[Seen] = []
        """Every request, in the order of arrival."""
        self.most_at_once = 0
        self._now = 0

    @property
    def url(self) -> str:
        """Its base URL."""
        return f"http{'s' if self._context else ''}://127.0.0.1:{self.port}/v1"

    def start(self) -> None:
        """Listen, on the port of before."""
        self._server = _Server(("127.0.0.1", self.port), self._handler())
        if self._context:
            self._server.socket = self._context.wrap_socket(self._server.socket, server_side=True)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def stop(self) -> None:
        """Refuse connections from now on and break those that are open."""
        if self._server:
            self._server.shutdown()
            self._server.server_close()
            self._server.break_connections()
            self._server = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _play(self, exchange: Exchange) -> None:
        with self._lock:
            act = self._script.pop(0) if len(self._script) > 1 else self._script[0]
            self.seen.append(exchange.seen)
            self._now += 1
            self.most_at_once = max(self.most_at_once, self._now)
        try:
            act(exchange)
        finally:
            with self._lock:
                self._now -= 1

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        play = self._play

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                headers = {name.lower(): value for name, value in self.headers.items()}
                try:
                    play(Exchange(self, Seen(self.path, headers, body, time.monotonic())))
                except OSError:
                    self.close_connection = True  # the client has gone, as it may

            def log_message(self, *_: Any) -> None:
                pass

        return Handler


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._open: set[Any] = set()

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def break_connections(self) -> None:
        for connection in list(self._open):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass
