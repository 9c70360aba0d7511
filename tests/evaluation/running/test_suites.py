"""Suite files: what they may say, what is said of mistakes, and one run for each seed."""

from collections.abc import Callable
from pathlib import Path

import pytest

from promptkit import CoT, FakeBackend, SelfConsistency, ZeroShot
from promptkit.backends.base import Backend
from promptkit.errors import BenchmarkError, ConfigError
from promptkit.evaluation import load_run
from promptkit.evaluation.running.suites import Suite, evaluate_seeds
from tests.command_line import CommandLine
from tests.isolation import ROOT

SAMPLED = "{strategy: zero-shot, temperature: 0.5}"
WARM = "zero-shot(temperature=0.5)"
"""What that is called; greedy strategies say the same with every seed."""


def written(folder: Path, text: str) -> Path:
    path = folder / "suite.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_every_field(tmp_path: Path) -> None:
    suite = Suite.read(
        written(
            tmp_path,
            """
            strategies: [direct, {strategy: zero-shot, max_tokens: 60}]
            benchmarks:
              - multiarith-style
              - {benchmark: sentiment, limit: 3}
            backends: [default, hf:other]
            seeds: [4, 5]
            limit: 7
            pool: sentiment-train
            """,
        )
    )
    assert suite.strategies == ("direct", ZeroShot(max_tokens=60))
    assert (suite.backends, suite.seeds, suite.pool) == (("default", "hf:other"), (4, 5), "sentiment-train")
    assert [(one.name, len(one.examples)) for one in suite.load()] == [("multiarith-style", 7), ("sentiment", 3)]
    assert [len(one.examples) for one in suite.load(limit=2)] == [2, 2]


def test_one_of_each_needs_no_list(tmp_path: Path) -> None:
    suite = Suite.read(written(tmp_path, "strategies: direct\nbenchmarks: multiarith-style\nseeds: 3\n"))
    assert (suite.strategies, suite.benchmarks[0].benchmark, suite.seeds) == (("direct",), "multiarith-style", (3,))
    assert suite.backends == ("default",)


def test_own_columns(tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text("q,a\n1+1?,2\n")
    file = tmp_path / "mine.csv"
    suite = Suite.read(
        written(
            tmp_path, f"strategies: direct\nbenchmarks: [{{benchmark: '{file}', question: q, answer: a, kind: text}}]"
        )
    )
    (benchmark,) = suite.load()
    assert (benchmark.examples[0].question.text, benchmark.kind) == ("1+1?", "text")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- direct\n", "holds no suite .*strategies"),
        ("", "holds no suite"),
        ("strategies: [direct\n", r"no valid YAML: line 2"),
        ("strategies: direct\n", "line 1: benchmarks: is missing"),
        ("strategy: direct\nbenchmarks: a\n", "line 1: strategy: unknown field 'strategy'; did you mean strategies?"),
        ("strategies: direct\nbenchmarks: a\nsize: 3\n", "line 3: size: unknown field 'size'; use strategies, "),
        (
            "strategies: direct\nbenchmarks:\n  - a\n  - {benchmark: b, knd: text}\n",
            r"line 4: benchmarks\.1\.knd: unknown field 'knd'; did you mean kind\?",
        ),
        ("strategies: direct\nbenchmarks: [{limit: 3}]\n", r"line 2: benchmarks\.0\.benchmark: is missing"),
        ("strategies: direct\nbenchmarks: [7]\n", r"line 2: benchmarks\.0: give a name, a file"),
        ("strategies: []\nbenchmarks: a\n", "line 1: strategies: give at least one"),
        ("strategies: [3]\nbenchmarks: a\n", "line 1: strategies: 3 is no strategy"),
        ("strategies: [{max_tokens: 3}]\nbenchmarks: a\n", "no strategy: give .*with the key `strategy`"),
        ("strategies: [{strategy: zero-sho}]\nbenchmarks: a\n", "unknown strategy 'zero-sho'"),
        ("strategies: [{strategy: cot, max_toks: 3}]\nbenchmarks: a\n", "max_toks: there is no such setting"),
        ("strategies: direct\nbenchmarks: a\nseeds: [1, x]\n", r"line 3: seeds\.1: give whole numbers"),
        ("strategies: direct\nbenchmarks: a\nseeds: [1, 1]\n", "the seed 1 is there twice"),
        ("strategies: direct\nbenchmarks: a\nbackends: [b, b]\n", "the backend b is there twice"),
        ("strategies: direct\nbenchmarks: a\n\nlimit: 0\n", "line 4: limit: .*greater than or equal to 1"),
    ],
)
def test_mistakes_are_named_with_their_line(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=message) as error:
        Suite.read(written(tmp_path, text))
    assert "\n" not in str(error.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot read the suite file"):
        Suite.read(tmp_path / "no.yaml")


def test_a_benchmark_that_is_not_there_is_said_when_it_is_loaded(tmp_path: Path) -> None:
    with pytest.raises(BenchmarkError, match="did you mean gsm8k-style"):
        Suite.read(written(tmp_path, "strategies: direct\nbenchmarks: gsm8k-stile\n")).load()


def test_a_run_for_every_seed_and_backend_and_each_backend_is_made_once(tmp_path: Path) -> None:
    made: list[str] = []
    suite = Suite.read(written(tmp_path, f"strategies: [direct, {SAMPLED}]\nbenchmarks: multiarith-style\nlimit: 2\n"))

    def maker(name: str) -> Callable[[], Backend]:
        def make() -> Backend:
            made.append(name)
            backend = FakeBackend(lambda request: str(request.sampling.seed))
            backend.name = name
            return backend

        return make

    runs = evaluate_seeds(
        suite.strategies,
        suite.load(),
        {name: maker(name) for name in ("org/a", "b")},
        (3, 8),
        folders={seed: tmp_path / f"seed-{seed}" for seed in (3, 8)},
    )
    assert made == ["org/a", "b"]
    assert [(run.backend, run.manifest["seed"], run.strategy) for run in runs] == [
        (backend, seed, strategy) for backend in made for seed in (3, 8) for strategy in ("direct", WARM)
    ]
    assert len({run.run_dir for run in runs}) == 8
    assert [
        sample.text for sample in load_run(tmp_path / "seed-8" / "org-a" / "zero-shot-temperature=0.5").samples
    ] == ["8", "8"]
    assert {run.summary()["seed"] for run in runs} == {3, 8}


def test_the_example_is_a_suite_whose_parts_are_there() -> None:
    suite = Suite.read(ROOT / "examples" / "suite.yaml")
    assert suite.strategies == ("zero-shot", "direct", SelfConsistency(CoT(), 5))
    assert [(one.name, len(one.examples)) for one in suite.load()] == [("multiarith-style", 42), ("sentiment", 20)]
    assert suite.seeds == (0, 1, 2)


class TestCommandLine:
    @pytest.fixture
    def promptkit(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> CommandLine:
        backend = FakeBackend(lambda request: "2" if request.sampling.seed in (0, None) else "3")
        monkeypatch.setattr("promptkit.backends.from_spec", lambda *_, **__: backend)
        monkeypatch.setenv("PROMPTKIT_CACHE", str(tmp_path / "cache"))
        (tmp_path / "sums.jsonl").write_text('{"question": "1+1?", "answer": "2"}\n{"question": "1+2?", "answer": "3"}')
        written(tmp_path, f"strategies: [direct, {SAMPLED}]\nbenchmarks: sums.jsonl\nseeds: [0, 1]\n")
        return CommandLine(capsys, monkeypatch, tmp_path)

    def test_prints_a_comparison_and_every_seed(self, promptkit: CommandLine) -> None:
        said = promptkit("eval", "--suite", "suite.yaml", "--run-dir", "runs")
        assert said.code == 0, said.err
        assert "the comparison above is of seed 0" in said.out
        assert "direct                      50.0  50.0  50.0     0.0" in said.out
        assert said.err.count("1 of 2 right") == 4
        for seed in (0, 1):
            run = load_run(promptkit.folder / "runs" / f"seed-{seed}" / "zero-shot-temperature=0.5")
            assert (run.manifest["seed"], run.count("correct")) == (seed, 1)
        fixed = {run.samples[0].status for run in map(load_run, (promptkit.folder / "runs").glob("seed-*/zero*"))}
        assert fixed == {"correct", "wrong"}

    def test_as_json_every_run_says_its_seed(self, promptkit: CommandLine) -> None:
        import json

        said = promptkit("eval", "--suite", "suite.yaml", "--limit", "1", "--json", "--run-dir", "runs")
        runs = json.loads(said.out)["runs"]
        assert [(run["strategy"], run["seed"], run["correct"], run["n"]) for run in runs] == [
            ("direct", 0, 1, 1), (WARM, 0, 1, 1), ("direct", 1, 1, 1), (WARM, 1, 0, 1),
        ]  # fmt: skip

    @pytest.mark.parametrize(
        "option",
        [["--strategy", "direct"], ["--benchmark", "sums.jsonl"], ["--backend", "hf:x"], ["--seed", "2"]],
        ids=lambda option: option[0],
    )
    def test_what_the_suite_says_is_not_said_twice(self, promptkit: CommandLine, option: list[str]) -> None:
        said = promptkit("eval", "--suite", "suite.yaml", *option)
        assert (said.code, said.out) == (2, "")
        assert f"leave {option[0]} out" in said.err

    def test_a_limit_of_nothing_is_refused(self, promptkit: CommandLine) -> None:
        said = promptkit("eval", "--suite", "suite.yaml", "--limit", "0")
        assert (said.code, said.out) == (2, "")
        assert "limit 0 leaves no questions" in said.err

    def test_one_seed_is_an_evaluation_as_any(self, promptkit: CommandLine) -> None:
        written(promptkit.folder, "strategies: direct\nbenchmarks: sums.jsonl\nseeds: 1\n")
        said = promptkit("eval", "--suite", "suite.yaml", "--run-dir", "runs")
        assert said.code == 0, said.err
        assert "by seed" not in said.out
        assert load_run(promptkit.folder / "runs" / "direct").manifest["seed"] == 1

    def test_a_mistake_costs_no_model(self, promptkit: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("promptkit.backends.from_spec", lambda *_, **__: pytest.fail("a model was loaded"))
        written(promptkit.folder, "strategies: [direct, dirct]\nbenchmarks: sums.jsonl\nseeds: [0, 1]\n")
        said = promptkit("eval", "--suite", "suite.yaml")
        assert (said.code, said.out) == (2, "")
        assert "unknown strategy 'dirct'" in said.err
        assert not (promptkit.folder / "runs").exists()
