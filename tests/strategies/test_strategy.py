"""What all strategies inherit: values, backends, and ways to run."""

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest

import promptkit.backends
from promptkit import (
    CoT,
    Demonstration,
    FakeBackend,
    FewShot,
    Flow,
    Question,
    Result,
    SelfConsistency,
    Strategy,
    ZeroShot,
)
from promptkit.errors import BackendError, ConfigError
from promptkit.types import Completion
from tests.scripted import Scripted
from tests.strategies.both import Both

DEMOS = (Demonstration(question="1 + 1?", answer="2", rationale="Both make two."),)


# -- values -----------------------------------------------------------------------------------------


def test_positional_arguments_are_the_fields_in_order() -> None:
    assert SelfConsistency(CoT(), 5, 0.5) == SelfConsistency(inner=CoT(), n=5, temperature=0.5)
    assert ZeroShot("direct") == ZeroShot(style="direct")
    assert FewShot(DEMOS) == FewShot(demos=DEMOS)


def test_too_many_or_doubled_arguments() -> None:
    with pytest.raises(ConfigError, match="at most 6 positional arguments: inner, n, temperature, vote"):
        SelfConsistency(CoT(), 5, 0.5, "majority", None, "tf-idf", 1)  # type: ignore[call-arg]
    with pytest.raises(ConfigError, match="'n' twice"):
        SelfConsistency(CoT(), 5, n=6)  # type: ignore[misc]


def test_strategies_are_values() -> None:
    made = {SelfConsistency(CoT(), 5), SelfConsistency(CoT(), n=5), SelfConsistency(CoT(), 6), CoT(), ZeroShot()}
    assert len(made) == 4
    assert CoT() != ZeroShot()
    assert CoT() != "cot"
    with pytest.raises(ValueError, match="frozen"):
        CoT().max_tokens = 5  # type: ignore[misc]


def test_a_backend_is_no_part_of_the_value() -> None:
    with_backend = CoT(backend=FakeBackend())
    assert with_backend == CoT(backend=FakeBackend()) == CoT()
    assert hash(with_backend) == hash(CoT())
    assert "backend" not in with_backend.model_dump()
    assert "backend" not in repr(with_backend)


def test_its_templates_are_named_with_their_hashes() -> None:
    templates = SelfConsistency(CoT()).templates()
    assert set(templates) == {"cot/zero-shot", "cot/answer"}
    assert all(len(digest) == 64 for digest in templates.values())


# -- which backend ----------------------------------------------------------------------------------


def test_the_argument_wins_over_all() -> None:
    given_, own, inner = FakeBackend("1"), FakeBackend("2"), FakeBackend("3")
    strategy = SelfConsistency(CoT(backend=inner), 1, backend=own)
    assert strategy.run("?", backend=given_).answer == "1"
    assert strategy.run("?").answer == "2"
    assert SelfConsistency(CoT(backend=inner), 1).run("?").answer == "3"
    assert SelfConsistency(SelfConsistency(CoT(backend=inner), 1), 1).run("?").answer == "3"


def test_inner_strategies_with_different_backends() -> None:
    one, two = FakeBackend("1"), FakeBackend("2")
    with pytest.raises(ConfigError, match="different backends"):
        Both(CoT(backend=one), (CoT(backend=two),)).run("?")
    assert one.calls == two.calls == []
    assert Both(CoT(backend=one), (ZeroShot(backend=one), CoT())).run("?").answer == "1"
    assert Both(CoT(backend=one), (CoT(backend=two),)).run("?", backend=two).answer == "2"


def test_without_any_the_embedded_model_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    embedded = FakeBackend("42")
    monkeypatch.setattr(promptkit.backends, "default", lambda: embedded)
    assert ZeroShot().run("?").answer == "42"
    assert len(embedded.calls) == 1


# -- running ----------------------------------------------------------------------------------------


def test_a_text_asks_for_a_number_and_a_question_for_its_kind() -> None:
    backend = FakeBackend("Yes, all 3.")
    assert ZeroShot().run("Are there?", backend=backend).answer == "3"
    assert ZeroShot().run(Question(text="Are there?", kind="yesno"), backend=backend).answer == "yes"


def test_the_result_carries_trace_and_usage() -> None:
    result = CoT().run("2 + 2?", backend=FakeBackend("The answer is 4"))
    assert [call.request.purpose for call in result.trace] == ["rationale", "answer"]
    assert result.usage.calls == 2
    assert result.usage.completion_tokens == 8


def test_run_raises_what_went_wrong() -> None:
    error = BackendError("busy")
    with pytest.raises(BackendError) as caught:
        ZeroShot().run("2 + 2?", backend=FakeBackend(lambda _: error))
    assert caught.value is error


def test_run_many_keeps_the_order_and_reports_failures() -> None:
    backend = FakeBackend(lambda r: BackendError("busy") if "3?" in r.text else r.text[3:-4])
    results = ZeroShot().run_many((f"{number}?" for number in range(6)), backend=backend)
    assert [result.answer for result in results] == ["0", "1", "2", None, "4", "5"]
    assert [result.error for result in results] == [None, None, None, "busy", None, None]
    assert results[3].usage.calls == 1
    assert ZeroShot().run_many([], backend=backend) == []


def test_run_many_keeps_the_order_whatever_finishes_first() -> None:
    backend = Scripted(lambda flying: len(flying) - 1, lambda request: Completion(text=request.text))
    results = ZeroShot().run_many(["1?", "2?", "3?"], backend=backend)
    assert backend.asked == ["Q: 3?\nA:", "Q: 2?\nA:", "Q: 1?\nA:"]
    assert [result.answer for result in results] == ["1", "2", "3"]


@pytest.mark.parametrize(
    "run", [ZeroShot().run, lambda text, backend: ZeroShot().run_many(["?", text], backend=backend)]
)
def test_an_empty_question_is_refused_before_anything_is_asked(run: Callable[..., Any]) -> None:
    backend = FakeBackend("4")
    with pytest.raises(ConfigError, match="the question is empty"):
        run(" ", backend=backend)
    assert backend.calls == []


def test_it_runs_in_a_thread_and_inside_a_running_loop() -> None:
    answers: list[object] = []

    async def notebook() -> None:
        answers.append(ZeroShot().run("?", backend=FakeBackend("2")).answer)
        answers.append((await ZeroShot().arun("?", backend=FakeBackend("3"))).answer)

    thread = threading.Thread(target=lambda: answers.append(ZeroShot().run("?", backend=FakeBackend("1")).answer))
    thread.start()
    thread.join()
    asyncio.run(notebook())
    assert answers == ["1", "2", "3"]


def test_arun_leaves_the_loop_free() -> None:
    async def both() -> list[Result]:
        meeting = threading.Barrier(2, timeout=10)  # passes only when both are under way at once

        def answer(_: object) -> str:
            meeting.wait()
            return "4"

        return await asyncio.gather(*(ZeroShot().arun("?", backend=FakeBackend(answer)) for _ in range(2)))

    assert [result.answer for result in asyncio.run(both())] == ["4", "4"]


def test_the_seed_decides_the_samples() -> None:
    def asked(seed: int) -> list[int]:
        backend = FakeBackend("4")
        SelfConsistency(ZeroShot(), 3).run("?", backend=backend, seed=seed)
        return [request.sample_seed for request in backend.calls]

    assert asked(1) == asked(1) != asked(2)


@pytest.mark.parametrize("returned", [None, "42", 42])
@pytest.mark.parametrize("many", [False, True])
def test_steps_that_return_no_result_are_told_so(returned: Any, many: bool) -> None:
    class Mistaken(Strategy):
        tag = "test-mistaken"

        def steps(self, question: Question) -> Flow[Result]:  # noqa: ARG002
            yield from ()
            return returned

    def run() -> object:
        return Mistaken().run_many(["?"], backend=FakeBackend()) if many else Mistaken().run("?", backend=FakeBackend())

    with pytest.raises(TypeError, match="must return a Result"):
        SelfConsistency(Mistaken(), 2).run("?", backend=FakeBackend())
    with pytest.raises(TypeError, match=rf"Mistaken\.steps\(\) must return a Result, not {type(returned).__name__}"):
        run()


def test_a_strategy_without_steps() -> None:
    with pytest.raises(NotImplementedError, match="Strategy must define steps"):
        Strategy().run("?", backend=FakeBackend())


def test_a_strategy_that_forgets_to_yield() -> None:
    class Forgetful(Strategy):
        tag = "test-forgetful"

        def steps(self, question: Question) -> Flow[Result]:  # noqa: ARG002
            return Result(answer="42")  # type: ignore[return-value]

    for strategy in (Forgetful(), SelfConsistency(Forgetful(), 2)):
        with pytest.raises(TypeError, match=r"must be a generator, but gave Result: write `yield from"):
            strategy.run("?", backend=FakeBackend())


def test_a_bug_of_a_strategy_is_not_hidden_among_failed_questions() -> None:
    class Buggy(Strategy):
        tag = "test-buggy"

        def steps(self, question: Question) -> Flow[Result]:  # noqa: ARG002
            yield from ()
            return Result(answer=str(1 / 0))

    with pytest.raises(ZeroDivisionError):
        Buggy().run_many(["?"], backend=FakeBackend())
