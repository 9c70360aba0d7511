"""What all strategies inherit: values, files, backends, and ways to run."""

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

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
    gather,
)
from promptkit.errors import BackendError, ConfigError
from promptkit.types import Completion
from tests.scripted import Scripted

DEMOS = (Demonstration(question="1 + 1?", answer="2", rationale="Both make two."),)


class Both(Strategy):
    """Asks two strategies and returns the first one's result."""

    tag = "test-both"
    first: Strategy
    others: tuple[Strategy, ...] = ()

    def steps(self, question: Question) -> Flow[Result]:
        """All side by side."""
        results = yield from gather(s.steps(question) for s in (self.first, *self.others))
        return results[0]


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


# -- files ------------------------------------------------------------------------------------------

texts = st.text(min_size=1, max_size=20)
temperatures = st.none() | st.floats(0.01, 2)
common = {
    "max_tokens": st.integers(1, 999),
    "temperature": temperatures,
    "stop": st.lists(texts, max_size=2).map(tuple),
}
demonstrations = st.lists(
    st.builds(Demonstration, question=texts, answer=texts, rationale=texts.filter(str.strip), id=texts),
    min_size=1,
    max_size=3,
).map(tuple)
plain = (
    st.builds(ZeroShot, style=st.sampled_from(["plain", "direct"]), **common)
    | st.builds(FewShot, demos=demonstrations, **common)
    | st.builds(
        CoT, trigger=texts, stages=st.sampled_from([None, 1, 2]), answer_max_tokens=st.integers(1, 99), **common
    )
    | st.builds(CoT, demos=demonstrations, **common)
)
strategies: st.SearchStrategy[Any] = st.recursive(
    plain,
    lambda inner: st.builds(SelfConsistency, inner, st.integers(1, 50), st.floats(0.01, 2)),
    max_leaves=3,
)


@settings(max_examples=100, deadline=None)
@given(strategy=strategies)
@example(strategy=CoT(trigger="a\x85b\u2028c\u2029d\ufeffe\r\nf: 'g' \"h\" #i \x00 ✓"))
def test_every_strategy_survives_its_file(tmp_path_factory: pytest.TempPathFactory, strategy: Strategy) -> None:
    path = tmp_path_factory.mktemp("yaml") / "strategy.yaml"
    strategy.save(path)
    again = Strategy.load(path)
    assert again == strategy
    assert hash(again) == hash(strategy)
    assert type(strategy).load(path) == strategy


def test_a_file_shows_nested_fields_whole(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    SelfConsistency(CoT(max_tokens=99), 5).save(path)
    data = yaml.safe_load(path.read_text())
    assert (data["strategy"], data["n"]) == ("self-consistency", 5)
    assert (data["inner"]["strategy"], data["inner"]["max_tokens"]) == ("cot", 99)


def test_inner_strategies_keep_their_settings_however_their_field_is_written(tmp_path: Path) -> None:
    strategy = Both(CoT(max_tokens=9), (ZeroShot("direct"), SelfConsistency(FewShot(DEMOS), 3)))
    strategy.save(tmp_path / "both.yaml")
    assert Strategy.load(tmp_path / "both.yaml") == strategy
    assert strategy.model_dump()["first"]["max_tokens"] == 9


@pytest.mark.parametrize(
    ("text", "strategy"),
    [
        ("strategy: cot", CoT()),
        ("strategy: zero-shot\nstyle: direct", ZeroShot("direct")),
        ("{strategy: self-consistency, inner: {strategy: zero-shot}, n: 3}", SelfConsistency(ZeroShot(), 3)),
        ("strategy: few-shot\ndemos: arithmetic", FewShot("arithmetic")),
        ("strategy: few-shot\ndemos: [{question: a, answer: b}]", FewShot((Demonstration(question="a", answer="b"),))),
    ],
)
def test_a_file_written_by_hand(tmp_path: Path, text: str, strategy: Strategy) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    assert Strategy.load(path) == strategy


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "holds no strategy"),
        ("- cot", "holds no strategy"),
        ("style: direct", "it needs a key `strategy`"),
        ("strategy: [", "no valid YAML"),
        ("strategy: tot", r"unknown strategy 'tot' \(known: .*cot, few-shot, .*self-consistency"),
        ("strategy: cot\nn: 5", "CoT: n: there is no such setting"),
        ("strategy: cot\nmax_tokens: many", "CoT: max_tokens: must be a whole number"),
        ("strategy: cot\nmax_tokens: yes", "CoT: max_tokens: must not be true"),
        ("strategy: cot\nstages: on", "CoT: stages: must not be true"),
        ("strategy: cot\ntemperature: no", "CoT: temperature: must not be false"),
        ("{strategy: self-consistency, inner: {strategy: cot}, temperature: -1}", "temperature: must be greater"),
        ("strategy: cot\n5: x", "keys"),
        ("strategy: cot\nbackend: hf:gpt2", "CoT: backend: "),
        ("strategy: self-consistency", "SelfConsistency: inner: is missing"),
        ("{strategy: self-consistency, inner: {strategy: bot}}", "unknown strategy 'bot'"),
        ("{strategy: self-consistency, inner: {strategy: cot, m: 1}}", "CoT: m: there is no such setting"),
        ("{strategy: self-consistency, inner: cot}", "inner: "),
        ("{strategy: self-consistency, inner: {strategy: cot}, temperature: 0}", "at temperature 0"),
        ("{strategy: cot, template: no/such}", "there is no template 'no/such'"),
        ("{strategy: cot, demos: nowhere}", "no demonstrations 'nowhere'"),
        ("{strategy: cot, template: /etc/passwd}", "may not name the template '/etc/passwd'"),
        ("{strategy: cot, answer_template: ../notes.j2}", r"may not name the template '../notes.j2'"),
        ("{strategy: cot, template: .ssh/id_rsa}", "may not name the template"),
        ("{strategy: cot, demos: a/../../secret.yaml}", "may not name the demonstrations"),
        ("{strategy: self-consistency, inner: {strategy: few-shot, demos: /etc/passwd}}", "may not name the demo"),
        ('{strategy: cot, template: "a\\0b"}', "template"),
    ],
)
def test_a_wrong_file_is_one_clear_line_that_names_it(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=said) as caught:
        Strategy.load(path)
    assert "mine.yaml" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_may_name_files_of_the_working_folder_but_no_links_out_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    work, secret = tmp_path / "work", tmp_path / "secret.j2"
    (work / "prompts").mkdir(parents=True)
    (work / "prompts/own.j2").write_text("{{ question }}")
    (work / "mine.yaml").write_text("{strategy: zero-shot, template: prompts/own.j2}")
    secret.write_text("{{ question }} and a secret")
    (work / "link.j2").symlink_to(secret)
    (work / "linked.yaml").write_text("{strategy: zero-shot, template: link.j2}")
    monkeypatch.chdir(work)
    assert Strategy.load("mine.yaml") == ZeroShot(template="prompts/own.j2")
    with pytest.raises(ConfigError, match=r"may not name the template 'link\.j2'"):
        Strategy.load("linked.yaml")
    assert ZeroShot(template=str(secret)).template == str(secret), "Python code may read what it likes"


@pytest.mark.parametrize("make", [lambda _: None, lambda p: p.mkdir(), lambda p: p.write_bytes(b"\xff\xfe\xfa")])
def test_a_file_that_cannot_be_read(tmp_path: Path, make: Callable[[Path], Any]) -> None:
    make(tmp_path / "mine.yaml")
    with pytest.raises(ConfigError, match=r"cannot read the strategy file .*mine\.yaml"):
        Strategy.load(tmp_path / "mine.yaml")


def test_a_file_of_another_class(tmp_path: Path) -> None:
    CoT().save(tmp_path / "mine.yaml")
    with pytest.raises(ConfigError, match="'cot' is no ZeroShot"):
        ZeroShot.load(tmp_path / "mine.yaml")


def test_what_cannot_be_saved_says_why(tmp_path: Path) -> None:
    class Filtering(Strategy):
        tag = "test-filtering"
        keep: Callable[[str], bool]

    class Nameless(Strategy):
        pass

    with pytest.raises(ConfigError, match=r"Filtering cannot be saved: .*function"):
        Filtering(lambda text: bool(text)).save(tmp_path / "a.yaml")
    with pytest.raises(ConfigError, match=r"Nameless cannot be saved: .*`tag`"):
        Nameless().save(tmp_path / "b.yaml")
    with pytest.raises(ConfigError, match=r"cannot write .*no-such-folder"):
        CoT().save(tmp_path / "no-such-folder" / "c.yaml")
    assert list(tmp_path.iterdir()) == []


def test_two_strategies_cannot_share_a_tag() -> None:
    with pytest.raises(TypeError, match=r"two strategies have the tag 'cot': CoT and .*Mine"):

        class Mine(CoT):
            pass


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
