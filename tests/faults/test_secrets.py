"""The key is sent to the server and appears nowhere else; servers are who they say they are."""

import logging
import pickle
import ssl
import traceback
from pathlib import Path

import pytest

from promptkit import OpenAIBackend
from promptkit.backends.cached import CachedBackend
from promptkit.errors import AuthError, BackendError, ConfigError
from tests.faults.asking import answer, answers, backend, request
from tests.faults.server import MisbehavingServer, raw, status

KEY = "sk-very-secret-0123456789"
CERTIFICATE = Path(__file__).with_name("self_signed.pem")


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    return KEY


@pytest.mark.parametrize(
    "act", [status(401, f"wrong key {KEY}"), status(400, KEY), raw(KEY.encode()), status(500, KEY)]
)
def test_a_key_that_the_server_repeats_is_not_shown(key: str, act, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with MisbehavingServer(act) as server:
        where = backend(server.url, retries=0)
        try:
            found = answer(where)
        except AuthError as error:
            found = error
    assert isinstance(found, BackendError)
    assert server.seen[0].headers["authorization"] == f"Bearer {key}"
    shown = [str(found), repr(found), repr(where), repr(vars(where)), caplog.text, str(where.identity())]
    shown += traceback.format_exception(found)
    assert not any(key in text for text in shown)
    assert found.__cause__ is None and found.__context__ is None


def test_the_key_is_not_stored(key: str, tmp_path: Path) -> None:
    with MisbehavingServer() as server:
        store = CachedBackend(backend(server.url), tmp_path / "store.sqlite")
        answers(store, request())  # type: ignore[arg-type]
        store.close()
    assert server.seen
    assert not any(key.encode() in file.read_bytes() for file in tmp_path.iterdir())


@pytest.mark.usefixtures("key")
def test_a_backend_cannot_be_pickled_with_its_key() -> None:
    with pytest.raises(TypeError):
        pickle.dumps(OpenAIBackend("m", base_url="http://localhost:1/v1"))


def test_where_the_key_comes_from(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MY_KEY", "from-variable")
    file = tmp_path / "key"
    file.write_text("from-file\n", encoding="utf-8")
    for options, sent in [
        ({}, "none"),
        ({"api_key_env": "MY_KEY"}, "from-variable"),
        ({"api_key_file": file}, "from-file"),
    ]:
        with MisbehavingServer() as server:
            answer(backend(server.url, **options))
        assert server.seen[0].headers["authorization"] == f"Bearer {sent}"


def test_openai_itself_needs_a_key() -> None:
    with pytest.raises(ConfigError, match=r"api\.openai\.com needs a key \(set OPENAI_API_KEY"):
        OpenAIBackend("gpt-4o-mini")


@pytest.mark.parametrize(
    ("content", "told"), [("", "is empty"), ("two words", "is no key"), ("ключ", "is no key"), ("a\nb", "is no key")]
)
def test_what_is_no_key_is_refused_without_showing_it(content: str, told: str, tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(ConfigError, match=told) as failed:
        OpenAIBackend("m", api_key_file=file)
    assert not content or content not in str(failed.value)


def test_keys_that_are_not_where_they_should_be(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="the environment variable NO_SUCH is not set"):
        OpenAIBackend("m", api_key_env="NO_SUCH")
    with pytest.raises(ConfigError, match=r"cannot read the key file .*No such file"):
        OpenAIBackend("m", api_key_file=tmp_path / "none")
    with pytest.raises(ConfigError, match="twice"):
        OpenAIBackend("m", api_key_env="A", api_key_file=tmp_path)


@pytest.mark.parametrize("url", ["http://user:pass@host/v1", "http://host/v1?key=secret"])
def test_a_base_url_holds_no_secret(url: str) -> None:
    with pytest.raises(ConfigError, match="base URL holds") as failed:
        OpenAIBackend("m", base_url=url)
    assert "pass@" not in str(failed.value) and "secret" not in str(failed.value)


@pytest.mark.usefixtures("key")
def test_a_server_whose_certificate_nobody_vouches_for_gets_nothing() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    with (
        MisbehavingServer(context=context) as server,
        pytest.raises(BackendError, match=r"certificate of https://127\.0\.0\.1:\d+/v1 cannot be verified"),
    ):
        answer(backend(server.url))
    assert server.seen == []
