"""Search logs in the published form, made by hand, and searched again without a model."""

import json
from pathlib import Path
from typing import Any

import pytest

from promptkit import FakeBackend, Question, Result, Strategy, TreeOfThoughts, evaluate
from promptkit.errors import ConfigError
from promptkit.strategies.tree import BFS, RecordedThoughts, RecordedValues

FORBIDDEN = FakeBackend(lambda request: pytest.fail(f"the model was asked: {request.text}"))
TWICE = "6 - 4 = 2 (left: 2 12)\n"
PUZZLE = "4 4 6 8"


def step(number: int, ys: list[str], new: list[tuple[str, float]], chosen: list[int], x: str = PUZZLE) -> dict:
    new_ys = [state for state, _ in new]
    values = [value for _, value in new]
    select = [new_ys[place] for place in chosen]
    return {"step": number, "x": x, "ys": ys, "new_ys": new_ys, "values": values, "select_new_ys": select}


def log() -> list[dict[str, Any]]:
    """Two puzzles. In the first, equal states come into the beam twice and ties abound; the second is not solved."""
    a, b, c = "4 + 8 = 12 (left: 4 6 12)\n", "8 + 4 = 12 (left: 4 6 12)\n", "6 - 4 = 2 (left: 2 4 8)\n"
    first = step(0, [""], [(a, 41), ("Steps:\n", 0), (c, 60), (b, 41), (a, 0)], [2, 0, 3, 1, 4])
    beam = first["select_new_ys"]
    second = step(
        1,
        beam,
        [
            (c + "4 + 8 = 12 (left: 2 12)\n", 60),
            (a + TWICE, 60),
            (a + "12 - 6 = 6 (left: 4 6)\n", 60),
            (b + TWICE, 60),
            ("Steps:\n\n", 0),
            (a + TWICE, 0),
            (a + "12 * 6 = 72 (left: 4 72)\n", 60),
        ],
        [0, 1, 2, 3, 6],
    )
    ends = [(y + "2 * 12 = 24 (left: 24)\n", 60) for y in second["select_new_ys"][:4]]
    third = step(2, second["select_new_ys"], [*ends, (second["select_new_ys"][4] + "No\n", 0.003)], [0, 1, 2, 3, 4])
    answers = ["4 * 6 = 24", "(4 + 8) * (6 - 4) = 24", "none", "(8 + 4) * (6 - 4) = 24"]
    new = [(y + f"Answer: {answer}\n", 20) for y, answer in zip(third["select_new_ys"], answers, strict=False)]
    fourth = step(3, third["select_new_ys"], [*new, (third["select_new_ys"][4] + "1 = 1\n", 0)], [0, 1, 2, 3, 4])
    lost, x = ["1 + 1 = 2 (left: 1 1 2)\n"], "1 1 1 1"
    other = [step(0, [""], [(lost[0], 0.003)], [0], x)]
    for number in range(1, 4):
        lost.append(f"{lost[-1]}again\n")
        other.append(step(number, [lost[-2]], [(lost[-1], 0)], [0], x))
    return [
        {"steps": [first, second, third, fourth], "idx": 900, "ys": fourth["select_new_ys"], "infos": [{"r": 0}]},
        {"steps": other, "idx": 901, "ys": [lost[-1]], "infos": [{"r": 0}]},
    ]


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    Path("log.json").write_text(json.dumps(log(), indent=4), encoding="utf-8")
    return "log.json"


def replayed(path: str, **parts: Any) -> TreeOfThoughts:
    return TreeOfThoughts("game24", RecordedThoughts(path), RecordedValues(path), **parts)


def kept(result: Result) -> list[list[str]]:
    """The states kept at each level but the last, in the order in which they were developed."""
    nodes = {node["id"]: node for node in result.details["tree"]["nodes"]}
    states = {0: ""}
    levels: dict[int, list[tuple[int, str]]] = {}
    for node in list(nodes.values())[1:]:
        states[node["id"]] = f"{states[node['parent']]}{node['thought']}\n"
        if node["order"] is not None:
            levels.setdefault(states[node["id"]].count("\n"), []).append((node["order"], states[node["id"]]))
    return [[state for _, state in sorted(level)] for _, level in sorted(levels.items())]


def test_the_search_chooses_as_the_log_says(path: str) -> None:
    entries = log()
    results = replayed(path).run_many([entry["steps"][0]["x"] for entry in entries], backend=FORBIDDEN)
    for result, entry in zip(results, entries, strict=True):
        assert kept(result) == [one["select_new_ys"] for one in entry["steps"][:3]]
        assert [one.text for one in result.candidates] == [y.strip().split("\n")[-1] for y in entry["ys"]]
    assert [result.answer for result in results] == ["(4 + 8) * (6 - 4)", None]


def test_another_policy_on_the_same_log(path: str) -> None:
    result = replayed(path, search=BFS(1)).run(PUZZLE, backend=FORBIDDEN)
    assert kept(result) == [[entry["select_new_ys"][0]] for entry in log()[0]["steps"][:3]]
    assert result.answer == "4 * 6"


def test_the_puzzle_may_stand_in_a_sentence(path: str) -> None:
    question = Question(text=f"Combine the numbers {PUZZLE} to get 24.", kind="expression")
    assert replayed(path).run(question, backend=FORBIDDEN).answer == "(4 + 8) * (6 - 4)"
    with pytest.raises(ConfigError, match="has no question '14 4 6 8'"):
        replayed(path).run("14 4 6 8", backend=FORBIDDEN)


def test_a_benchmark_counts_what_the_log_solved(path: str) -> None:
    Path("24.csv").write_text(f"Rank,Puzzles\n1,{PUZZLE}\n2,1 1 1 1\n", encoding="utf-8")
    (run,) = evaluate(replayed(path), "game24=24.csv", FORBIDDEN)
    assert [sample.status for sample in run.samples] == ["correct", "unparsed"]
    assert run.usage.calls == 0


def test_leaving_the_way_of_the_log_is_an_error(path: str) -> None:
    # The log followed five states of the first level; of the sixth it knows nothing.
    entries = log()
    entries[0]["steps"][1]["new_ys"][4] = "Other:\n\n"
    Path(path).write_text(json.dumps(entries), encoding="utf-8")
    with pytest.raises(ConfigError, match="of '4 4 6 8' says nothing of the state that ends in 'Steps:'"):
        replayed(path).run(PUZZLE, backend=FORBIDDEN)


def test_it_goes_to_a_file_and_back(path: str) -> None:
    strategy = replayed(path)
    strategy.save("strategy.yaml")
    assert Strategy.load("strategy.yaml") == strategy
    assert Strategy.load("strategy.yaml").run(PUZZLE, backend=FORBIDDEN).answer == "(4 + 8) * (6 - 4)"
    text = Path("strategy.yaml").read_text(encoding="utf-8").replace("log.json", "/etc/passwd")
    Path("strategy.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match="may not name the log"):
        Strategy.load("strategy.yaml")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (None, "cannot read the search log log.json: No such file"),
        ("[", "log.json is no search log"),
        ("{}", "log.json is no search log"),
        ('[{"steps": []}]', "steps"),
        ('[{"steps": [{"x": "1 2", "new_ys": ["a\\n"], "values": []}]}]', "1 states and not as many values"),
        ('[{"steps": [{"x": "1 2", "new_ys": ["a\\n"], "values": [NaN]}]}]', "values.0: must be a finite number"),
        ('[{"steps": [{"x": "1 2", "new_ys": ["a\\n"], "values": [-1]}]}]', "values.0: must be greater than or equal"),
    ],
)
def test_what_is_no_log_is_refused(text: str | None, problem: str, path: str) -> None:
    Path(path).unlink()
    if text is not None:
        Path(path).write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=problem):
        RecordedThoughts(path)
