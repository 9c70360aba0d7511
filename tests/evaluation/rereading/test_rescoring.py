"""Re-reading stored texts: what another extractor would have scored, votes held again, and nothing lost."""

from dataclasses import replace
from pathlib import Path

import pytest

from promptkit import Benchmark, Chain, CoT, FakeBackend, FewShot, SelfConsistency, Step, Strategy, ZeroShot, evaluate
from promptkit.backends.base import Answer
from promptkit.errors import BackendError, ConfigError
from promptkit.evaluation import Run, compare, load_run
from promptkit.evaluation.benchmarks.scorers import Scored
from promptkit.evaluation.rereading.readings import asked, leniently, strictly
from promptkit.evaluation.rereading.rescoring import changes, folder_beside, rescore
from promptkit.types import Completion, Demonstration, Example, Kind, Question, Request

OLD = Path(__file__).parents[2] / "golden" / "written-by-0.1.0"
TEXTS = [
    "First 3, then 4. The answer is 7. Check: 8 is too much.",
    "It is 9, or perhaps 7.",
    "**7**",
    "no idea",
    "1 2 3",
]


def bench(kind: Kind = "number", gold: str = "7", n: int = 5, labels: tuple[str, ...] = ()) -> Benchmark:
    examples = tuple(
        Example(question=Question(text=f"What is thing {i}?", kind=kind, id=f"q{i}", labels=labels), gold=gold)
        for i in range(n)
    )
    return Benchmark("things", kind, examples, "made up", "0", "CC0", "none")


def by_thing(request: Request) -> Completion:
    """A text for each question; samples and second stages differ."""
    place = int(request.text.split("thing ")[1][0])
    if request.purpose == "answer" and "Therefore" in request.text:
        return Completion(text=f" {TEXTS[place][:30]}")
    shift = request.sample[-1] if request.sample else 0
    return Completion(text=TEXTS[(place + shift) % 5], logprob=-3.0 - shift, completion_tokens=4)


STRATEGIES: list[Strategy] = [
    ZeroShot(),
    ZeroShot("direct"),
    CoT(),
    CoT(stages=1),
    FewShot((Demonstration(question="a", answer="b"),)),
    SelfConsistency(ZeroShot(), n=5),
    SelfConsistency(CoT(), n=4),
    SelfConsistency(CoT(stages=1), n=5, vote="weighted"),
]


def with_extractor(strategy: Strategy, name: str) -> Strategy:
    if isinstance(strategy, SelfConsistency):
        return strategy.with_fields(inner=with_extractor(strategy.inner, name))
    return strategy.with_fields(extractor=name)


@pytest.mark.parametrize("name", ["strict", "lenient", "answer", "whole"])
@pytest.mark.parametrize("strategy", STRATEGIES, ids=lambda s: repr(s)[:60])
def test_it_scores_what_a_run_with_that_extractor_scores(strategy: Strategy, name: str, tmp_path: Path) -> None:
    (run,) = evaluate({"it": strategy}, bench(), FakeBackend(by_thing), run_dir=tmp_path / "a")
    (wanted,) = evaluate({"it": with_extractor(strategy, name)}, bench(), FakeBackend(by_thing))
    again = rescore(load_run(tmp_path / "a" / "it"), name)
    for new, other in zip(again.samples, wanted.samples, strict=True):
        assert (new.status, new.answer, new.votes, new.text) == (other.status, other.answer, other.votes, other.text)
        assert new.extraction == other.extraction
    assert again.usage == run.usage


def test_the_published_cleansing_compares_strings() -> None:
    (run,) = evaluate(ZeroShot(), bench(gold="18", n=1), FakeBackend("18.00"))
    assert run.accuracy == 1 and rescore(run, "published").samples[0].status == "wrong"


def test_a_new_folder_is_written_beside_and_the_old_one_stays(tmp_path: Path) -> None:
    evaluate({"it": ZeroShot()}, bench(), FakeBackend(by_thing), run_dir=tmp_path)
    before = {path.name: path.read_bytes() for path in (tmp_path / "it").iterdir()}
    old = load_run(tmp_path / "it")
    new = rescore(old, "strict", folder_beside(old, "strict"))
    assert new.run_dir == tmp_path / "it--strict"
    assert {path.name: path.read_bytes() for path in (tmp_path / "it").iterdir()} == before
    loaded = load_run(tmp_path / "it--strict")
    assert loaded.samples == new.samples
    assert loaded.manifest["rescored"] == {"from": str(tmp_path / "it"), "extractor": "strict"}
    assert set(compare(old, loaded).broken) == set(changes(old, loaded)["broken"]) == {"q1"}
    rescore(old, "strict", tmp_path / "it--strict")  # again: the same
    with pytest.raises(ConfigError, match="holds another run"):
        rescore(old, "lenient", tmp_path / "it--strict")
    with pytest.raises(ConfigError, match="holds another run"):
        rescore(old, "lenient", tmp_path / "it")


def test_failed_and_cut_off_answers_stay_so() -> None:
    def answer(request: Request) -> Answer:
        if "thing 0" in request.text:
            return BackendError("gone")
        return Completion(text="7", finish_reason="length" if "thing 1" in request.text else "stop")

    (run,) = evaluate(ZeroShot(), bench(n=3), FakeBackend(answer))
    assert [s.status for s in rescore(run, "answer").samples] == ["failed", "truncated", "correct"]
    assert [leniently(one).status for one in asked(run)] == ["failed", "correct", "correct"]


def test_what_a_chain_put_together_is_kept() -> None:
    chain = Chain((Step(name="names", prompt="{{ question }}", parse="list"),))
    (run,) = evaluate(chain, bench("set", ("ann", "bob"), n=1), FakeBackend("- Ann\n- Bob"))  # pyright: ignore
    assert run.samples[0].status == "correct"
    assert rescore(run, "strict").samples == run.samples


def test_votes_of_chains_are_refused_and_not_guessed(tmp_path: Path) -> None:
    chain = Chain((Step(name="one", prompt="{{ question }}"), Step(name="two", prompt="{{ one }} {{ question }}")))
    evaluate({"it": SelfConsistency(chain, n=2)}, bench(n=1), FakeBackend("7"), run_dir=tmp_path)
    with pytest.raises(ConfigError, match="q0: its calls do not tell"):
        rescore(load_run(tmp_path / "it"), "strict")


def test_weights_that_nobody_knows_are_refused() -> None:
    (run,) = evaluate(SelfConsistency(CoT(stages=1), n=2, vote="weighted"), bench(n=1), FakeBackend(by_thing))
    with pytest.raises(ConfigError, match="it is not known how"):
        rescore(run, "strict")


def test_unknown_extractors() -> None:
    (run,) = evaluate(ZeroShot(), bench(), FakeBackend("7"))
    with pytest.raises(ConfigError, match="there is no extractor 'lax'"):
        rescore(run, "lax")


def test_labels_are_known_again(tmp_path: Path) -> None:
    labels = ("good", "bad")
    evaluate({"it": ZeroShot()}, bench("label", "bad", 2, labels), FakeBackend("**bad**, not good"), run_dir=tmp_path)
    run = load_run(tmp_path / "it")
    assert run.samples[0].labels == labels
    assert rescore(run, "strict").accuracy == 1


@pytest.mark.parametrize("name", ["direct", "zero-shot", "zero-shot-cot", "self-consistency"])
def test_runs_of_the_first_version_are_read(name: str) -> None:
    run = load_run(OLD / name)
    assert run.n == 4
    assert rescore(run, "answer").accuracy == run.accuracy


class TestBounds:
    def one(self, text: str, strategy: Strategy | None = None) -> Run:
        return evaluate(strategy or ZeroShot(), bench(n=1), FakeBackend(text))[0]

    @pytest.mark.parametrize(
        ("text", "low", "high"),
        [
            ("The answer is 7.", "correct", "correct"),
            ("7", "correct", "correct"),
            ("So 7 hens.", "unparsed", "correct"),
            ("7 hens and 3 cocks.", "unparsed", "correct"),  # in the last sentence
            ("7 hens. No, 3.", "unparsed", "correct"),  # the first value, which "answer" takes
            ("3 or 7 hens. No, 5.", "unparsed", "wrong"),
            ("The answer is 3.", "wrong", "wrong"),
            ("None.", "unparsed", "unparsed"),
        ],
    )
    def test_one_text(self, text: str, low: str, high: str) -> None:
        (sample,) = asked(self.one(text))
        assert (strictly(sample).status, leniently(sample).status) == (low, high)

    def test_a_second_stage_goes_on_the_phrase_of_its_prompt(self) -> None:
        run = self.one("x", CoT())
        answers = iter(["So 7.", "7 hens"])
        (run,) = evaluate(CoT(), bench(n=1), FakeBackend(lambda _: next(answers)))
        (sample,) = asked(run)
        read = strictly(sample)
        assert read.status == "correct" and read.extraction is not None
        assert read.text[slice(*read.extraction.span)] == "7"

    def test_the_rationale_counts_where_the_second_stage_lost_it(self) -> None:
        answers = iter(["So it is 7.", "unclear"])
        (run,) = evaluate(CoT(), bench(n=1), FakeBackend(lambda _: next(answers)))
        assert run.samples[0].status == "unparsed"
        assert leniently(asked(run)[0]).status == "correct"

    @pytest.mark.parametrize("strategy", STRATEGIES, ids=lambda s: repr(s)[:60])
    def test_the_high_bound_is_never_below_the_run(self, strategy: Strategy, tmp_path: Path) -> None:
        evaluate({"it": strategy}, bench(), FakeBackend(by_thing), run_dir=tmp_path)
        for sample in asked(load_run(tmp_path / "it")):
            assert sample.sample.status != "correct" or leniently(sample).status == "correct"


def test_a_benchmark_with_rules_of_its_own_is_not_read_again(tmp_path: Path) -> None:
    own = replace(bench(), scorer=lambda result, _: Scored(bool(result.text)))
    (run,) = evaluate(ZeroShot(), own, FakeBackend("7"), run_dir=tmp_path)
    with pytest.raises(ConfigError, match="things is scored by rules of its own"):
        asked(run)
