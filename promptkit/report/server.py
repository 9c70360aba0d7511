"""`promptkit view`: reports of a folder of runs on this machine's loopback address, made anew as runs go on."""

import hashlib
import secrets
import time
from dataclasses import dataclass, field
from html import escape
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock
from urllib.parse import quote, unquote, urlsplit

from promptkit.errors import ConfigError
from promptkit.evaluation.runs.folder import load_run_so_far, no_folder
from promptkit.report.folders import evaluations, run_folders, state_of
from promptkit.report.page import page

HOST = "127.0.0.1"
_PATIENCE = 10
"""A page is made anew at most once in so many times as long as it took to make it."""
_LEAST = 3.0
"""Seconds; and no more often than this."""
_PLAIN = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    '<link rel="icon" href="data:,"><meta name="color-scheme" content="light dark">{refresh}<title>{title}</title>'
    "<h1>{title}</h1>{body}</html>"
)


@dataclass
class _Made:
    """A page that was made, and of what."""

    state: str
    content: str
    seconds: float
    at: float = field(default_factory=time.monotonic)


class Viewer(ThreadingHTTPServer):
    """Serves the reports of the evaluations in `folder`, and nothing else.

    Prompts and answers may be confidential, and any web page may ask this address: requests must name this host, so
    that no other name can be made to point here, and know the secret in `address`, which other users of the machine
    do not.

    Args:
        folder: an evaluation's folder, or a folder of them; they are looked for anew at each request.
        port: 0 takes a free one.

    Raises:
        ConfigError: the folder is not there, or the port is taken.
    """

    daemon_threads = True

    def __init__(self, folder: Path, port: int = 0) -> None:
        if not folder.is_dir():
            raise no_folder(folder)
        self.folder = folder.resolve()
        self.secret = secrets.token_urlsafe(12)
        self._made: dict[Path, _Made] = {}
        self._lock = Lock()
        try:
            super().__init__((HOST, port), _Handler)
        except (OSError, OverflowError) as error:
            raise ConfigError(f"port {port} cannot be used: {error}", hint="leave out --port") from error

    @property
    def address(self) -> str:
        """Where to look."""
        return f"http://{HOST}:{self.server_port}/{self.secret}/"

    def hosts(self) -> set[str]:
        """What a request may call this server."""
        return {f"{name}:{self.server_port}" for name in (HOST, "localhost")}

    def found(self) -> dict[str, Path]:
        """The evaluations by name, the newest first."""
        return {folder.name: folder for folder in evaluations(self.folder)}

    def made(self, folder: Path) -> _Made:
        """The page of an evaluation; an old one for a short while, so that making pages leaves time for all else."""
        with self._lock:
            known = self._made.get(folder)
            if known and time.monotonic() - known.at < max(_LEAST, _PATIENCE * known.seconds):
                return known
            state = hashlib.sha256(state_of(folder).encode()).hexdigest()[:16]
            if not known or known.state != state:
                begun = time.monotonic()
                content = _content(folder, state)
                known = self._made[folder] = _Made(state, content, time.monotonic() - begun)
            return known

    def index(self) -> str:
        """A page that names the evaluations."""
        links = [f'<li><a href="{quote(name, safe="")}/">{escape(name)}</a></li>' for name in self.found()]
        body = f"<ul>{''.join(links)}</ul>" if links else "<p>No run has been written here yet.</p>"
        return _PLAIN.format(title="Runs", body=body, refresh='<meta http-equiv="refresh" content="5">')


def _content(folder: Path, state: str) -> str:
    try:
        return page([load_run_so_far(run) for run in run_folders(folder)], state=state)
    except ConfigError as error:
        said = f"{error.message}. This page looks again by itself."
    refresh = '<meta http-equiv="refresh" content="3">'
    return _PLAIN.format(title=escape(folder.name), body=f"<p>{escape(said)}</p>", refresh=refresh)


class _Handler(BaseHTTPRequestHandler):
    server: Viewer  # pyright: ignore[reportIncompatibleVariableOverride]
    server_version, sys_version = "promptkit", ""
    timeout = 30

    def do_GET(self) -> None:
        """Answer `/secret/`, `/secret/evaluation/` and `/secret/evaluation/state`."""
        if self.headers.get("Host") not in self.server.hosts():
            return self._send(HTTPStatus.MISDIRECTED_REQUEST, "not this host")
        parts = [unquote(part) for part in urlsplit(self.path).path.split("/")[1:]]
        if not secrets.compare_digest(parts[0].encode(), self.server.secret.encode()):
            return self._send(HTTPStatus.NOT_FOUND, "not found")
        found = self.server.found()
        match parts[1:]:
            case [""] if len(found) == 1:
                return self._send(
                    HTTPStatus.FOUND, "", to=f"/{self.server.secret}/{quote(next(iter(found)), safe='')}/"
                )
            case [""]:
                return self._send(HTTPStatus.OK, self.server.index(), kind="text/html")
            case [name, ""] if name in found:
                return self._send(HTTPStatus.OK, self.server.made(found[name]).content, kind="text/html")
            case [name, "state"] if name in found:
                return self._send(HTTPStatus.OK, self.server.made(found[name]).state)
            case _:
                return self._send(HTTPStatus.NOT_FOUND, "not found")

    def _send(self, status: HTTPStatus, content: str, *, kind: str = "text/plain", to: str | None = None) -> None:
        body = content.encode("utf-8", "replace")
        self.send_response(status)
        headers = {
            "Content-Type": f"{kind}; charset=utf-8",
            "Content-Length": str(len(body)),
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "X-Frame-Options": "DENY",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Cross-Origin-Opener-Policy": "same-origin",
        }
        if to:
            headers["Location"] = to
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing is logged: the address holds a secret."""
