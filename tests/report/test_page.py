"""The page as text: whole, self-contained, and nothing foreign in it but as text."""

import base64
import gzip
import hashlib
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest

from promptkit import FakeBackend, evaluate
from promptkit.errors import ConfigError
from promptkit.evaluation import Run
from promptkit.report import page, save
from tests.made_runs import run
from tests.report import hostile

THREE = [
    run("direct", "+---??--"),
    run("zero-shot", "++++++--", tokens=150),
    run("zero-shot-cot", "++++-+++", tokens=300),
]


class Reader(HTMLParser):
    """What an HTML parser makes of the page."""

    def __init__(self, content: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.inside: dict[str, list[str]] = {"style": [], "script": []}
        self._open = ""
        self.feed(content)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._open = tag

    def handle_endtag(self, tag: str) -> None:  # noqa: ARG002
        self._open = ""

    def handle_data(self, data: str) -> None:
        self.inside[self._open].append(data) if self._open in self.inside else self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())


def data_of(content: str) -> Any:
    """What lies in the page for its script."""
    packed = re.findall(r'<script id="data" type="text/plain">([^<]*)</script>', content)
    return json.loads(gzip.decompress(base64.b64decode(packed[0])))


def test_it_says_verdict_table_figures_and_manifest() -> None:
    read = Reader(page(THREE))
    assert "Which strategy pays off on multiarith-style?" in read.text
    assert "Use zero-shot" in read.text or "Undecided between" in read.text
    assert "qwen2.5-coder-0.5b · 8 questions · 3 strategies" in read.text
    assert "75.0" in read.text
    assert sum(tag == "svg" for tag, _ in read.elements) == 1 + 2 + 2  # accuracy, two costs, two against zero-shot
    assert sum(tag == "details" for tag, _ in read.elements) == 3


def test_it_needs_nothing_else() -> None:
    content = page(THREE)
    read = Reader(content)
    assert not re.findall(r"(?:src|href)\s*=\s*[\"'](?!#|data:,)", content)
    assert not {"link", "iframe", "object", "embed", "base", "img"} & {
        tag for tag, given in read.elements if given.get("href") != "data:,"
    }
    assert re.findall(r"https?://[^\s\"'<>)]+", content.replace("http://www.w3.org/2000/svg", "")) == []
    assert "@import" not in content
    assert "url(" not in content


def test_its_policy_allows_its_own_script_and_style_only() -> None:
    read = Reader(page(THREE))
    policy = next(given["content"] or "" for _, given in read.elements if "http-equiv" in given)
    assert policy.startswith("default-src 'none';")
    assert "connect-src 'none'" in policy
    for kind, content in (("style", read.inside["style"]), ("script", read.inside["script"][-1:])):
        digest = base64.b64encode(hashlib.sha256("".join(content).encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy
    assert "unsafe" not in policy
    assert not [given for _, given in read.elements if "style" in given or any(name.startswith("on") for name in given)]


def test_only_a_served_page_may_ask_its_server() -> None:
    served = page(THREE, state="abc")
    policy = next(given["content"] or "" for _, given in Reader(served).elements if "http-equiv" in given)
    assert policy.endswith("connect-src 'self'")
    assert 'data-state="abc"' in served
    assert "data-state" not in page(THREE).partition("<main>")[0]


def test_hostile_texts_stay_texts() -> None:
    runs = hostile.runs()
    content = page(runs)
    read = Reader(content)
    assert [tag for tag, _ in read.elements].count("script") == 2
    assert not {"img", "a"} & {tag for tag, given in read.elements if not (given.get("href") or "").startswith("#")}
    assert not [given for _, given in read.elements if any(name.startswith("on") for name in given)]
    for attack in hostile.ATTACKS[:4]:
        assert attack not in content
    assert hostile.ATTACKS[0] in read.text  # the benchmark's name, in the title
    assert "49" not in next(text for text in read.texts if "{{ 7 * 7 }}" in text)
    questions = data_of(content)["sets"][0]["questions"]
    assert [question["id"] for question in questions] == [f"{n}{attack}" for n, attack in enumerate(hostile.ATTACKS)]


def test_the_questions_hold_all_that_was_said() -> None:
    backend = FakeBackend(lambda request: f"\U0001f642 Sample {request.sample}. The answer is 3.")
    (made,) = evaluate("self-consistency:n=2", "multiarith-style", backend, limit=2)
    data = data_of(page([made]))

    def text(place: int | list[int]) -> str:
        return "".join(data["texts"][one] for one in place) if isinstance(place, list) else data["texts"][place]

    for question, sample in zip(data["sets"][0]["questions"], made.samples, strict=True):
        (row,) = question["r"]
        assert (text(question["q"]), question["g"]) == (sample.question, sample.gold)
        assert (row["s"], row["a"], text(row["t"])) == (sample.status, sample.answer, sample.text)
        start, end, rule = row["x"]
        marked = text(row["t"]).encode("utf-16-le")[2 * start : 2 * end].decode("utf-16-le")
        assert (marked, rule) == ("3", "phrase")
        assert row["v"] == [["3", 2, None]]
        assert len(row["k"]) == len(sample.calls)
        for call, shown in zip(sample.calls, row["k"], strict=True):
            assert call.completion is not None
            assert text(shown["t"]) == call.completion.text
            assert [[role, text(place)] for role, place in data["prompts"][shown["p"]]] == [
                ["", call.completion.rendered]
            ]


def test_one_run_has_no_comparison() -> None:
    read = Reader(page([run("zero-shot", "++-")]))
    assert "Only zero-shot was run" in read.text
    assert "Fixed and broken" not in read.text


@pytest.mark.parametrize("answers", ["----", "????", "!!!!", "++++"])
def test_all_right_and_none_right(answers: str) -> None:
    assert Reader(page([run("direct", answers), run("zero-shot", answers)])).elements
    assert Reader(page([run("direct", answers, tokens=0, seconds=0)])).elements


def test_two_models_get_a_chapter_each_and_are_compared() -> None:
    runs = [run(name, answers, backend=model) for model, answers in (("a", "+--"), ("b", "++-")) for name in ("x", "y")]
    read = Reader(page(runs))
    assert "multiarith-style, model against model" in read.text
    assert [given["id"] for tag, given in read.elements if tag == "article"] == ["chapter-1", "chapter-2"]
    data = data_of(page(runs))
    assert data["sets"][0]["runs"] == ["x (a)", "y (a)", "x (b)", "y (b)"]
    assert [chapter["runs"] for chapter in data["chapters"]] == [[0, 1], [2, 3]]


def test_runs_that_go_on_have_no_verdict_yet() -> None:
    slow, quick = (run(name, "++-" * 3) for name in ("zero-shot-cot", "direct"))
    slow = replace(slow, samples=(slow.samples[4], slow.samples[2], slow.samples[0]), missing=6, stopped="it goes on")
    quick = replace(quick, samples=quick.samples[:4], missing=5, stopped="it goes on")
    said = Reader(page([slow, quick])).text
    assert "No verdict yet: of 9 questions, 2 questions have an answer from every strategy so far." in said
    assert "Use direct" not in said
    assert len(data_of(page([slow, quick]))["sets"][0]["questions"]) == 5
    assert "No verdict yet" not in Reader(page([run("direct", "+--")])).text


def test_runs_with_nothing_in_common_are_no_report_yet() -> None:
    begun = replace(run("zero-shot", ""), missing=3, stopped="it goes on")
    with pytest.raises(ConfigError, match="no question has an answer from every strategy yet"):
        page([run("direct", "+--"), begun])


def test_runs_on_different_questions_are_refused() -> None:
    with pytest.raises(ConfigError, match="different questions"):
        page([run("direct", "+-"), run("zero-shot", "+-+")])
    with pytest.raises(ConfigError, match="no runs"):
        page([])


def test_it_cannot_be_written_where_there_is_no_folder(tmp_path: Any) -> None:
    with pytest.raises(ConfigError, match="cannot write the report"):
        save(THREE, tmp_path / "none" / "report.html")


def test_the_same_runs_give_the_same_page() -> None:
    made: list[Run] = [run("direct", "+-"), run("zero-shot", "++")]
    assert page(made) == page(made)
