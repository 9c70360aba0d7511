"""The evaluator, with a backend that answers from a function."""

import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from promptkit import Completion, CoT, FakeBackend, Question, Request, Result, SelfConsistency, ZeroShot, ask, evaluate
from promptkit.backends.base import Answer
from promptkit.backends.cached import CachedBackend
from promptkit.errors import AuthError, BackendError, ConfigError, ContextOverflowError
from promptkit.evaluation import Benchmark, Progress, Status, load_run
from promptkit.flow import Flow
from promptkit.strategies import Strategy
from promptkit.types import Example, Message
from tests.isolation import ROOT


def sums(n: int = 5, name: str = "sums") -> Benchmark:
    """Questions of 1 + 1 and so on."""
    examples = tuple(
        Example(question=Question(text=f"What is {k} + 1?", id=f"{name}-{k}"), gold=str(k + 1)) for k in range(1, n + 1)
    )
    return Benchmark(name, "number", examples, f"{name}.jsonl", "0" * 64, "not stated", "")


def summand(request: Request) -> int:
    return int(next(m.content for m in request.messages if " + 1?" in m.content).split("What is ")[1].split(" +")[0])


def right(request: Request) -> str:
    return f"The answer is {summand(request) + 1}."


def five_ways(request: Request) -> str | Completion | BackendError:
    """One answer of each status."""
    match summand(request):
        case 1:
            return "The answer is 2."
        case 2:
            return "The answer is 9."
        case 3:
            return "I would rather not say."
        case 4:
            return Completion(text="The answer is 5", finish_reason="length", completion_tokens=300)
        case _:
            return ContextOverflowError("the prompt has 9000 tokens and fake takes 1024", hint="shorten the question")


def test_every_status_exactly() -> None:
    (run,) = evaluate(ZeroShot(), sums(), FakeBackend(five_ways))
    statuses: list[Status] = ["correct", "wrong", "unparsed", "truncated", "failed"]
    assert [sample.status for sample in run.samples] == statuses
    assert run.accuracy == 0.2
    assert run.samples[3].answer == "5"
    assert run.samples[4].error == "the prompt has 9000 tokens and fake takes 1024 (shorten the question)"
    assert run.samples[4].calls[0].error == run.samples[4].error


def test_usage_is_the_sum_of_all_calls() -> None:
    (run,) = evaluate(CoT(), sums(3), FakeBackend("The answer is 2."))
    calls = [call.completion for sample in run.samples for call in sample.calls if call.completion]
    assert run.usage.calls == len(calls) == 6
    assert run.usage.completion_tokens == 6 * 4
    assert run.usage.prompt_tokens == sum(call.prompt_tokens for call in calls) > 0
    assert run.usage.cached_calls == 0


def test_calls_from_the_store_are_counted(tmp_path: Path) -> None:
    inner = FakeBackend(right)
    backend = CachedBackend(inner, tmp_path / "store.sqlite")
    (first,) = evaluate("zero-shot", sums(3), backend)
    (again,) = evaluate("zero-shot", sums(5), backend)
    assert (first.usage.cached_calls, again.usage.cached_calls, again.usage.calls) == (0, 3, 5)
    assert len(inner.calls) == 5
    assert again.accuracy == 1
    backend.close()


def test_what_two_strategies_ask_alike_is_paid_once() -> None:
    backend = FakeBackend(right)
    runs = evaluate({"a": ZeroShot(), "b": ZeroShot()}, sums(4), backend)
    assert len(backend.calls) == 4
    assert [run.usage.cached_calls for run in runs] == [0, 4]
    assert [run.accuracy for run in runs] == [1, 1]


def test_everything_is_one_stream() -> None:
    """The backend always has work: it is handed the requests of all strategies and benchmarks at once."""
    backend = FakeBackend(right, batch_size=64)
    taken: list[int] = []
    generate = backend.generate

    def noting(requests: list[Request]) -> list[Answer]:
        taken.append(len(requests))
        return list(generate(requests))

    backend.generate = noting  # pyright: ignore
    runs = evaluate(["direct", "zero-shot"], [sums(3), sums(4, "more")], backend)
    assert [(run.strategy, run.benchmark, run.n) for run in runs] == [
        ("direct", "sums", 3),
        ("zero-shot", "sums", 3),
        ("direct", "more", 4),
        ("zero-shot", "more", 4),
    ]
    assert taken[0] > 7
    assert [sample.id for sample in runs[3].samples] == ["more-1", "more-2", "more-3", "more-4"]


def test_several_backends() -> None:
    good, bad = FakeBackend(right), FakeBackend("The answer is 0.")
    good.name, bad.name = "good", "bad"
    runs = evaluate("zero-shot", sums(), [good, bad])
    assert [(run.backend, run.accuracy) for run in runs] == [("good", 1), ("bad", 0)]
    assert len(good.calls) == len(bad.calls) == 5


class Closing(FakeBackend):
    """Notes in `log` that it was made, used and closed."""

    def __init__(self, name: str, log: list[str], answer: str = "The answer is 2.") -> None:
        super().__init__(answer)
        self.name, self.log = name, log
        log.append(f"{name} made")

    def generate(self, requests: Sequence[Request]) -> Sequence[Answer]:
        if self.log[-1] != f"{self.name} used":
            self.log.append(f"{self.name} used")
        return super().generate(requests)

    def close(self) -> None:
        self.log.append(f"{self.name} closed")


def test_a_backend_is_made_when_its_turn_comes_and_closed_before_the_next(tmp_path: Path) -> None:
    log: list[str] = []
    makers = {"a": lambda: Closing("one", log), "b": lambda: Closing("two", log)}
    runs = evaluate("zero-shot", sums(2), makers, run_dir=tmp_path / "r")
    assert log == ["one made", "one used", "one closed", "two made", "two used", "two closed"]
    assert [run.backend for run in runs] == ["one", "two"]
    assert sorted(path.name for path in (tmp_path / "r").iterdir()) == ["zero-shot--a", "zero-shot--b"]
    assert load_run(tmp_path / "r/zero-shot--b").manifest["backend"]["name"] == "two"
    again = evaluate("zero-shot", sums(2), makers, run_dir=tmp_path / "r")
    assert [run.accuracy for run in again] == [run.accuracy for run in runs]


def test_a_backend_that_is_made_late_is_closed_when_the_run_breaks_off() -> None:
    log: list[str] = []

    def broken() -> FakeBackend:
        raise BackendError("no such model")

    with pytest.raises(BackendError, match="no such model"):
        evaluate("zero-shot", sums(2), {"a": lambda: Closing("one", log), "b": broken})
    assert log == ["one made", "one used", "one closed"]


def test_all_folders_are_looked_at_before_a_backend_is_made(tmp_path: Path) -> None:
    (tmp_path / "r/zero-shot--b").mkdir(parents=True)
    (tmp_path / "r/zero-shot--b/thesis.tex").write_text("precious")
    log: list[str] = []
    makers = {"a": lambda: Closing("one", log), "b": lambda: Closing("two", log)}
    with pytest.raises(ConfigError, match="not empty"):
        evaluate("zero-shot", sums(2), makers, run_dir=tmp_path / "r")
    assert log == []


def test_a_folder_with_a_run_of_another_model_is_refused_before_a_call(tmp_path: Path) -> None:
    log: list[str] = []
    evaluate("zero-shot", sums(2), {"a": lambda: Closing("one", log)}, run_dir=tmp_path / "r")
    with pytest.raises(ConfigError, match="holds another run \\(different backend\\)"):
        evaluate("zero-shot", sums(2), {"a": lambda: Closing("two", log)}, run_dir=tmp_path / "r")
    assert log[3:] == ["two made", "two closed"]


def test_no_backend_is_refused() -> None:
    with pytest.raises(ConfigError, match="no backend given"):
        evaluate("zero-shot", sums(2), [])
    with pytest.raises(ConfigError, match="no backend given"):
        evaluate("zero-shot", sums(2), {})


def test_paths_are_taken_like_texts(tmp_path: Path) -> None:
    questions, strategy = tmp_path / "mine.jsonl", tmp_path / "short.yaml"
    questions.write_text('{"question": "What is 1 + 1?", "answer": "2"}\n')
    ZeroShot(max_tokens=5).save(strategy)
    for benchmark in (questions, [questions]):
        (run,) = evaluate(strategy, benchmark, FakeBackend(right), run_dir=tmp_path / "r")
        assert (run.strategy, run.benchmark, run.accuracy) == ("short", "mine", 1)


def test_the_seed_reaches_what_is_sampled() -> None:
    def seeds(seed: int) -> list[int]:
        backend = FakeBackend(right)
        evaluate(SelfConsistency(CoT(), n=2), sums(2), backend, seed=seed)
        return [request.sample_seed for request in backend.calls if request.sampling.temperature]

    assert seeds(1) == seeds(1) != seeds(2)


def test_limit() -> None:
    (run,) = evaluate("zero-shot", sums(5), FakeBackend(right), limit=2)
    assert [sample.id for sample in run.samples] == ["sums-1", "sums-2"]
    with pytest.raises(ConfigError, match="limit 0 leaves no questions"):
        evaluate("zero-shot", sums(), FakeBackend(right), limit=0)


def test_seconds_add_up_to_the_wall_time() -> None:
    def slow(request: Request) -> Completion:
        started = time.perf_counter()
        time.sleep(0.02 if "answer is" in request.text else 0.04)
        return Completion(text=right(request), seconds=time.perf_counter() - started)

    started = time.perf_counter()
    runs = evaluate(["direct", "zero-shot"], sums(5), FakeBackend(slow))
    wall = time.perf_counter() - started
    assert sum(run.seconds for run in runs) == pytest.approx(wall, rel=0.2)
    assert all(run.seconds > 0 for run in runs)


def test_overlapping_calls_share_their_time() -> None:
    class Batch(FakeBackend):
        def generate(self, requests: list[Request]) -> list[Answer]:  # pyright: ignore
            started = time.perf_counter()
            time.sleep(0.1)
            return [Completion(text=right(r), seconds=time.perf_counter() - started) for r in requests]

    started = time.perf_counter()
    runs = evaluate(["direct", "zero-shot"], sums(4), Batch(batch_size=64))
    assert sum(run.seconds for run in runs) <= time.perf_counter() - started
    assert runs[0].seconds == pytest.approx(runs[1].seconds, rel=0.3)


class Divides(Strategy):
    """A strategy with a bug in its second step."""

    def steps(self, question: Question) -> Flow[Result]:
        completion = yield from ask(Request(messages=(Message(role="user", content=question.text),)))
        return Result(answer=str(len(completion.text) / 0))


def test_a_bug_of_a_strategy_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        evaluate({"mine": Divides()}, sums(), FakeBackend(right))


def test_a_fault_that_shows_in_the_first_request_costs_no_call(tmp_path: Path) -> None:
    (tmp_path / "mine.j2").write_text("{{ question }} {{ hint }}")
    backend = FakeBackend(right)
    with pytest.raises(ConfigError, match="the variable 'hint' was not given"):
        evaluate(
            {"ok": ZeroShot(), "mine": ZeroShot(template=str(tmp_path / "mine.j2"))},
            sums(),
            backend,
            run_dir=tmp_path / "runs",
        )
    assert not backend.calls


def test_a_fault_of_a_later_template_is_no_failed_question(tmp_path: Path) -> None:
    (tmp_path / "mine.j2").write_text("{{ rationale }} {{ hint }}")
    with pytest.raises(ConfigError, match="the variable 'hint' was not given"):
        evaluate({"mine": CoT(answer_template=str(tmp_path / "mine.j2"))}, sums(), FakeBackend(right))


def test_a_refused_key_ends_the_run() -> None:
    def refuse(_: Request) -> str:
        raise AuthError("the key was refused")

    with pytest.raises(AuthError):
        evaluate("zero-shot", sums(), FakeBackend(refuse))


@pytest.mark.parametrize(
    ("strategies", "benchmarks", "message"),
    [
        (["direct", "direct"], [sums()], "strategy 'direct' is given twice"),
        ([CoT(), "zero-shot-cot"], [sums()], "strategy 'zero-shot-cot' is given twice"),
        ([], [sums()], "no strategy given"),
        ({}, [sums()], "no strategy given"),
        (["direct"], [], "no benchmark given"),
        (["direct"], [sums(), sums()], "benchmark 'sums' is given twice"),
        (["nonsense"], [sums()], "unknown strategy 'nonsense'"),
    ],
)
def test_what_makes_no_sense_is_refused_before_a_call(
    strategies: list[Strategy | str], benchmarks: list[Benchmark], message: str
) -> None:
    backend = FakeBackend(right)
    with pytest.raises(ConfigError, match=message) as caught:
        evaluate(strategies, benchmarks, backend)
    assert not backend.calls
    assert caught.value.hint or "no " in message


def test_two_backends_of_one_name_are_refused() -> None:
    with pytest.raises(ConfigError, match="backend 'fake' is given twice"):
        evaluate("direct", sums(), [FakeBackend(right), FakeBackend(right)])


def test_strategies_are_named_by_what_sets_them_apart() -> None:
    strategies = [ZeroShot(), ZeroShot("direct"), CoT(max_tokens=5), SelfConsistency(CoT(), n=3)]
    runs = evaluate(strategies, sums(1), FakeBackend(right))
    assert [run.strategy for run in runs] == [
        "zero-shot",
        "direct",
        "cot(max_tokens=5)",
        "self-consistency(zero-shot-cot, n=3)",
    ]


def test_the_backend_of_a_strategy_is_used() -> None:
    backend = FakeBackend(right)
    (run,) = evaluate(SelfConsistency(CoT(backend=backend), n=1), sums(2))
    assert (run.accuracy, len(backend.calls)) == (1, 4)
    with pytest.raises(ConfigError, match="different backends"):
        evaluate([CoT(backend=backend), ZeroShot(backend=FakeBackend(right))], sums(2))


def test_progress_is_consistent() -> None:
    seen: list[tuple[int, int, int, int]] = []
    ended: list[str] = []

    def note(progress: Progress) -> None:
        seen.append((progress.total, progress.done, progress.correct, progress.completion_tokens))
        ended[:] = [run.strategy for run in progress.finished_runs]
        assert progress.seconds >= 0
        assert progress.tokens_per_second >= 0

    runs = evaluate(["direct", "zero-shot"], sums(5), FakeBackend(five_ways), on_progress=note)
    assert seen == sorted(seen)
    assert seen[-1] == (10, 10, 2, sum(run.usage.completion_tokens for run in runs))
    assert sorted(ended) == ["direct", "zero-shot"]


HOSTILE = {
    "ansi": "\x1b[2J\x1b[31mThe answer is 2.\x1b]0;owned\x07",
    "markup": "[red]The answer is 2.[/red] [link=file:///etc/passwd]x[/link] [/]",
    "carriage return": "The answer is 9.\rThe answer is 2.",
    "bidi": "The answer is 2.\u202egnorw si sihT",
    "null byte": "The answer is 2.\x00",
    "long line": "x" * 100_000 + " The answer is 2.",
    "line separators": "The answer\u2028is\x85 2.\x0b\x0c",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_answers_are_kept_and_read_as_text(text: str, tmp_path: Path) -> None:
    (run,) = evaluate("zero-shot", sums(1), FakeBackend(text), run_dir=tmp_path / "runs")
    assert run.samples[0].text == text
    assert run.samples[0].status in ("correct", "wrong")
    again = load_run(tmp_path / "runs/zero-shot")
    assert again.samples == run.samples


def test_packaged_questions_and_names_of_files() -> None:
    (run,) = evaluate("zero-shot", str(ROOT / "evals/multiarith-style.json"), FakeBackend("The answer is 3."), limit=3)
    assert (run.benchmark, run.n) == ("multiarith-style", 3)
    assert run.run_dir is None
