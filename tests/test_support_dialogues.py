"""The packaged support dialogues: reproducible, and what is said to be right is in them."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from promptkit.evaluation.judging import load_items, load_rubric
from promptkit.evaluation.judging.checks import sentences
from promptkit.evaluation.judging.items import check_labels
from promptkit.paths import packaged
from tests.isolation import ROOT

FILES = {"test": "support-dialogues.jsonl", "train": "support-dialogues-train.jsonl"}
ROWS: dict[str, list[dict[str, Any]]] = {
    part: [json.loads(line) for line in (packaged("evals") / name).read_text(encoding="utf-8").splitlines()]
    for part, name in FILES.items()
}
EVERY = [pytest.param(row, id=row["id"]) for rows in ROWS.values() for row in rows]


def test_counts_and_ids() -> None:
    assert {part: len(rows) for part, rows in ROWS.items()} == {"test": 50, "train": 40}
    ids = [row["id"] for rows in ROWS.values() for row in rows]
    assert len(set(ids)) == 90
    kinds = {part: {row["id"].rpartition("-")[0] for row in rows} for part, rows in ROWS.items()}
    assert len(kinds["test"]) == 25 and len(kinds["train"]) == 10 and not kinds["test"] & kinds["train"]
    assert len({row["dialogue"] for rows in ROWS.values() for row in rows}) == 90


@pytest.mark.parametrize("row", EVERY)
def test_the_facts_are_in_the_dialogue(row: dict[str, Any]) -> None:
    """Numbers and names of the question were said by the customer, those of the answer by somebody."""
    turns = [line.partition(": ") for line in row["dialogue"].splitlines()]
    assert [who == "Agent" for who, _, _ in turns] == [True, False, True, False, True, False, True]
    customer = " ".join(said for who, _, said in turns if who != "Agent")
    facts = row["references"]
    assert facts["question"].endswith("?") and facts["response"].endswith(".")
    assert hard(facts["question"].partition(" ")[2]) <= hard(customer)  # the first word is always capitalised
    assert hard(facts["response"].partition(" ")[2]) <= hard(row["dialogue"])


@pytest.mark.parametrize("row", EVERY)
def test_the_summary_is_what_the_rubric_asks_for(row: dict[str, Any]) -> None:
    first, second = sentences(row["summary"])
    assert row["references"]["question"].removesuffix("?") in first
    assert row["references"]["response"] in second
    assert "{" not in row["dialogue"] + row["summary"]


def test_each_sort_ends_in_two_ways() -> None:
    for rows in ROWS.values():
        ends: dict[str, set[str]] = {}
        for row in rows:
            ends.setdefault(row["id"].rpartition("-")[0], set()).add(row["references"]["response"].split()[0])
        assert ends
    scenarios = yaml.safe_load((ROOT / "benchmarks" / "support_dialogues.yaml").read_text(encoding="utf-8"))
    assert all(len(one["ends"]) == 2 for part in scenarios.values() for one in part)


def test_the_generator_writes_the_same_bytes(tmp_path: Path) -> None:
    generator = ROOT / "benchmarks" / "make_support_dialogues.py"
    subprocess.run([sys.executable, generator, tmp_path], check=True, capture_output=True)
    for name in FILES.values():
        assert (tmp_path / name).read_bytes() == (packaged("evals") / name).read_bytes()


def hard(text: str) -> set[str]:
    """Numbers and capitalised words, which a wrong summary would get wrong."""
    return set(re.findall(r"\d+(?:-\d+)?|\b[A-Z][a-z]+\b", text))


@pytest.mark.parametrize(("writer", "two_sentences", "right"), [("base", 6, (0, 3)), ("adapter", 42, (12, 6))])
def test_the_kept_summaries_are_those_of_the_page(writer: str, two_sentences: int, right: tuple[int, int]) -> None:
    items = load_items(ROOT / "examples" / "support_summaries" / "outputs" / f"{writer}.jsonl")
    by_id = {row["id"]: row for row in ROWS["test"]}
    assert [item.id for item in items] == list(by_id)
    assert all(item.source == by_id[item.id]["dialogue"] for item in items)
    assert sum(len(sentences(item.output)) == 2 for item in items) == two_sentences
    labelled = [sum(item.labels[name] == "yes" for item in items) for name in ("question", "response")]
    assert tuple(labelled) == right
    check_labels(items, load_rubric("support-summary"))
