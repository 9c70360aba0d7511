"""A strategy of a user's own: the page about it, executed, and a short one that uses every word of a flow."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest

from promptkit import CoT, FakeBackend, Flow, Question, Result, SelfConsistency, Strategy, ZeroShot, ask, gather
from promptkit.errors import BackendError
from promptkit.strategies.base import read, registered, request
from promptkit.templates import Template
from promptkit.types import Request
from tests.isolation import ROOT

PAGE = (ROOT / "docs" / "own-strategy.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture
def choosing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The page's strategy, imported from the files that it says to write."""
    (template,) = blocks("jinja")
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "choose.j2").write_text(template)
    (tmp_path / "choosing.py").write_text(blocks("python")[0])
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    import choosing

    yield choosing.Choosing
    del sys.modules["choosing"]


def test_it_is_about_twenty_lines(choosing: Any) -> None:
    code = [line for line in blocks("python")[0].splitlines() if line.strip()]
    assert len(code) <= 24
    assert registered("choosing") is choosing


def test_every_other_example_of_the_page_runs(choosing: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    embedded = FakeBackend("The answer is 31.")
    monkeypatch.setattr("promptkit.backends.default", lambda: embedded)
    monkeypatch.setattr("promptkit.evaluation.running.evaluator.default", lambda: embedded)
    use, test = blocks("python")[1:]
    exec(use, {})  # noqa: S102 (the page is ours)
    assert Strategy.load("nested.yaml") == SelfConsistency(choosing(ZeroShot(), n=3), n=5)
    assert embedded.calls
    exec(test, {})  # noqa: S102


def test_the_page_example_samples_its_drafts_and_chooses_greedily(choosing: Any) -> None:
    backend = FakeBackend("The answer is 4.")
    result = choosing(CoT(), 2).run("2 + 2?", backend=backend)
    assert (result.answer, len(result.candidates)) == ("4", 2)
    assert {(c.sample, c.sampling.temperature) for c in backend.calls if c.purpose == "rationale"} == {
        ((0,), 0.7),
        ((1,), 0.7),
    }
    (choice,) = [c for c in backend.calls if c.purpose == "choice"]
    assert choice.sampling.temperature == 0
    assert "Answer 1: The answer is 4.\n\nAnswer 2: The answer is 4.\n\nWhich of these" in choice.text


def test_a_mistake_that_the_page_names_is_refused() -> None:
    def steps() -> Flow[Any]:
        flow = ZeroShot().steps(Question(text="?"))
        return (yield from gather([flow] * 3))

    with pytest.raises(TypeError, match="runs only once"):
        list(_run(steps()))


def _run(flow: Flow[Any]) -> Iterator[Any]:
    from promptkit.scheduler import run_flows

    for outcome in run_flows([flow], FakeBackend("4")):
        if outcome.error:
            raise outcome.error
        yield outcome.value


TEMPLATE = Template("checked", "{% user %}{{ question }} {{ word }}{% enduser %}")


class Checked(Strategy):
    """Answer, let two judges look at it side by side, and ask again where one doubts."""

    tag: ClassVar[str] = "test-checked"

    def steps(self, question: Question) -> Flow[Result]:
        first = yield from ZeroShot("direct").steps(question)
        verdicts = yield from gather(self.judge(first.text, word) for word in ("right?", "sure?"))
        if all(verdicts):
            return first
        again = yield from ask(request(TEMPLATE.render(question=question.text, word="Think."), purpose="again"))
        return read(again, question, None, rationale="doubted")

    def judge(self, text: str, word: str) -> Flow[bool]:
        try:
            verdict = yield from ask(request(TEMPLATE.render(question=text, word=word), purpose="judge"))
        except BackendError:
            return False
        return verdict.text == "yes"


def answers(judges: dict[str, Any]) -> FakeBackend:
    def answer(asked: Request) -> Any:
        return (
            judges[asked.text.split()[-1]] if asked.purpose == "judge" else {"answer": "4", "again": "5"}[asked.purpose]
        )

    return FakeBackend(answer)


@pytest.mark.parametrize(
    ("judges", "answer", "calls"),
    [
        ({"right?": "yes", "sure?": "yes"}, "4", 3),
        ({"right?": "yes", "sure?": "no"}, "5", 4),
        ({"right?": BackendError("busy"), "sure?": "yes"}, "5", 4),
    ],
)
def test_a_short_strategy_with_every_word_of_a_flow(judges: dict[str, Any], answer: str, calls: int) -> None:
    result = Checked().run("2 + 2?", backend=answers(judges))
    assert (result.answer, result.usage.calls) == (answer, calls)
    assert result.rationale == ("doubted" if answer == "5" else "")


def test_it_composes_with_the_packaged_ones() -> None:
    backend = answers({"right?": "yes", "sure?": "yes"})
    result = SelfConsistency(Checked(), 3).run("2 + 2?", backend=backend)
    assert (result.answer, result.agreement) == ("4", 1.0)
    assert Checked() == Checked() != ZeroShot()


def test_a_strategy_may_be_defined_again_as_in_a_notebook() -> None:
    cell = "from promptkit import Strategy\nclass Mine(Strategy):\n    tag = 'mine'\n"
    done = subprocess.run(
        [sys.executable, "-c", cell * 2 + "print(Mine() == Mine())"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert (done.stdout.strip(), done.stderr) == ("True", "")
