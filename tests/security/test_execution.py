"""What a model writes is never run, whatever reads it."""

import pickle
import sqlite3
from pathlib import Path

import pytest

from promptkit import CachedBackend, Chain, CoT, FakeBackend, Question, SelfConsistency, Step, TreeOfThoughts, ZeroShot
from promptkit.extract import extractor_for, names
from promptkit.strategies import Strategy

CODE = "__import__('pathlib').Path('pwned').touch()"
PROGRAMS = [
    CODE,
    f"The answer is {CODE}.",
    f"So the answer is \\boxed{{{CODE}}}",
    f"{{{{ {CODE} }}}}{{% set x = {CODE} %}}",
    "```python\nimport os\nos.system('touch pwned')\n```\n#### $(touch pwned)",
    f'{{"__reduce__": "{CODE}", "answer": "`touch pwned`"}}',
    "!!python/object/apply:os.system ['touch pwned']",
    f"(4 + 8) * (6 - 4) = 24; {CODE}",
    f"[item for item in [{CODE}]]",
]


@pytest.fixture(autouse=True)
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a program that ran would have left a file."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


READS = {"published": {"number", "choice", "yesno"}, "gsm8k-published": {"number"}}
"""The kinds of answers that their papers read."""
QUESTIONS = {
    "number": Question(text="2 + 2?"),
    "choice": Question(text="Which?", kind="choice", choices=("a", "b")),
    "label": Question(text="Which?", kind="label", labels=("good", "bad")),
    "yesno": Question(text="Is it?", kind="yesno"),
    "date": Question(text="When?", kind="date"),
    "text": Question(text="What?", kind="text"),
    "set": Question(text="Which ones?", kind="set"),
    "expression": Question(text="4 4 6 8", kind="expression"),
}


@pytest.mark.parametrize("kind", QUESTIONS)
def test_no_extractor_runs_it(work: Path, kind: str) -> None:
    for name in names():
        if name in READS and kind not in READS[name]:
            continue
        for text in PROGRAMS:
            extractor_for(QUESTIONS[kind], name)(text)
    assert not (work / "pwned").exists()


STRATEGIES: dict[str, Strategy] = {
    "zero-shot": ZeroShot(),
    "cot": CoT(),
    "self-consistency": SelfConsistency(CoT(), 2),
    "tree": TreeOfThoughts("reasoning"),
    "game24": TreeOfThoughts("game24"),
    "chain": Chain(
        (
            Step(name="pairs", prompt="List them: {{ question }}", parse="json", retries=1),
            Step(name="each", prompt="Say more of {{ item }}.", over="pairs"),
        )
    ),
    "parsers": Chain(
        (Step(name="found", prompt="{{ question }}", parse="list"), Step(name="end", prompt="{{ found }}"))
    ),
}


@pytest.mark.parametrize("name", STRATEGIES)
def test_no_strategy_runs_it(work: Path, name: str) -> None:
    kind = "expression" if name == "game24" else "number"
    backend = FakeBackend(PROGRAMS)
    STRATEGIES[name].run_many([QUESTIONS[kind]] * len(PROGRAMS), backend=backend)
    assert backend.calls
    assert not (work / "pwned").exists()


def test_the_store_holds_json_and_nothing_that_python_would_run(work: Path) -> None:
    for text in PROGRAMS:
        ZeroShot(template=None).run("2 + 2?", backend=CachedBackend(FakeBackend(text), work / "s.sqlite"))
    database = sqlite3.connect(work / "s.sqlite")
    rows = database.execute("SELECT completion FROM completions").fetchall()
    database.close()
    assert rows
    assert all(isinstance(text, str) and text.startswith("{") for (text,) in rows)


def test_a_store_that_someone_else_filled_runs_nothing(work: Path) -> None:
    """A pickle in place of the JSON is an error, and is not opened."""

    class Evil:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (eval, (CODE,))

    ZeroShot().run("2 + 2?", backend=CachedBackend(FakeBackend("4"), work / "s.sqlite"))
    database = sqlite3.connect(work / "s.sqlite")
    with database:
        database.execute("UPDATE completions SET completion = ?", (pickle.dumps(Evil()),))
    database.close()
    with pytest.raises(Exception, match="damaged"):
        ZeroShot().run("2 + 2?", backend=CachedBackend(FakeBackend("4"), work / "s.sqlite"))
    assert not (work / "pwned").exists()
