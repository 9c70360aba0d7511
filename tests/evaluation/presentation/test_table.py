"""What a person sees. The golden files in tests/golden/table were read by eye; UPDATE_GOLDEN=1 writes them anew."""

import io
import os
import re
from dataclasses import replace

import pytest
from rich.console import Console

from promptkit import Run
from promptkit.evaluation.presentation.table import marked, print_compared, print_runs
from promptkit.evaluation.runs import Sample
from promptkit.foreign_text import one_line, plain
from promptkit.types import Extraction, Price, Usage
from tests.isolation import ROOT
from tests.made_runs import run, voting_run

GOLDEN = ROOT / "tests/golden/table"
FIVE = [
    run("direct", "-" * 60 + "++++", tokens=4, seconds=4),
    run("zero-shot", "+" * 48 + "-" * 10 + "<" * 4 + "?" * 2, tokens=250, seconds=260),
    run("zero-shot-cot", "-" + "+" * 44 + "-" * 19, tokens=300, seconds=1300),
    run("manual-cot", "-" + "+" * 46 + "-" * 15 + "!!", tokens=120, prompt=640, seconds=130),
    run("self-consistency:n=40", "+" * 54 + "-" * 10, tokens=12000, seconds=23000),
]


NAMES = ["direct", "zero-shot", "zero-shot-cot"]


def from_store(sample: Sample) -> Sample:
    return sample.model_copy(update={"usage": sample.usage.model_copy(update={"cached_calls": 1})})


def large(name: str, pattern: str) -> Run:
    return run(name, (pattern * 300)[:1319], tokens=1234, seconds=12345)


SHOWN: dict[str, list[Run]] = {
    "five": FIVE,
    "one": [FIVE[1]],
    "large": [large("direct", "--+---"), large("zero-shot", "+++-++?"), large("a-name-of-24-characters-", "+++++<")],
    "too-few": [run("direct", "-----", tokens=4), run("zero-shot", "++++-", tokens=250)],
    "cached": [
        replace(FIVE[1], samples=tuple(from_store(sample) for sample in FIVE[1].samples)),
        replace(FIVE[3], strategy="auto-cot", preparation=Usage(calls=12, prompt_tokens=960, completion_tokens=1280)),
    ],
    "two-models": [
        replace(made, backend=backend)
        for backend, runs in {"org/model-of-7b": FIVE[:3], "org/model-of-1b": [FIVE[0], FIVE[2], FIVE[1]]}.items()
        for made in (replace(one, strategy=name) for one, name in zip(runs, NAMES, strict=True))
    ],
    "votes": [
        run("zero-shot", "+" * 24 + "-" * 16, tokens=250),
        voting_run(
            "self-consistency:n=5", ["+++++"] * 20 + ["+++ab"] * 9 + ["++aab", "aab?<"] * 4 + ["aaaa!"] * 3, tokens=260
        ),
    ],
    "seeds": [
        run(name, text[seed:] + text[:seed], tokens=tokens, seed=seed)
        for seed in (0, 1)
        for name, text, tokens in (("zero-shot", "+-" * 20, 250), ("zero-shot-cot", "+++-" * 10, 300))
    ],
    "models": [replace(FIVE[1], backend="org/model-of-7b"), replace(FIVE[2], backend="org/model-of-1b")],
}


def shown(runs: list[Run], width: int, terminal: bool = True) -> str:
    """What a terminal of that width shows, without its colours."""
    text = io.StringIO()
    console = Console(file=text, width=width, force_terminal=terminal, color_system=None, highlight=False)
    print_runs(runs, console)
    return "".join(line.rstrip() + "\n" for line in text.getvalue().splitlines())


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("name", SHOWN)
def test_as_in_the_golden_file(name: str, width: int) -> None:
    path, text = GOLDEN / f"{name}-{width}.txt", shown(SHOWN[name], width)
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")
    assert max(map(len, text.splitlines())) <= width


@pytest.mark.parametrize("width", [80, 100, 120, 200])
@pytest.mark.parametrize("name", SHOWN)
def test_every_number_is_whole(name: str, width: int) -> None:
    text = shown(SHOWN[name], width)
    rows = [line.split() for line in text.splitlines()]
    for made in SHOWN[name]:
        low, high = made.ci95
        wanted = [f"{made.accuracy * 100:.1f}", f"{low * 100:.0f}–{high * 100:.0f}"]
        assert any(row[1:3] == wanted or row[:2] == wanted for row in rows), made.strategy
    assert "…" not in text.split("right: % of all")[0]


def test_piped_it_is_plain_and_the_verdict_one_line() -> None:
    text = shown(FIVE, 120, terminal=False)
    title, said, *_ = text.splitlines()
    assert title == "multiarith-style, 64 questions, qwen2.5-coder-0.5b"
    assert said.startswith("Undecided between zero-shot and self-consistency:n=40")
    assert said.endswith(".")
    assert not re.search(r"\x1b|[╭│╰]", text)


def test_each_benchmark_and_backend_has_a_table() -> None:
    text = shown([FIVE[0], FIVE[1], replace(FIVE[0], benchmark="gsm8k"), replace(FIVE[1], benchmark="gsm8k")], 120)
    assert text.count("Use zero-shot") == 2
    assert "gsm8k, 64 questions" in text


@pytest.mark.parametrize(("price", "cost"), [(1e6, "256"), (40_000, "10"), (0.02, "0.0000051"), (0, "")])
def test_costs_are_written_as_people_write_them(price: float, cost: str) -> None:
    paid = replace(FIVE[0], price=Price(prompt=0, completion=price, source="test"))
    (row,) = [line for line in shown([paid], 120, terminal=False).splitlines() if line.startswith("direct ")]
    assert cost in row.split() if cost else "$" not in shown([paid], 120)


def test_two_models_are_compared_when_asked() -> None:
    text = io.StringIO()
    print_compared(SHOWN["models"], Console(file=text, width=120))
    assert "zero-shot" in text.getvalue().splitlines()[1]
    assert "nothing to compare" not in text.getvalue()


HOSTILE = {
    "ansi": ("\x1b[2J\x1b[31mred\x1b]0;owned\x07!", "red!"),
    "eight-bit ansi": ("\x9b31mred", "red"),
    "markup": ("[red]x[/red] [link=http://a]b[/link] [/]", "[red]x[/red] [link=http://a]b[/link] [/]"),
    "carriage return": ("right\rwrong", "rightwrong"),
    "bidi": ("a\u202eb\u2066c", "abc"),
    "null byte": ("a\0b", "ab"),
    "emoji code": (":warning:", ":warning:"),
    "separators": ("a\u2028b\u00a0c", "a b c"),
    "tag characters": ("a\U000e0041b", "ab"),
}


@pytest.mark.parametrize(("text", "safe"), HOSTILE.values(), ids=HOSTILE.keys())
def test_foreign_text_is_shown_as_text(text: str, safe: str) -> None:
    assert plain(text) == safe
    a, b = run("direct", "-+"), run("zero-shot", "++")
    evil = b.samples[0].model_copy(
        update={"text": text, "rationale": text, "question": text, "gold": text, "extraction": None}
    )
    a = replace(a, samples=(a.samples[0].model_copy(update={"question": text, "gold": text}), a.samples[1]))
    said = shown([a, replace(b, samples=(evil, b.samples[1]), strategy=f"zero{text}")], 200)
    assert said.count(safe) >= 4
    assert not any(char in said for char in "\x1b\x9b\r\0\u202e\u2066\u2028\U000e0041")


def test_of_very_long_texts_the_part_around_the_answer_is_shown() -> None:
    made = run("zero-shot", "+").samples[0]
    text = "x" * 100_000 + " 18 " + "y" * 100_000
    found = marked(
        made.model_copy(
            update={"text": text, "extraction": Extraction(value="18", span=(100_001, 100_003), rule="last")}
        )
    )
    assert "»18«" in found.plain
    assert len(found.plain) < 600
    all_of_it = made.model_copy(
        update={"text": text, "extraction": Extraction(value="x", span=(0, 200_004), rule="text")}
    )
    assert len(marked(all_of_it).plain) < 600


def test_a_name_with_line_ends_stays_on_its_line() -> None:
    assert one_line("a\nb\t c\x1b[31m") == "a b c"
