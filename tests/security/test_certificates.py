"""A server whose certificate nobody vouches for gets neither the prompt nor the key."""

import shutil
import ssl
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from promptkit import ZeroShot
from promptkit.errors import BackendError, PromptkitError

pytest.importorskip("promptkit.backends.openai", exc_type=ImportError)


class Impostor(BaseHTTPRequestHandler):
    """Notes every request that gets as far as HTTP."""

    seen: list[str] = []  # noqa: RUF012

    def do_POST(self) -> None:
        self.seen.append(f"{self.headers} {self.rfile.read(int(self.headers.get('content-length', 0)))!r}")
        self.send_response(500)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None: ...


class Quiet(HTTPServer):
    """Does not tell of handshakes that the other side broke off."""

    def handle_error(self, request: object, client_address: object) -> None: ...


@pytest.fixture
def impostor(tmp_path: Path) -> Iterator[str]:
    """The address of a server on this machine with a certificate that it signed itself."""
    if not shutil.which("openssl"):
        pytest.skip("there is no openssl to make a certificate with")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-days", "2"]
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    made = [*command, "-keyout", str(key), "-out", str(certificate), *subject]
    subprocess.run(made, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    Impostor.seen.clear()
    with Quiet(("127.0.0.1", 0), Impostor) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield f"https://localhost:{server.server_port}/v1"
        server.shutdown()
        thread.join()


def test_the_certificate_is_verified(impostor: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from promptkit.backends.openai import OpenAIBackend

    monkeypatch.setenv("CANARY_KEY", "sk-canary-1234567890")
    backend = OpenAIBackend("some-model", base_url=impostor, api_key_env="CANARY_KEY", retries=0, max_seconds=5)
    with pytest.raises(PromptkitError) as caught:
        ZeroShot().run("2 + 2?", backend=backend)
    backend.close()
    assert isinstance(caught.value, BackendError)
    assert "certificate" in str(caught.value).lower()
    assert "canary" not in str(caught.value)
    assert Impostor.seen == []
