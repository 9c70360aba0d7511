"""Benchmarks from the hub, played by a server on this machine, and the Parquet files that it has."""

import hashlib
import http.server
import io
import json
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from promptkit import FakeBackend, evaluate
from promptkit.errors import BenchmarkError
from promptkit.evaluation import load_run
from promptkit.evaluation.benchmarks import known, load
from promptkit.models import hub as models_hub


def parquet(rows: list[dict[str, Any]]) -> bytes:
    pyarrow = pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    from pyarrow import parquet as writer

    buffer = io.BytesIO()
    writer.write_table(pyarrow.Table.from_pylist(rows), buffer)
    return buffer.getvalue()


def test_a_parquet_file_of_ones_own_reads(tmp_path: Path) -> None:
    file = tmp_path / "own.parquet"
    file.write_bytes(parquet([{"question": "1+1?", "answer": 2.0}]))
    assert load(str(file)).examples[0].gold == "2"


COMMIT = "0123456789abcdef0123456789abcdef01234567"


class Hub(http.server.BaseHTTPRequestHandler):
    """As much of the hub as a download of small files needs."""

    files: dict[str, bytes] = {}  # noqa: RUF012
    asked: list[str] = []  # noqa: RUF012

    def do_GET(self) -> None:
        self.asked.append(f"{self.command} {self.path}")
        body = self.files.get(self.path)
        self.send_response(404 if body is None else 200)
        self.send_header("Content-Length", str(len(body or b"")))
        if body is None:
            self.send_header("X-Error-Code", "EntryNotFound")
        else:
            _, _, revision = self.path.partition("/resolve/")
            revision = revision.partition("/")[0]
            self.send_header("ETag", f'"{hashlib.sha256(body).hexdigest()}"')
            self.send_header("X-Repo-Commit", COMMIT if revision == "main" else revision)
        self.end_headers()
        if self.command == "GET" and body:
            self.wfile.write(body)

    do_HEAD = do_GET

    def log_message(self, format: str, *args: object) -> None:
        """Keep the tests' output clean."""


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Hub]]:
    constants = pytest.importorskip("huggingface_hub.constants", reason="huggingface_hub is not installed")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    endpoint = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.setenv("HF_ENDPOINT", endpoint)
    monkeypatch.setattr(Hub, "files", {})
    monkeypatch.setattr(Hub, "asked", [])
    yield Hub
    server.shutdown()
    server.server_close()


class TestHub:
    def test_gsm8k_comes_from_its_pinned_commit(self, hub: type[Hub]) -> None:
        commit = "740312add88f781978c0658806c59bc2815b9866"
        content = parquet([{"question": "How many?", "answer": "so\n#### 1,200"}])
        hub.files[f"/datasets/openai/gsm8k/resolve/{commit}/main/test-00000-of-00001.parquet"] = content
        benchmark = load("gsm8k")
        assert [example.gold for example in benchmark.examples] == ["1200"]
        assert benchmark.source == f"openai/gsm8k@{commit}"
        assert benchmark.sha256 == hashlib.sha256(content).hexdigest()
        assert benchmark.notes == ("1 questions, where the published set has 1319",)

    def test_multiarith_is_both_splits_of_one_commit_and_the_cache_keeps_it(self, hub: type[Hub]) -> None:
        train, test = (
            json.dumps([{"question": "a?", "final_ans": "1"}]),
            json.dumps([{"question": "b?", "final_ans": "2"}]),
        )
        hub.files["/datasets/ChilleD/MultiArith/resolve/main/train.json"] = train.encode()
        hub.files[f"/datasets/ChilleD/MultiArith/resolve/{COMMIT}/test.json"] = test.encode()
        benchmark = load("multiarith")
        assert [example.gold for example in benchmark.examples] == ["1", "2"]
        assert benchmark.source == f"ChilleD/MultiArith@{COMMIT}"
        assert benchmark.sha256 == hashlib.sha256((train + test).encode()).hexdigest()
        hub.asked.clear()
        assert load("multiarith") == benchmark
        assert hub.asked == []

    def test_a_file_that_is_gone_is_said(self, hub: type[Hub]) -> None:
        with pytest.raises(
            BenchmarkError, match=r"train\.json cannot be downloaded.*multiarith=FILE.*multiarith-style"
        ):
            load("multiarith")
        assert hub.asked

    def test_no_hub_is_said_at_once(self, hub: type[Hub], monkeypatch: pytest.MonkeyPatch) -> None:
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{closed.getsockname()[1]}")
            with pytest.raises(BenchmarkError, match=r"cannot be reached.*gsm8k=FILE.*gsm8k-style"):
                load("gsm8k")
        assert hub.asked == []

    @pytest.mark.usefixtures("hub")
    def test_a_silent_hub_is_given_up(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(models_hub, "CONNECT_SECONDS", 0.3)
        with socket.create_server(("127.0.0.1", 0)) as silent:
            monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{silent.getsockname()[1]}")
            with pytest.raises(BenchmarkError, match=r"cannot be reached: \w*Timeout"):
                load("gsm8k")

    def test_offline_the_hub_is_not_asked(self, hub: type[Hub], monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HF_HUB_OFFLINE", "1")
        with pytest.raises(BenchmarkError, match=r"cannot be reached: HF_HUB_OFFLINE is set.*gsm8k=FILE"):
            load("gsm8k")
        assert hub.asked == []

    def test_the_commit_that_was_taken_is_in_the_manifest(self, hub: type[Hub], tmp_path: Path) -> None:
        for split, revision in (("train", "main"), ("test", COMMIT)):
            rows = json.dumps([{"question": f"{split}?", "final_ans": "1"}])
            hub.files[f"/datasets/ChilleD/MultiArith/resolve/{revision}/{split}.json"] = rows.encode()
        evaluate("zero-shot", "multiarith", FakeBackend("1"), run_dir=tmp_path / "runs")
        said = load_run(tmp_path / "runs/zero-shot").manifest["benchmark"]
        assert said["source"] == f"ChilleD/MultiArith@{COMMIT}"
        assert len(said["sha256"]) == 64

    def test_without_the_packages_the_command_is_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "huggingface_hub", None)
        with pytest.raises(BenchmarkError, match=r"promptkit\[hub\]"):
            load("gsm8k")

    def test_without_pyarrow_the_command_is_named(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "pyarrow", None)
        file = tmp_path / "f.parquet"
        file.write_bytes(b"PAR1")
        with pytest.raises(BenchmarkError, match=r"promptkit\[hub\]"):
            load(str(file))


class TestAnyDataSet:
    """`hub:OWNER/NAME[@REVISION][/PART]`."""

    @staticmethod
    def holds(hub: type[Hub], files: dict[str, bytes], revision: str = "", repository: str = "me/sums") -> None:
        listing = {"id": repository, "sha": COMMIT, "siblings": [{"rfilename": name} for name in files]}
        path = f"/api/datasets/{repository}" + (f"/revision/{revision}" if revision else "")
        hub.files[path] = json.dumps(listing).encode()
        for name, content in files.items():
            hub.files[f"/datasets/{repository}/resolve/{COMMIT}/{name}"] = content

    def test_a_split_with_columns(self, hub: type[Hub]) -> None:
        rows = [b'{"q": "1+1?", "a": "2"}', b'{"q": "1+2?", "a": "3"}']
        files = {"data/test-0.jsonl": rows[0], "data/test-1.jsonl": rows[1], "data/train.jsonl": rows[0]}
        self.holds(hub, {"README.md": b"", **files})
        benchmark = load("hub:me/sums/test", question="q", answer="a")
        assert [one.question.text for one in benchmark.examples] == ["1+1?", "1+2?"]
        assert (benchmark.name, benchmark.kind) == ("me/sums/test", "number")
        assert benchmark.source == f"me/sums@{COMMIT}"
        assert benchmark.sha256 == hashlib.sha256(b"".join(rows)).hexdigest()

    def test_shards_of_parquet_and_a_published_format(self, hub: type[Hub]) -> None:
        rows = parquet([{"question": "How many?", "answer": "so\n#### 1,200"}])
        files = {f"main/test-0000{place}-of-00002.parquet": rows for place in (0, 1)}
        self.holds(hub, {**files, "socratic/test-00000-of-00001.parquet": rows}, "v1")
        assert len(load("hub:me/sums@v1/main/test").examples) == 2
        with pytest.raises(BenchmarkError, match=r"several parts .give one of them: .*main/test, socratic/test"):
            load("hub:me/sums@v1/test")
        with pytest.raises(BenchmarkError, match="several parts"):
            load("hub:me/sums@v1")

    def test_the_only_part_needs_no_name(self, hub: type[Hub]) -> None:
        self.holds(hub, {"all.csv": b"question,answer\n1+1?,2\n"})
        assert load("hub:me/sums").examples[0].gold == "2"

    def test_a_file_of_a_commit_is_read_again_without_the_hub(self, hub: type[Hub]) -> None:
        self.holds(hub, {"all.csv": b"question,answer\n1+1?,2\n"})
        first = load(f"hub:me/sums@{COMMIT}/all.csv")
        hub.asked.clear()
        assert load(f"hub:me/sums@{COMMIT}/all.csv") == first
        assert hub.asked == []

    @pytest.mark.parametrize(
        ("name", "message"),
        [
            ("sums", "cannot read hub:sums .write hub:OWNER/NAME"),
            ("me/sums@a b", "cannot read"),
            ("me/sums/dev", "has no part 'dev' .*train"),
            ("me/sums/dev.csv", r"me/sums/dev\.csv cannot be downloaded"),
            ("me/other", "hub:me/other cannot be looked up: .*check its name"),
        ],
    )
    def test_what_is_not_there_is_said(self, name: str, message: str, hub: type[Hub]) -> None:
        self.holds(hub, {"train.csv": b"question,answer\n1+1?,2\n"})
        with pytest.raises(BenchmarkError, match=message) as error:
            load(f"hub:{name}")
        assert "\n" not in str(error.value)

    def test_a_repository_without_data_files(self, hub: type[Hub]) -> None:
        self.holds(hub, {"README.md": b"", "data.zip": b""})
        with pytest.raises(BenchmarkError, match=r"no data files .it needs .parquet"):
            load("hub:me/sums")

    def test_columns_that_are_not_there(self, hub: type[Hub]) -> None:
        self.holds(hub, {"all.csv": b"q,a\n1+1?,2\n"})
        with pytest.raises(BenchmarkError, match=r"no column 'question' .the columns are 'q', 'a'"):
            load("hub:me/sums", answer="a")

    @pytest.mark.usefixtures("hub")
    def test_offline(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HF_HUB_OFFLINE", "1")
        with pytest.raises(BenchmarkError, match=r"HF_HUB_OFFLINE is set .*@COMMIT/FILE"):
            load("hub:me/sums/test")


def test_what_is_not_pinned_is_said() -> None:
    sources = {entry.name: entry.source for entry in known()}
    assert sources["multiarith"] == "hub: ChilleD/MultiArith@newest commit (not pinned)"
    assert [name for name, source in sources.items() if "not pinned" in source] == ["multiarith"]
