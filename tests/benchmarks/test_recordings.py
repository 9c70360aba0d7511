"""Logs and labelled solutions as they were published, of every task, with outputs made up here."""

import json
import runpy
import sys
from pathlib import Path

import pytest

from benchmarks.recordings import TASKS, choices, parse, solutions
from promptkit.errors import ConfigError
from tests import recordings
from tests.isolation import ROOT

LINE = "*" * 25 + "\n"
AQUA = "Which is odd? Answer Choices: (A) 2 (x + 1) (B) 4 (C) 7 (D) 8 (E) none of (A) "
OBJECTS = "They swap. Who? \nWhich choice is true ? Answer Choices: (A) a ball. (B) a hat. (C) a cup."
DATE = "When? Answer Choices: (A) 01/02/2020 (B) 02/01/2020 (C) 03/01/2020 (D) 04/01/2020 (E) 05/01/2020"
BLOCKS = {
    "multiarith": [("How many?", " 1,200.", "1200", "1200")],
    "gsm8k": [("How many?", "\n\n18.00 dollars", "18.00", "18"), ("How many?", " 1,200", "1200", "1,200")],
    "addsub": [("How many?", " none", "", "0")],
    "singleeq": [("How many?", " 10-3", "10", "7")],
    "svamp": [("How many?", " -4", "-4", "-4")],
    "aqua": [(AQUA, " Answer (C) 7", "A", "C"), (AQUA, " (C)", "C", "C")],
    "commonsensqa": [(AQUA, "\n\nB. 4", "B", "B")],
    "bigbench_date": [(DATE, " February: (B)", "F", "B"), (DATE, " E", "E", "E")],
    "object_tracking": [(OBJECTS, " (D) or (B)", "B", "B")],
    "strategyqa": [("Is it?", "\n\nNo.", "no", "no"), ("Is it?", " It depends.", "", "yes")],
    "coin_flip": [("Is it?", ' "Yes"', "yes", "yes")],
    "last_letters": [("Take them.", '\n\n"y a j o".', "yajo", "yajo")],
}
"""By task: question, what the model said after the trigger, the authors' prediction, the right answer."""
TRIGGERS = {
    **dict.fromkeys(("multiarith", "gsm8k", "addsub", "singleeq", "svamp"), "the answer (arabic numerals) is"),
    **dict.fromkeys(("aqua", "commonsensqa"), "among A through E, the answer is"),
    "bigbench_date": "among A through F, the answer is",
    "object_tracking": "among A through C, the answer is",
    **dict.fromkeys(("strategyqa", "coin_flip"), "the answer (Yes or No) is"),
    "last_letters": "the answer is",
}


def log(task: str, cot: bool) -> str:
    """A log in the published form."""
    parts = [f"*****\nNamespace(dataset='{task}', method='zero_shot{'_cot' * cot}')\n*****\n"]
    right = 0
    for place, (question, said, read, gold) in enumerate(BLOCKS[task], 1):
        trigger = TRIGGERS[task]
        head = f" Let's think step by step. First this.\nTherefore, {trigger}" if cot else f" T{trigger[1:]}"
        parts.append(
            f"{LINE}{place}st data\n1_th_sampling\nQ: {question}\nA:{head}{said}\npred_before : {said}\n"
            f"pred_after : {read}\npred_list : ['{read}']\npred_mode : {read}\nGT : {gold}\n{LINE}"
        )
        right += read == gold
    return "".join([*parts, f"accuracy : {100 * right / len(BLOCKS[task])}\n"])


def test_there_is_a_log_of_every_task_here() -> None:
    assert len(TASKS) == 12
    assert BLOCKS.keys() == TRIGGERS.keys() == TASKS.keys()


@pytest.mark.parametrize("cot", [False, True])
@pytest.mark.parametrize("task", BLOCKS)
def test_the_published_predictions_and_accuracy_come_out(task: str, cot: bool) -> None:
    recording = parse(log(task, cot))
    assert [block.rationale for block in recording.blocks] == [" First this." if cot else ""] * len(BLOCKS[task])
    assert [block.pred_before for block in recording.blocks] == [said for _, said, _, _ in BLOCKS[task]]
    assert [recording.published(block) for block in recording.blocks] == [read for _, _, read, _ in BLOCKS[task]]
    published = [recording.published(block) == block.gold for block in recording.blocks]
    assert published == [block.correct for block in recording.blocks]
    assert 100 * sum(published) / len(published) == pytest.approx(recording.accuracy)


@pytest.mark.parametrize(
    ("task", "verdicts"),
    [
        ("gsm8k", [True, True]),  # by value, and with commas in the right answer
        ("addsub", [False]),
        ("aqua", [True, True]),  # the A of "Answer" is no choice
        ("bigbench_date", [True, True]),  # nor is the F of a month
        ("strategyqa", [True, False]),
        ("coin_flip", [True]),
    ],
)
def test_own_verdicts_are_without_the_faults(task: str, verdicts: list[bool]) -> None:
    recording = parse(log(task, cot=True))
    assert [recording.right(block) for block in recording.blocks] == verdicts


@pytest.mark.parametrize("name", recordings.NAMES)
def test_real_logs_say_their_task(name: str) -> None:
    recording = recordings.load(name)
    assert recording.task == name.partition("_")[0]
    assert all(recording.published(block) == block.pred_after for block in recording.blocks)


def test_choices_are_taken_out_of_the_question() -> None:
    assert choices(AQUA, 5) == ("2 (x + 1)", "4", "7", "8", "none of (A)")
    assert choices(OBJECTS, 3) == ("a ball.", "a hat.", "a cup.")
    assert len(choices(DATE, 6)) == 5
    assert choices("How many?", 5) == ()


@pytest.mark.parametrize("text", ["", "accuracy : 3.0\n", "dataset='mnist'\naccuracy : 3.0\n", "dataset='aqua'\n"])
def test_what_is_no_log_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="no log of zero-shot prompts"):
        parse(text)


def solution(said: str, label: bool, gold: str = "It is 18.\n#### 18") -> str:
    return json.dumps({"question": "?", "ground_truth": gold, "6b_finetuning": {"solution": said, "is_correct": label}})


@pytest.mark.parametrize(
    ("said", "published", "ours"),
    [
        ("He has 3*6=<<3*6=18>>18.\n#### 18", True, True),
        ("#### 17", False, False),
        ("#### 18.00", False, True),
        ("#### $18", False, True),
        ("The sum is 18, and so on", False, False),
        ("", False, False),
    ],
)
def test_labels_of_solutions(said: str, published: bool, ours: bool) -> None:
    (one,) = solutions([solution(said, published), ""])
    assert (one.model, one.correct) == ("6b_finetuning", published)
    assert (one.published(), one.right()) == (published, ours)


def test_right_answers_with_commas_are_read() -> None:
    (one,) = solutions([solution("#### 1200", True, "#### 1,200")])
    assert one.published() and one.right()


@pytest.mark.parametrize("line", ["{", "[1]", '{"question": "?"}', '{"ground_truth": "1", "m": {"solution": 2}}'])
def test_what_is_no_labelled_solution_is_refused(line: str) -> None:
    with pytest.raises(ConfigError, match="line 1 holds no labelled solutions"):
        list(solutions([line]))


def test_the_script_prints_a_line_a_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    script = ROOT / "benchmarks" / "published_tables.py"
    if not script.is_file():
        pytest.skip("the script is part of the repository only")
    (tmp_path / "aqua.log").write_text(log("aqua", cot=False))
    (tmp_path / "solutions.jsonl").write_text(solution("#### 18.0", False) + "\n")
    files = [str(tmp_path / name) for name in ("aqua.log", "solutions.jsonl")]
    monkeypatch.setattr(sys, "argv", [str(script), "--show", *files])
    runpy.run_path(str(script), run_name="__main__")
    out = capsys.readouterr().out.splitlines()
    assert out[0] == (
        "aqua.log: 2 questions, published 50.00 %, by its reading 50.00 % (2 predictions the same), "
        "by ours 100.00 % (1 verdicts differ)"
    )
    assert out[1] == "  0: ' Answer (C) 7': 'A', ours 'C', gold 'C'"
    assert out[2] == "solutions.jsonl: 1 solutions, 1 labels by the published rule, 0 by ours (by value)"
