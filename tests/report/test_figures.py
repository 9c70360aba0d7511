"""Figures as files."""

import struct
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from promptkit import FakeBackend, evaluate
from promptkit.errors import ConfigError
from promptkit.report.chapters import chapters, models
from promptkit.report.figures import save_figures, vote_chart
from tests.made_runs import run

TWO = [run("direct", "+--+"), run("zero-shot", "+++-")]


def test_each_figure_is_written_as_svg_and_png(tmp_path: Path) -> None:
    pytest.importorskip("resvg_py", reason="PNG figures need the extra `figures`")
    files = save_figures(chapters(TWO), models(TWO), tmp_path / "figures")
    assert {file.name for file in files} == {
        f"{name}{ending}"
        for name in ("accuracy", "frontier-tokens", "frontier-seconds", "pairs-direct")
        for ending in (".svg", ".png")
    }
    for file in files:
        if file.suffix == ".svg":
            ElementTree.fromstring(file.read_text(encoding="utf-8"))
        else:
            content = file.read_bytes()
            assert content.startswith(b"\x89PNG")
            wide, high = struct.unpack(">II", content[16:24])
            assert wide >= 500
            assert high >= 30


def test_names_of_hostile_runs_stay_in_the_folder(tmp_path: Path) -> None:
    pytest.importorskip("resvg_py", reason="PNG figures need the extra `figures`")
    runs = [
        run("../../etc/x", "+-", backend="a/../b"),
        run("zero-shot", "++", backend="a/../b"),
        run("x", "+-", backend="c"),
    ]
    files = save_figures(chapters(runs), models(runs), tmp_path / "figures")
    assert all(file.parent == tmp_path / "figures" for file in files)
    assert len(set(files)) == len(files)


def test_without_resvg_the_error_names_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "resvg_py", None)
    with pytest.raises(ConfigError, match="PNG figures need resvg") as caught:
        save_figures(chapters(TWO), [], tmp_path)
    assert "promptkit[figures]" in str(caught.value.hint)


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    pytest.importorskip("resvg_py", reason="PNG figures need the extra `figures`")
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="cannot write the figures"):
        save_figures(chapters(TWO), [], tmp_path / "file")


def test_only_runs_with_several_samples_have_a_curve_of_votes() -> None:
    assert vote_chart(TWO, ["direct", "zero-shot"]) is None
    fake = FakeBackend(["The answer is 3.", "The answer is 4.", "The answer is 3."])
    runs = evaluate(["direct", "self-consistency:n=3"], "multiarith-style", fake, limit=4)
    chart = vote_chart(runs, ["direct", "vote"])
    assert chart is not None
    assert "vote" in chart.title
