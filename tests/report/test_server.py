"""`promptkit view`: what it serves, to whom, and how it keeps up with runs."""

import http.client
import json
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest

from promptkit import FakeBackend, evaluate
from promptkit.errors import ConfigError
from promptkit.evaluation import load_run
from promptkit.report import server
from promptkit.report.server import Viewer


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with two evaluations, and a file that is nobody's business."""
    for name in ("monday", "tues day"):
        run_dir = tmp_path / "runs" / name
        evaluate(["direct", "zero-shot"], "multiarith-style", FakeBackend("The answer is 3."), limit=3, run_dir=run_dir)
    (tmp_path / "runs" / "secret.txt").write_text("secret")
    (tmp_path / "outside.txt").write_text("secret")
    return tmp_path / "runs"


@pytest.fixture
def viewer(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Viewer]:
    """It serves, and makes pages anew at once."""
    monkeypatch.setattr(server, "_LEAST", 0.0)
    monkeypatch.setattr(server, "_PATIENCE", 0)
    with Viewer(folder) as serving:
        thread = Thread(target=serving.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield serving
        serving.shutdown()
        thread.join()


def get(viewer: Viewer, path: str, host: str | None = None, method: str = "GET") -> tuple[int, str, dict[str, str]]:
    """Status, content and headers."""
    connection = http.client.HTTPConnection("127.0.0.1", viewer.server_port, timeout=20)
    connection.putrequest(method, path, skip_host=True)
    connection.putheader("Host", host or f"127.0.0.1:{viewer.server_port}")
    connection.endheaders()
    answer = connection.getresponse()
    content = answer.read().decode()
    connection.close()
    return answer.status, content, dict(answer.getheaders())


def test_it_names_the_evaluations_and_serves_each(viewer: Viewer) -> None:
    status, content, _ = get(viewer, f"/{viewer.secret}/")
    assert status == 200
    assert 'href="monday/"' in content
    assert 'href="tues%20day/"' in content
    status, content, headers = get(viewer, f"/{viewer.secret}/tues%20day/")
    assert status == 200
    assert "Which strategy pays off on multiarith-style?" in content
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_a_single_evaluation_is_shown_at_once(folder: Path) -> None:
    with Viewer(folder / "monday") as alone:
        Thread(target=alone.handle_request).start()
        status, _, headers = get(alone, f"/{alone.secret}/")
        assert (status, headers["Location"]) == (302, f"/{alone.secret}/monday/")


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/monday/",
        "/wrong/monday/",
        "/{secret}",
        "/{secret}/secret.txt",
        "/{secret}/..%2foutside.txt/",
        "/{secret}/../outside.txt",
        "/{secret}/monday/direct/manifest.json",
        "/{secret}/monday/../secret.txt",
        "/{secret}/%2e%2e/",
    ],
)
def test_nothing_else_is_served(viewer: Viewer, path: str) -> None:
    status, content, _ = get(viewer, path.format(secret=viewer.secret))
    assert (status, content) == (404, "not found")


@pytest.mark.parametrize("host", ["evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1:1", "0.0.0.0:{port}"])
def test_no_other_name_may_point_here(viewer: Viewer, host: str) -> None:
    status, content, _ = get(viewer, f"/{viewer.secret}/", host.format(port=viewer.server_port))
    assert status == 421
    assert "monday" not in content


def test_the_name_localhost_is_fine_and_nothing_can_be_posted(viewer: Viewer) -> None:
    assert get(viewer, f"/{viewer.secret}/", f"localhost:{viewer.server_port}")[0] == 200
    assert get(viewer, f"/{viewer.secret}/", method="POST")[0] == 501


def test_it_listens_on_loopback_only(viewer: Viewer) -> None:
    assert viewer.server_address[0] == "127.0.0.1"
    assert viewer.address.startswith("http://127.0.0.1:")
    assert len(viewer.secret) >= 16


def test_a_run_that_goes_on_changes_the_page(viewer: Viewer, folder: Path) -> None:
    run = folder / "monday" / "direct"
    manifest = json.loads((run / "manifest.json").read_text())
    del manifest["result"]
    lines = (run / "samples.jsonl").read_bytes().splitlines(keepends=True)
    (run / "manifest.json").write_text(json.dumps(manifest | {"status": "running"}))
    (run / "samples.jsonl").write_bytes(b"")
    path = f"/{viewer.secret}/monday/"
    content = get(viewer, path)[1]
    assert "no question has an answer from every strategy yet" in content
    assert 'http-equiv="refresh"' in content
    states = [get(viewer, f"{path}state")[1]]
    for done in (1, 2):
        (run / "samples.jsonl").write_bytes(b"".join(lines[:done]) + lines[done][:40])
        content = get(viewer, path)[1]
        assert f"of 3 questions, {done} question" in content
        states.append(get(viewer, f"{path}state")[1])
        assert f'data-state="{states[-1]}"' in content
    assert len(set(states)) == 3
    assert get(viewer, f"{path}state")[1] == states[-1]


def test_a_damaged_run_is_told_and_the_others_are_served(viewer: Viewer, folder: Path) -> None:
    (folder / "monday" / "direct" / "manifest.json").write_text("{")
    status, content, _ = get(viewer, f"/{viewer.secret}/monday/")
    assert status == 200
    assert "damaged" in content
    assert "Which strategy" in get(viewer, f"/{viewer.secret}/tues%20day/")[1]


def test_a_page_is_not_made_at_every_request(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Path] = []
    real = server._content
    monkeypatch.setattr(server, "_content", lambda path, state: made.append(path) or real(path, state))
    with Viewer(folder) as viewer:
        run = folder / "monday"
        first = viewer.made(run)
        with (run / "direct" / "samples.jsonl").open("a") as file:
            file.write("\n")
        assert viewer.made(run) is first  # an answer may wait a moment
        monkeypatch.setattr(server, "_LEAST", 0.0)
        monkeypatch.setattr(server, "_PATIENCE", 0)
        assert viewer.made(run) is not first
        assert viewer.made(run) is viewer.made(run)
    assert len(made) == 2


def test_no_folder_and_no_port(folder: Path) -> None:
    with pytest.raises(ConfigError, match=f"^there is no folder {folder / 'none'} \\(give one") as refused:
        Viewer(folder / "none")
    with pytest.raises(ConfigError) as by_others:
        load_run(folder / "none")
    assert str(refused.value) == str(by_others.value)
    with Viewer(folder) as viewer, pytest.raises(ConfigError, match="cannot be used"):
        Viewer(folder, viewer.server_port)
    with pytest.raises(ConfigError, match="cannot be used"):
        Viewer(folder, 70_000)
