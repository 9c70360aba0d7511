"""The page in a real browser: it loads without a complaint, filters, obeys the keyboard, and runs nothing foreign."""

import json
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest

from promptkit import FakeBackend, evaluate
from promptkit.report import page, save, server
from promptkit.report.server import Viewer
from tests import chromium
from tests.chromium import Page
from tests.made_runs import run
from tests.report import hostile

RUNS = [
    run("direct", "+---?<!+--"),
    run("zero-shot", "++++++--+-", tokens=150),
    run("zero-shot-cot", "+++--+-+++", tokens=300),
]


@pytest.fixture(scope="module")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """A tab of a headless Chromium."""
    program = chromium.executable()
    if program is None:
        pytest.skip("there is no Chromium here: apt-get install chromium, or set CHROMIUM")
    with chromium.browser(program, tmp_path_factory.mktemp("profile")) as found:
        yield found


@pytest.fixture
def report(tab: Page, tmp_path: Path) -> Page:
    """The tab with a report of three strategies, on a desk and in the light."""
    tab.complaints.clear()
    tab.requests.clear()
    tab.resize(1280)
    tab.prefer("light")
    save(RUNS, tmp_path / "report.html")
    tab.open((tmp_path / "report.html").as_uri())
    return tab


def listed(tab: Page) -> list[int]:
    """Numbers of the questions that are listed."""
    return tab.do(
        "[...document.querySelectorAll('#list .meta')].filter(one => one.closest('.row'))"
        ".map(one => Number(one.textContent.split('-').at(-1)))"
    )


def choose(tab: Page, field: str, value: str) -> None:
    """Set a filter as a person does."""
    tab.do(
        f"(() => {{ const field = document.forms.filters.elements[{field!r}]; field.value = {value!r};"
        "field.dispatchEvent(new Event('input', {bubbles: true})); })()"
    )


def text(tab: Page, selector: str) -> str:
    return tab.do(f"document.querySelector({selector!r}).innerText")


def test_it_loads_without_a_complaint_and_asks_for_nothing(report: Page, tmp_path: Path) -> None:
    assert listed(report) == list(range(1, 11))
    report.do("document.querySelectorAll('#list .row').forEach(row => row.click())")
    report.do("document.querySelectorAll('details').forEach(one => { one.open = true; })")
    assert report.do("document.querySelectorAll('.card').length") == 30
    assert report.complaints == []
    assert report.requests == [(tmp_path / "report.html").as_uri()]


@pytest.mark.parametrize(
    ("filters", "numbers"),
    [
        ({"text": "question 7:"}, [7]),
        ({"text": "QUESTION nothing-like-it"}, []),
        ({"outcome": "unparsed"}, [5]),
        ({"outcome": "truncated"}, [6]),
        ({"outcome": "failed"}, [7]),
        ({"run": "1", "outcome": "correct"}, [1, 2, 3, 4, 5, 6, 9]),
        ({"run": "1", "outcome": "wrong"}, [7, 8, 10]),
        ({"run": "2", "outcome": "fixed", "baseline": "1"}, [8, 10]),
        ({"run": "2", "outcome": "broken", "baseline": "1"}, [4, 5]),
        ({"outcome": "none"}, [7]),
        ({"outcome": "all"}, [1]),
        ({"outcome": "differ"}, [2, 3, 4, 5, 6, 8, 9, 10]),
        ({"run": "0", "outcome": "wrong", "text": "4:"}, [4]),
    ],
)
def test_filters(report: Page, filters: dict[str, str], numbers: list[int]) -> None:
    for field, value in filters.items():
        choose(report, field, value)
    assert listed(report) == numbers
    said = "10 questions" if len(numbers) == 10 else f"{len(numbers)} of 10 questions"
    assert text(report, "#filters output") == said
    report.do("document.querySelector('#filters [type=reset]').click()")
    report.wait("document.querySelectorAll('#list > li').length === 10")
    assert report.complaints == []


def test_what_is_chosen_survives_a_reload(report: Page) -> None:
    choose(report, "run", "1")
    choose(report, "outcome", "wrong")
    report.do("document.querySelectorAll('#list .row')[1].click()")
    address = report.do("location.href")
    assert address.endswith("#run=1&outcome=wrong&id=multiarith-style-8")
    report.reload()
    assert listed(report) == [7, 8, 10]
    assert "multiarith-style-8" in text(report, ".is-open")


def test_the_keyboard_is_enough(report: Page) -> None:
    report.press("/")
    assert report.do("document.activeElement.name") == "text"
    report.press("Escape")
    for key in ("j", "j", "k", "j"):
        report.press(key)
    assert "multiarith-style-2" in report.do("document.activeElement.textContent")
    report.press("Enter")
    assert report.do("document.activeElement.getAttribute('aria-expanded')") == "true"
    assert "Right answer: 18" in text(report, ".is-open")
    report.press("Escape")
    assert report.do("document.querySelector('.is-open')") is None
    report.press("Tab")
    assert "multiarith-style-3" in report.do("document.activeElement.textContent")
    assert report.complaints == []


def test_the_answer_is_marked(report: Page) -> None:
    report.do("document.querySelector('#list .row').click()")
    assert report.do("[...document.querySelectorAll('.is-open mark')].map(one => one.textContent)") == ["18"] * 3
    assert "The answer is 18. That is all." in text(report, ".is-open .text")


def test_pairs_follow_the_baseline_and_lead_to_the_questions(report: Page) -> None:
    def counts() -> list[str]:
        return report.do(
            "[...document.querySelectorAll('.panels figcaption')].map(one => one.innerText.split('\\n')"
            ".slice(0, 2).join(': '))"
        )

    assert counts() == ["direct: 1 fixed 6 broken", "zero-shot-cot: 2 fixed 2 broken"]
    report.do(
        "(() => { const field = document.querySelector('.against select'); field.value = '0';"
        "field.dispatchEvent(new Event('change')); })()"
    )
    assert counts() == ["zero-shot: 6 fixed 1 broken", "zero-shot-cot: 5 fixed 0 broken"]
    kinds = report.do("[...document.querySelectorAll('.panels figure:first-child rect')].map(one => one.classList[0])")
    assert (kinds.count("fixed"), kinds.count("broken"), kinds.count("both"), kinds.count("neither")) == (6, 1, 1, 2)
    report.do("document.querySelector('.counts button').click()")
    assert listed(report) == [2, 3, 4, 5, 6, 9]
    report.do("document.querySelector('.panels rect').dispatchEvent(new MouseEvent('click', {bubbles: true}))")
    assert len(listed(report)) == 10
    assert report.do("document.querySelectorAll('.is-open').length") == 1
    assert report.complaints == []


def test_dark_is_dark_and_can_be_chosen(report: Page) -> None:
    def ground() -> int:
        return sum(map(int, report.do("getComputedStyle(document.body).backgroundColor").strip("rgb()").split(",")[:3]))

    assert ground() > 700
    report.prefer("dark")
    assert ground() < 100
    report.wait("document.querySelector('#theme').innerText === 'Light'")
    report.do("document.querySelector('#theme').click()")
    assert ground() > 700
    report.do("localStorage.clear(); delete document.documentElement.dataset.theme")
    assert report.complaints == []


@pytest.mark.parametrize("width", [320, 400, 768, 1280])
def test_nothing_is_wider_than_the_window(report: Page, width: int) -> None:
    report.resize(width, phone=width < 500)
    report.do("document.querySelectorAll('#list .row').forEach(row => row.click())")
    report.do("document.querySelectorAll('details').forEach(one => { one.open = true; })")
    assert report.do("document.documentElement.scrollWidth") <= width


def test_a_hostile_run_harms_nobody(tab: Page, tmp_path: Path) -> None:
    tab.complaints.clear()
    tab.requests.clear()
    tab.resize(400, phone=True)
    (tmp_path / "report.html").write_text(page(hostile.runs()), encoding="utf-8", errors="replace")
    tab.open((tmp_path / "report.html").as_uri())
    tab.do("document.querySelectorAll('#list .row').forEach(row => row.click())")
    tab.do("document.querySelectorAll('details').forEach(one => { one.open = true; })")
    tab.wait("document.querySelectorAll('.turn').length > 40")
    assert tab.do("window.harmed") is None
    assert tab.do("document.querySelectorAll('main img, main a[href^=javascript], #list svg').length") == 0
    assert tab.do("document.scripts.length") == 2
    shown = tab.do("document.querySelector('#list').textContent")
    for attack in hostile.ATTACKS[:4]:
        assert attack in shown
    assert tab.do("document.querySelectorAll('.tree li').length") > 5
    assert tab.do("document.querySelectorAll('.steps > li').length") == 2 * len(hostile.ATTACKS)
    assert tab.do("document.documentElement.scrollWidth") <= 400
    assert tab.complaints == []
    assert len(tab.requests) == 1


def test_many_questions_come_in_parts(tab: Page, tmp_path: Path) -> None:
    save([run("direct", "+-" * 300)], tmp_path / "report.html")
    tab.open((tmp_path / "report.html").as_uri())
    assert len(listed(tab)) == 200
    tab.do("document.querySelector('#more').click()")
    assert len(listed(tab)) == 400
    tab.call("Page.navigate", url=(tmp_path / "report.html").as_uri() + "#id=multiarith-style-599")
    tab.reload()
    assert len(listed(tab)) == 599


def test_a_served_report_follows_its_run(tab: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "_LEAST", 0.0)
    monkeypatch.setattr(server, "_PATIENCE", 0)
    folder = tmp_path / "runs" / "monday"
    evaluate(["direct", "zero-shot"], "multiarith-style", FakeBackend("The answer is 3."), limit=3, run_dir=folder)
    manifest = json.loads((folder / "direct" / "manifest.json").read_text())
    lines = (folder / "direct" / "samples.jsonl").read_bytes().splitlines(keepends=True)
    unfinished = {name: value for name, value in manifest.items() if name != "result"} | {"status": "running"}
    (folder / "direct" / "manifest.json").write_text(json.dumps(unfinished))
    (folder / "direct" / "samples.jsonl").write_bytes(lines[0])
    tab.complaints.clear()
    with Viewer(tmp_path / "runs") as viewer:
        thread = Thread(target=viewer.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            tab.open(viewer.address)
            assert "No verdict yet: of 3 questions, 1 question has an answer" in text(tab, ".lead")
            (folder / "direct" / "samples.jsonl").write_bytes(b"".join(lines))
            (folder / "direct" / "manifest.json").write_text(json.dumps(manifest))
            tab.wait(
                "document.querySelector('.lead') && !document.querySelector('.lead').innerText.includes('No verdict')"
            )
        finally:
            viewer.shutdown()
            thread.join()
    assert [one for one in tab.complaints if "Failed to load resource" not in one] == []
