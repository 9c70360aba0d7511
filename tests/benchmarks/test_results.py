"""The tables and the picture of docs/results.md: what run folders hold, in order, and safe whatever a name says."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias
from xml.etree import ElementTree

import pytest

from benchmarks import results_picture, results_table
from promptkit import Completion, FakeBackend, Request, ZeroShot, evaluate
from promptkit.evaluation.runs import Run

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = "</title><script>alert(1)</script> | **bold** [x](javascript:alert(1)) `code`\n# \x1b[31m"
Asked: TypeAlias = Callable[..., list[Run]]


@pytest.fixture
def asked(tmp_path: Path) -> Asked:
    """Asks a fake model eight sums, 20 tokens each, of which it gets so many right; returns the run as read."""
    rows = [{"question": f"What is {n} plus {n}?", "answer": str(2 * n)} for n in range(8)]
    (tmp_path / "sums.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))

    def ask(model: str, strategy: str, right: int, benchmark: str = "sums.jsonl") -> list[Run]:
        def answer(request: Request) -> Completion:
            found = re.search(r"What is (\d) plus", request.text)
            assert found
            said = 2 * int(found[1]) if int(found[1]) < right else 99
            return Completion(text=str(said), prompt_tokens=7, completion_tokens=20)

        backend = FakeBackend(answer)
        backend.name = model
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        evaluate({strategy: ZeroShot()}, str(tmp_path / benchmark), backend, run_dir=folder)
        return results_table.load_runs([str(tmp_path / "sums.jsonl"), *map(str, folder.iterdir())])

    return ask


def cells(line: str) -> list[str]:
    """The cells of a line of a Markdown table, split where GitHub splits it."""
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def test_a_table_has_the_runs_in_order_with_intervals_and_p(asked: Asked) -> None:
    runs = asked("models/tiny", "self-consistency:n=5", 4) + asked("models/tiny", "zero-shot", 8)
    runs += asked("models/tiny", "direct", 0)
    title, _, head, _, *lines = results_table.table(runs).splitlines()
    assert title == "**sums, 8 questions, tiny**"
    assert cells(head)[3] == "against zero-shot"
    # 8 of 8 against 0 of 8: exact McNemar 2/2^8, times 3 pairs. 4 broken of 4: 2/2^4 = 0.125, times 2.
    assert [cells(line)[:7] for line in lines] == [
        ["direct", "0.0 %", "0–32", "-100.0", "p = 0.023", "20", "7"],
        ["zero-shot", "100.0 %", "68–100", "", "", "20", "7"],
        ["self-consistency:n=5", "50.0 %", "22–78", "-50.0", "p = 0.25", "20", "7"],
    ]


def test_a_single_run_is_a_table_too(asked: Asked) -> None:
    *_, line = results_table.table(asked("tiny", "direct", 1)).splitlines()
    assert cells(line)[:5] == ["direct", "12.5 %", "2–47", "", ""]


def test_a_picture_has_a_panel_a_model_with_dots_where_the_accuracies_are(asked: Asked) -> None:
    models = {
        "tiny": asked("tiny", "zero-shot", 8) + asked("tiny", "direct", 0),
        "qwen2.5-coder-0.5b": asked("qwen2.5-coder-0.5b", "few-shot", 8) + asked("qwen2.5-coder-0.5b", "zero-shot", 4),
    }
    drawn = results_picture.panels(models, "sums")
    picture = ElementTree.fromstring(drawn.file())
    texts = ["".join(found.itertext()) for found in picture.iter(f"{SVG}text")]
    assert texts[:3] == ["direct", "zero-shot", "few-shot"]
    assert texts.index("tiny") < texts.index("Qwen2.5-Coder 0.5B")
    dots = [(one.get("class"), "".join(one.itertext())) for one in picture.iter(f"{SVG}circle")]
    # Four questions fixed of four are no proof (p = 0.125); eight broken are.
    assert dots == [
        ("dot", "zero-shot: 8 of 8"),
        ("broken", "direct: 0 of 8"),
        ("dot", "few-shot: 8 of 8"),
        ("dot", "zero-shot: 4 of 8"),
    ]
    across = [float(one.get("cx", "")) for one in picture.iter(f"{SVG}circle")]
    assert across[0] - across[1] == across[2] - across[1] - (across[2] - across[0]) == 2 * (across[2] - across[3])
    assert "tiny: direct 0 %, zero-shot 100 %; qwen2.5-coder-0.5b: zero-shot 50 %, few-shot 100 %" in drawn.title
    lines = [one.get("d", "") for one in picture.iter(f"{SVG}path") if one.get("class") == "line"]
    low, high = map(float, re.findall(r"[MH]([\d.]+)", lines[3]))
    assert across[3] - low == pytest.approx(high - across[3])  # 4 of 8: 22 to 78
    assert (high - low) / (across[0] - across[1]) == pytest.approx(0.569, abs=0.002)


def test_hostile_names_are_shown_and_nothing_else(asked: Asked, tmp_path: Path) -> None:
    (tmp_path / "sums|<b>.jsonl").write_text((tmp_path / "sums.jsonl").read_text())
    runs = asked(HOSTILE, HOSTILE, 2, "sums|<b>.jsonl") + asked(HOSTILE, "zero-shot", 4, "sums|<b>.jsonl")
    lines = results_table.table(runs).splitlines()
    assert len(lines) == 6
    assert [len(cells(line)) for line in lines[2:]] == [8] * 4
    for active in ("<", "|", "*", "[", "`", "\x1b"):
        assert not re.search(rf"(?<!\\){re.escape(active)}", lines[0].strip("*") + cells(lines[5])[0]), active

    drawn = results_picture.panels({HOSTILE: runs}, HOSTILE).file()
    picture = ElementTree.fromstring(drawn)
    assert {found.tag.removeprefix(SVG) for found in picture.iter()} <= {
        *("svg", "title", "style", "rect", "text", "path", "circle")
    }
    assert "alert(1)" in drawn


@pytest.mark.parametrize("script", [results_table, results_picture])
def test_from_folders(
    script: object, asked: Asked, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked("tiny", "direct", 0)
    asked("other", "direct", 8)
    folders = sorted(str(folder) for folder in tmp_path.glob("*/*"))
    target = tmp_path / "drawn.svg"
    given = [str(target), "sums"] if script is results_picture else []
    monkeypatch.setattr("sys.argv", ["script", *given, *folders])
    script.main()  # type: ignore[attr-defined]
    if given:
        assert [text.text for text in ElementTree.parse(target).iter(f"{SVG}text")].count("8 questions") == 2
    else:
        assert re.findall(r"^\*\*.*", capsys.readouterr().out, re.M) == [
            "**sums, 8 questions, tiny**",
            "**sums, 8 questions, other**",
        ]
