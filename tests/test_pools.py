"""The packaged pools: answers computed again from the questions' own words; reproducible; unlike the demonstrations."""

import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from promptkit.extract import canonical
from promptkit.paths import packaged
from promptkit.strategies.demonstrations import SETS, load_demonstrations
from promptkit.strategies.near_duplicates import NearDuplicates
from promptkit.strategies.pool import PACKAGED, packaged_pool
from promptkit.types import Kind
from tests.isolation import ROOT

KINDS: tuple[Kind, ...] = ("yesno", "choice", "date", "text")
GENERATOR = ROOT / "benchmarks" / "make_pools.py"
ROWS: dict[str, list[dict[str, Any]]] = {
    kind: [json.loads(line) for line in (packaged("evals") / "pools" / f"{kind}.jsonl").read_text("utf-8").splitlines()]
    for kind in KINDS
}
EVERY = [pytest.param(row, id=f"{kind}-{place}") for kind, rows in ROWS.items() for place, row in enumerate(rows)]


def numbers(text: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", text)]


def day(text: str) -> date:
    (found,) = re.findall(r"[A-Z][a-z]+ \d{1,2}, \d{4}", text)
    return datetime.strptime(found, "%B %d, %Y").date()


def switched(text: str, _: list[str]) -> bool:
    return len(re.findall(r"presses the switch once|turns the card over|opens it if it is shut", text)) % 2 == 0


def compared(text: str, _: list[str]) -> bool:
    found = numbers(text)
    limit = found.pop(0 if text.startswith("Is") else -1)
    return found[0] * found[1] > limit


def in_time(text: str, _: list[str]) -> bool:
    start, zero, minutes, hour, minute = numbers(text)
    return start * 60 + zero + minutes <= hour * 60 + minute


def divided(text: str, _: list[str]) -> bool:
    return max(numbers(text)) % min(numbers(text)) == 0


def swapped(text: str, _: list[str]) -> str:
    holds = {name: f"the {thing}" for name, thing in re.findall(r"(\w+) starts with the (\w+)", text)}
    for one, other in re.findall(r"(\w+) and (\w+) trade", text):
        holds[one], holds[other] = holds[other], holds[one]
    (asked,) = re.findall(r"in (\w+)'s hands", text)
    return holds[asked]


def cheapest(_: str, choices: list[str]) -> str:
    def price(pack: str) -> float:
        size, dollars = pack.split(" for $")
        return float(dollars) / int(size)

    best, second = sorted(choices, key=price)[:2]
    assert price(second) - price(best) > 0.05
    return best


def weekday(text: str, _: list[str]) -> str:
    days = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
    (today,) = (place for place, name in enumerate(days) if name in text)
    return days[(today + numbers(text)[0]) % 7]


def continued(text: str, _: list[str]) -> str:
    first, second, third, last = numbers(text)
    if third - second == second - first:
        return str(last + second - first)
    assert third * first == second * second
    return str(last * second // first)


def counted(text: str, _: list[str]) -> str:
    days = numbers(text.replace(re.findall(r"[A-Z][a-z]+ \d{1,2}, \d{4}", text)[0], ""))[0]
    back = "before" in text or "earlier" in text
    return f"{day(text) + timedelta(-days if back else days):%m/%d/%Y}"


def weeks(text: str, _: list[str]) -> str:
    (many,) = re.findall(r"(\d+) weeks", text)
    return f"{day(text) + timedelta(weeks=int(many)):%m/%d/%Y}"


def neighbor(text: str, _: list[str]) -> str:
    words = {"after tomorrow": 2, "tomorrow": 1, "three days from now": 3, "before yesterday": -2}
    days = next(value for words_, value in words.items() if words_ in text)
    return f"{day(text) + timedelta(days):%m/%d/%Y}"


def ordinal(text: str, _: list[str]) -> str:
    (year,) = (number for number in numbers(text) if number >= 1990)
    (number,) = (number for number in numbers(text) if 1 < number < 1990 and number not in (1,))
    return datetime.strptime(f"{year} {number}", "%Y %j").strftime("%m/%d/%Y")


def quoted(text: str) -> list[str]:
    return re.findall(r'"(\w+)"', text)


SOLVERS: dict[str, Callable[[str, list[str]], Any]] = {
    **{made.__name__: made for made in (switched, compared, in_time, divided, swapped, cheapest, weekday, continued)},
    **{made.__name__: made for made in (counted, weeks, neighbor, ordinal)},
    "ends": lambda text, _: "".join(word[-1] for word in quoted(text)),
    "starts": lambda text, _: "".join(word[0] for word in quoted(text)),
    "reversed": lambda text, _: quoted(text)[0][::-1],
    "without": lambda text, _: re.sub("[aeiou]", "", quoted(text)[0]),
}


@pytest.mark.parametrize("row", EVERY)
def test_the_answer_is_right(row: dict[str, Any]) -> None:
    choices: list[str] = row.get("choices", [])
    found = SOLVERS[row["template"]](row["question"].replace("Write it as MM/DD/YYYY.", ""), choices)
    found = {True: "yes", False: "no"}.get(found, found) if isinstance(found, bool) else found
    assert row["answer"] == ("ABCDE"[choices.index(str(found))] if choices else found)
    assert len(set(choices)) == len(choices)


@pytest.mark.parametrize("kind", KINDS)
def test_sixty_questions_of_four_sorts_none_twice(kind: Kind) -> None:
    rows = ROWS[kind]
    assert len({(row["question"], *row.get("choices", ())) for row in rows}) == len(rows) == 60
    assert set(Counter(row["template"] for row in rows).values()) == {15}
    assert not [row for row in rows if re.search(r"  |\s$|None|[{}]", row["question"])]
    assert not re.search(r"\b[aA] [aeiou]", " ".join(row["question"] for row in rows).replace("a, e, i, o", ""))


def test_yes_is_as_frequent_as_no() -> None:
    assert Counter(row["answer"] for row in ROWS["yesno"]) == {"yes": 30, "no": 30}


@pytest.mark.parametrize("kind", KINDS)
def test_no_packaged_demonstration_nearly_equals_one(kind: Kind) -> None:
    found = NearDuplicates(row["question"] for row in ROWS[kind])
    assert not [demo.id for demo in load_demonstrations(SETS[kind]) if found.of(demo.question)]


@pytest.mark.parametrize("kind", KINDS)
def test_they_are_pools_whose_answers_can_be_read(kind: Kind) -> None:
    pool = packaged_pool(kind)
    assert (pool.kind, len(pool.items), pool.leaks) == (kind, 60, False)
    assert PACKAGED[kind] == (pool.source,)
    assert all(canonical(item.answer, item.question) for item in pool.items)
    assert len({item.question.id for item in pool.items}) == 60


def test_the_generator_writes_the_same_bytes(tmp_path: Path) -> None:
    if not GENERATOR.is_file():
        pytest.skip("the generator is part of the repository only")
    subprocess.run([sys.executable, str(GENERATOR), "--out", str(tmp_path)], check=True, capture_output=True)
    for kind in KINDS:
        name = f"{kind}.jsonl"
        assert (tmp_path / name).read_bytes() == (packaged("evals") / "pools" / name).read_bytes(), name
