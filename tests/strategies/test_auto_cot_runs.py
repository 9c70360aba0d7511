"""Auto-CoT in an evaluation, its files, its clusters, and the packaged pools."""

import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promptkit import AutoCoT, CoT, FakeBackend, Question, SelfConsistency, ZeroShot, evaluate
from promptkit.errors import ConfigError
from promptkit.evaluation import load_run
from promptkit.evaluation.benchmarks import Benchmark
from promptkit.strategies.clustering import k_means, plane
from promptkit.strategies.pool import Pool, packaged_pool
from promptkit.types import Example
from tests.isolation import ROOT
from tests.strategies.clustered_pools import item, model, pool

pytest.importorskip("sklearn")
pytestmark = pytest.mark.usefixtures("line")

# --- in an evaluation ------------------------------------------------------------------------------------------------


def benchmark(name: str, n: int = 9) -> Benchmark:
    examples = tuple(Example(question=item(place).question, gold="5") for place in range(n))
    return Benchmark(name, "number", examples, "here", "0" * 64, "", "")


def other(name: str = "other") -> Benchmark:
    questions = ("How tall is the old tower?", "How many steps lead down?")
    examples = tuple(Example(question=Question(text=text, id=text[:8]), gold="5") for text in questions)
    return Benchmark(name, "number", examples, "there", "0" * 64, "", "")


def test_evaluate_prepares_it_once_a_run_and_counts_that(tmp_path: Path) -> None:
    strategies = {"auto": AutoCoT(3), "sc": SelfConsistency(AutoCoT(3), n=2), "zero": CoT()}
    backends = [model(), model()]
    backends[1].name = "second"
    runs = evaluate(strategies, [other(), other("more")], backends, pool=benchmark("pool"), run_dir=tmp_path)
    assert len(runs) == 12
    for run in runs:
        assert run.preparation.calls == (0 if run.strategy == "zero" else 6)
        if run.strategy == "auto":
            assert (run.accuracy, run.usage.calls) == (1.0, 8)
            assert run.run_dir
            manifest = load_run(run.run_dir).manifest
            assert [demo["id"] for demo in manifest["prepared"]["demos"]]
            assert manifest["pool"] == {"source": "here", "questions": 9, "leaks": False}
            assert len(manifest["wrong_demonstrations"]) == 3


def test_other_strategies_are_asked_while_it_is_being_prepared() -> None:
    backend = model()
    backend.batch_size = 4
    evaluate({"auto": AutoCoT(3), "zero": ZeroShot()}, other(), backend, pool=benchmark("pool"))
    assert any("How tall is the old tower?" in call.text for call in backend.calls[:4])


def test_the_published_pool_is_said_to_leak(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from rich.console import Console

    from promptkit.evaluation.presentation.table import print_runs

    runs = evaluate({"auto": AutoCoT(3)}, benchmark("mine"), model(), pool="test", run_dir=tmp_path)
    assert load_run(tmp_path / "auto").manifest["pool"]["leaks"] is True
    print_runs(runs, Console(width=200))
    assert "auto shows demonstrations made of the test's own questions" in capsys.readouterr().out
    (unwritten,) = evaluate({"auto": AutoCoT(3)}, benchmark("mine"), model(), pool="test")
    assert unwritten.manifest["pool"]["leaks"] is True


def test_a_pool_of_the_questions_that_are_asked_is_emptied() -> None:
    with pytest.raises(ConfigError, match="is asked too"):
        evaluate({"auto": AutoCoT(3)}, benchmark("mine"), model(), pool=benchmark("same"))


# --- files -----------------------------------------------------------------------------------------------------------


def test_the_demonstrations_are_kept_in_a_file_to_edit(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    selection = AutoCoT(3).build(pool(answer="8"), backend=model(lambda _: 'He said: "7, # or so".'))
    selection.save(path)
    assert CoT(demos=path).demos == selection.demos
    head = [line for line in path.read_text().splitlines() if line.startswith("#")]
    assert head[1].startswith("# Pool: here, 9 questions, 3 clusters.")
    assert "fake" in head[2]
    assert head[3].startswith("# Wrong answers: 3 of 3 that can be checked (q")
    path.write_text(path.read_text().replace("answer: '7'", "answer: '8'"))
    assert {demo.answer for demo in CoT(demos=path).demos} == {"8"}  # type: ignore[union-attr]


def test_hostile_text_stays_text_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    hostile = Pool(pool().items, "evil\n- !!python/object:os.system\x85- x")
    text = "!!python/name:x - {a: b}\t'\" \x85 \u2028 ends with 7."
    selection = AutoCoT(3).build(hostile, backend=model(lambda _: text))
    selection.save(path)
    assert CoT(demos=path).demos == selection.demos


# --- clusters --------------------------------------------------------------------------------------------------------

ROWS = st.lists(st.tuples(st.integers(-5, 5), st.integers(-5, 5)), min_size=1, max_size=25)


@settings(max_examples=60, deadline=None)
@given(rows=ROWS, k=st.integers(1, 8), seed=st.integers(0, 2**32 - 1))
def test_clusters_are_a_partition_sorted_from_their_centres(rows: list[tuple[int, int]], k: int, seed: int) -> None:
    vectors = np.asarray(rows, dtype=np.float32)
    clusters = k_means(vectors, k, seed)
    assert sorted(place for members in clusters for place in members) == list(range(len(rows)))
    assert 1 <= len(clusters) <= k
    assert clusters == k_means(vectors, k, seed)
    for members in clusters:
        centre = vectors[list(members)].mean(axis=0)
        distances = [float(np.linalg.norm(vectors[place] - centre)) for place in members]
        assert distances == pytest.approx(sorted(distances), abs=1e-3)
    points = plane(vectors, seed)
    assert len(points) == len(rows)
    assert np.isfinite(points).all()


# --- packaged pools --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["number", "yesno", "choice", "date", "text"])
def test_packaged_pools_can_be_clustered(kind: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from promptkit.embedding import embedder

    monkeypatch.setattr("promptkit.strategies.auto_cot.embedder", embedder)
    end = {"number": "7", "yesno": "yes", "choice": "(A)", "date": "05/17/2020", "text": "abc"}[kind]
    backend = FakeBackend(lambda request: end if request.purpose == "answer" else f"It is {end}.")
    selection = AutoCoT(embedder="tf-idf").build(packaged_pool(kind), backend=backend)
    assert len(selection.demos) >= 3
    assert selection.known == len(selection.demos)


def test_the_example_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    from promptkit.embedding import embedder

    path = ROOT / "examples" / "auto_cot.py"
    if not path.is_file():
        pytest.skip("the examples are part of the repository only")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("promptkit.strategies.auto_cot.embedder", embedder)
    backend = FakeBackend(lambda request: "7" if request.purpose == "answer" else "The answer is 7.")
    runpy.run_path(str(path))["main"](backend, packaged_pool("number"), "tf-idf")
    assert "auto-cot: " in capsys.readouterr().out
    assert CoT("auto-cot.yaml").demos
    assert (tmp_path / "auto-cot.svg").is_file()
