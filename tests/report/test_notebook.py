"""Runs and results in a notebook."""

from html.parser import HTMLParser

from promptkit import FakeBackend, SelfConsistency, ZeroShot, evaluate
from promptkit.types import Extraction, Result
from tests.made_runs import run

HOSTILE = "<img src=x onerror=alert(1)> & </div><script>alert(1)</script> costs $5 or $6"


class Reader(HTMLParser):
    """The tags and the text of a piece of HTML."""

    def __init__(self, content: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""
        self.feed(content)
        self.close()

    def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


def test_a_result_shows_its_answer_marked_and_its_votes() -> None:
    backend = FakeBackend(["The answer is 18.", "The answer is 18.", "It is 17."])
    shown = SelfConsistency(ZeroShot(), n=3).run("How many?", backend=backend)._repr_html_()
    assert "<b>18</b>" in shown
    assert "The answer is <mark>18</mark>." in shown
    assert "votes: 18 × 2, 17 × 1" in shown
    assert "3 calls" in shown


def test_a_result_without_answer_says_so() -> None:
    assert "no answer could be read" in Result(text="hm")._repr_html_()
    assert "cut off" in Result(text="hm", truncated=True)._repr_html_()
    assert "the server has gone" in Result(error="the server has gone")._repr_html_()


def test_a_long_text_is_shortened_around_the_answer() -> None:
    text = "x" * 5000 + "18" + "y" * 5000
    found = Result(text=text, answer="18", extraction=Extraction(value="18", span=(5000, 5002), rule="last"))
    shown = found._repr_html_()
    assert len(shown) < 4000
    assert "x<mark>18</mark>y" in shown


def test_a_run_is_a_small_table() -> None:
    shown = Reader(run("zero-shot", "++-?")._repr_html_())
    assert shown.tags.count("table") == 1
    assert "2 of 4 = 50.0 %" in shown.text
    assert "15 to 85 %" in shown.text


def test_what_a_model_wrote_stays_text() -> None:
    result = Result(
        answer=HOSTILE,
        text=HOSTILE,
        rationale="Why? " + HOSTILE,
        extraction=Extraction(value=HOSTILE, span=(0, len(HOSTILE)), rule="last"),
    )
    for shown in (result._repr_html_(), Result(error=HOSTILE)._repr_html_(), run(HOSTILE, "+")._repr_html_()):
        read = Reader(shown)
        assert not {"img", "script"} & set(read.tags)
        assert HOSTILE in read.text
        assert "tex2jax_ignore" in shown  # else a notebook takes $5 or $ for a formula


def test_runs_of_an_evaluation_show_themselves() -> None:
    runs = evaluate("zero-shot", "multiarith-style", FakeBackend("The answer is 3."), limit=2)
    assert "multiarith-style" in runs[0]._repr_html_()
