"""Making a router from runs: what it finds where there is something to find, and what is said where there is not."""

import json
import random
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest

from promptkit import FakeBackend, Router, SelfConsistency, Strategy, ZeroShot, evaluate
from promptkit.cli.routing import sentences
from promptkit.errors import ConfigError
from promptkit.evaluation import Benchmark, Run
from promptkit.evaluation.routing import Routing, route
from promptkit.evaluation.routing.table import SAMPLES, features_of, routing_table
from promptkit.types import Completion, Example, Question, Request
from tests.command_line import CommandLine

QUESTIONS = 120
SORTS = ("How many eggs?", "How many of the eggs that Ann bought on Monday morning did she not break on the way home?")
STRATEGIES: dict[str, Strategy] = {
    "short-form": ZeroShot("direct"),
    "long-form": ZeroShot(),
    "vote": SelfConsistency(ZeroShot(max_tokens=60), 5),
}

pytest.importorskip("sklearn", reason="scikit-learn is not installed")


def benchmark(name: str = "eggs", questions: int = QUESTIONS) -> Benchmark:
    examples = [
        Example(question=Question(text=f"{number}: {SORTS[number % 2]}", id=f"{name}-{number}"), gold="1")
        for number in range(questions)
    ]
    return Benchmark(name, "number", tuple(examples), "made in the test", "", "", "")


def backend(right: Any) -> FakeBackend:
    """A model: `right(number, form)` says with which chance it answers question `number` correctly."""

    def answer(request: Request) -> Completion:
        number = int(request.messages[-1].content.split(":")[0])
        limit = request.sampling.max_tokens or 0
        form = {32: "short-form", 300: "long-form", 60: "vote"}[limit]
        drawn = random.Random(f"{number} {form} {request.sample}")
        good = drawn.random() < right(number, form)
        text = f"The answer is {1 if good else drawn.randint(2, 5)}."
        return Completion(text=text, prompt_tokens=9, completion_tokens=limit // 10)

    return FakeBackend(answer)


def lengths(number: int, form: str) -> float:
    """Short questions are for the short form, long ones for the long form."""
    return 0.95 if (form == "short-form") == (number % 2 == 0) else 0.2


def runs(right: Any, *, questions: int = QUESTIONS, folder: Path | None = None, **options: Any) -> list[Run]:
    """Runs with a manifest, which says what was run; their folder is kept where one is given."""
    asked = benchmark(options.pop("name", "eggs"), questions)
    with TemporaryDirectory() as passing:
        where = folder or Path(passing) / "runs"
        return evaluate(options.pop("strategies", STRATEGIES), asked, backend(right), run_dir=where, **options)


def test_it_finds_what_there_is_to_find() -> None:
    found = route(runs(lengths), features=["length"])
    assert found.accuracy.mean > 0.85
    assert max(arm.accuracy for arm in found.arms) < 0.7
    assert found.gain.ci95.low > 0.1
    assert found.regret.mean == pytest.approx(found.oracle - found.accuracy.mean)
    assert sentences(found)[1].startswith("The router beats the best single strategy: +")
    fresh = evaluate(found.router, benchmark("others"), backend(lengths))[0]
    assert fresh.accuracy > 0.85
    assert found.router.probe is None and found.router.known == ()


def test_where_there_is_nothing_to_find_it_says_so() -> None:
    found = route(runs(lambda *_: 0.6), features=["length", "agreement"])
    assert found.gain.ci95.low < 0
    assert "is not shown to beat" in sentences(found)[1] or "is worse than" in sentences(found)[1]
    assert f"Use {found.best.name}." in sentences(found)[1]


def test_where_one_strategy_is_always_best_it_is_always_taken() -> None:
    found = route(runs(lambda _, form: float(form == "long-form")), embedder="tf-idf")
    assert found.gain.mean == found.regret.mean == 0
    assert [arm.share for arm in found.arms if arm.name == "long-form"] == [1.0]


def test_agreement_is_that_of_the_first_samples_and_the_probe_that_of_the_vote() -> None:
    made = runs(lengths)
    table = routing_table(made, ["agreement"], "tf-idf")
    assert table.probe == SelfConsistency(ZeroShot(max_tokens=60), SAMPLES)
    assert table.probe
    shorter = evaluate(table.probe, benchmark(), backend(lengths))[0]
    agreement = [sample.votes[0].count / SAMPLES for sample in shorter.samples]
    assert table.agreement == pytest.approx(np.array(agreement))
    column = table.names.index("vote")
    assert table.probe_tokens[:, column].sum() == 0
    assert table.probe_tokens[0, 0] == SAMPLES * 6


def test_neighbours_are_never_held_out_questions() -> None:
    """Outcomes that no feature explains: a router that saw its own questions would seem to know them."""
    coin = {number: random.Random(number).random() < 0.5 for number in range(QUESTIONS)}
    made = runs(
        lambda number, form: float(coin[number] == (form == "short-form")),
        strategies={name: STRATEGIES[name] for name in ("short-form", "long-form")},
    )
    found = route(made, features=["near"], embedder="tf-idf", neighbours=1)
    assert found.oracle == 1.0
    assert abs(found.accuracy.mean - 0.5) < 0.12
    assert found.accuracy.ci95.low < 0.5 < found.accuracy.ci95.high


def test_the_saved_router_is_the_strategy_that_was_made(tmp_path: Path) -> None:
    found = route(runs(lengths), features=["length", "agreement", "near"], embedder="tf-idf")
    found.router.save(tmp_path / "router.yaml")
    assert Router.load(tmp_path / "router.yaml") == found.router
    assert len(found.router.known) == QUESTIONS
    assert {route.name for route in found.router.routes} == set(STRATEGIES)


def test_what_tokens_are_worth_changes_the_choice() -> None:
    made = runs(lambda _, form: {"short-form": 0.6, "long-form": 0.8, "vote": 0.8}[form])
    shares = [
        {arm.name: arm.share for arm in route(made, features=["length"], worth=worth).arms} for worth in (None, 40.0)
    ]
    assert shares[0]["short-form"] < 0.2 < 0.8 < shares[1]["short-form"]


def test_the_same_seed_gives_the_same() -> None:
    made = runs(lengths)
    summaries = [route(made, features=["length"], seed=seed).summary() for seed in (1, 1, 2)]
    assert summaries[0] == summaries[1] != summaries[2]


def test_several_benchmarks_are_one_table() -> None:
    made = [*runs(lengths), *runs(lengths, name="more", questions=30)]
    assert route(made, features=["length"]).questions == QUESTIONS + 30
    with pytest.raises(ConfigError, match="there is no run of vote on more"):
        route(made[:-1], features=["length"])


def refused(made: list[Run], problem: str, **options: Any) -> None:
    with pytest.raises(ConfigError, match=problem):
        route(made, **{"features": ["length"], **options})


def test_runs_that_do_not_belong_together_are_refused() -> None:
    made = runs(lengths, questions=24)
    refused(made[:1], "give runs of at least two")
    refused([*made, made[0]], "is there twice on a benchmark")
    refused(runs(lengths, questions=19), "19 questions are too few")
    refused(made, "25 folds of 24 questions", folds=25)
    refused(made[:2], "agreement needs a run of self-consistency with at least 3", features=["agreement"])
    others = runs(lengths, questions=30)
    refused([made[0], others[1]], "asked different questions")


def test_a_feature_that_is_not_there_is_refused() -> None:
    assert features_of(None) is None
    assert features_of(["near", " length", "near"]) == ("near", "length")
    with pytest.raises(ConfigError, match="there is no feature 'size'"):
        features_of(["size"])


@pytest.fixture
def promptkit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    return CommandLine(capsys, monkeypatch, tmp_path)


def test_the_command_line(promptkit: CommandLine, tmp_path: Path) -> None:
    runs(lengths, folder=tmp_path / "runs")
    command = ["route", "runs", "--features", "agreement,length"]
    said = promptkit(*command, "-o", "router.yaml")
    assert said.code == 0, said.err
    assert "router, held out" in said.out and "oracle" in said.out
    assert "The router beats the best single strategy: +" in said.out
    assert "Regret against an oracle that always knows: +" in said.out
    assert said.err == "The router is in router.yaml: promptkit eval --strategy router.yaml …\n"
    assert isinstance(Strategy.load(tmp_path / "router.yaml"), Router)
    told = json.loads(promptkit(*command, "--json").out)
    assert told["features"] == ["agreement", "length"]
    assert told["gain"]["ci95"][0] > 0
    assert told["output"] is None


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["nowhere"], "error: there is no run in nowhere (give folders that eval wrote)"),
        (["runs", "--features", "size"], "error: there is no feature 'size' (choose among agreement, length, near)"),
        (
            ["runs", "--worth", "0"],
            "error: --worth must be more than 0 tokens (leave it out where tokens do not matter)",
        ),
        (["runs", "-o", "router.pkl"], "error: router.pkl is no name of a strategy file (give one that ends in .yaml)"),
    ],
)
def test_bad_input_is_one_line(promptkit: CommandLine, tmp_path: Path, arguments: list[str], problem: str) -> None:
    runs(lengths, questions=24, folder=tmp_path / "runs")
    said = promptkit("route", *arguments)
    assert (said.code, said.err) == (2, f"{problem}\n")


def test_a_summary_holds_json() -> None:
    found: Routing = route(runs(lengths, questions=24), features=["length"])
    assert json.loads(json.dumps(found.summary()))["best"] == found.best.name
