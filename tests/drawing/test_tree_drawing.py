"""Pictures of trees: what they show, that hostile text stays text, and that files are whole."""

import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from io import StringIO
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from promptkit.drawing import html, save, shape, svg, terminal
from promptkit.errors import ConfigError

SVG = "{http://www.w3.org/2000/svg}"


def node(number: int, parent: int | None, thought: str, value: float | None, status: str) -> dict[str, Any]:
    return {"id": number, "parent": parent, "thought": thought, "value": value, "status": status, "order": None}


TREE: dict[str, Any] = {
    "problem": "game24",
    "answer": 3,
    "nodes": [
        node(0, None, "", None, "kept"),
        node(1, 0, "4 + 8 = 12 (left: 4 6 12)", 60.0, "kept"),
        node(2, 0, "8 / 4 = 2 (left: 4 6 2)", 0.003, "pruned"),
        node(3, 1, "Answer: (4 + 8) * (6 - 4) = 24", 60.0, "solved"),
        node(4, 0, "junk", None, "rejected"),
    ],
}


def printed(tree: dict[str, Any], **options: Any) -> str:
    console = Console(width=100, file=StringIO(), emoji=False)
    console.print(terminal(tree, **options))
    return console.file.getvalue()  # type: ignore[attr-defined]


def groups(picture: str) -> dict[str, str]:
    """Class of every box by its whole text."""
    found = ET.fromstring(picture).iter(f"{SVG}g")
    return {group.findtext(f"{SVG}title", "").rpartition(" [")[0]: group.get("class", "") for group in found}


def test_the_terminal_shows_values_and_the_way() -> None:
    text = printed(TREE)
    assert text.splitlines()[0].strip() == "game24"
    assert "60  4 + 8 = 12 (left: 4 6 12)" in text
    assert "0.003  8 / 4 = 2" in text
    assert "junk  rejected" in text
    assert text.index("Answer:") < text.index("8 / 4")


def test_large_trees_only_count_what_leads_nowhere() -> None:
    text = printed(TREE, everything=False)
    assert "8 / 4" not in text
    assert "… 1 pruned, 1 rejected" in text


def test_the_picture_greys_what_is_given_up_and_marks_the_way() -> None:
    assert groups(svg(TREE)) == {
        "game24": "way",
        "4 + 8 = 12 (left: 4 6 12)": "way",
        "8 / 4 = 2 (left: 4 6 2)": "grey pruned",
        "Answer: (4 + 8) * (6 - 4) = 24": "way",
        "junk": "grey rejected",
    }
    picture = ET.fromstring(svg(TREE))
    assert {text.text for text in picture.iter(f"{SVG}text") if text.get("class") == "value"} >= {"60", "0.003"}
    ways = [path for path in picture.iter(f"{SVG}path") if path.get("class") == "way"]
    assert len(ways) == 2 and len(list(picture.iter(f"{SVG}path"))) == 4


def boxes(picture: str) -> list[tuple[float, float]]:
    return [
        (float(rect.get("x", "0")), float(rect.get("y", "0")))
        for rect in ET.fromstring(picture).iter(f"{SVG}rect")
        if rect.get("x")
    ]


trees = st.lists(
    st.tuples(st.integers(0, 40), st.text(max_size=60), st.sampled_from(["kept", "pruned", "open"])), max_size=40
)


@given(trees, st.integers(0, 40))
def test_every_tree_is_drawn_whole_without_boxes_on_each_other(grown, answer: int) -> None:
    nodes = [node(0, None, "", None, "kept")]
    nodes += [
        node(place, min(parent, place - 1), text, 1.0, status) for place, (parent, text, status) in enumerate(grown, 1)
    ]
    tree = {"problem": "p", "answer": min(answer, len(nodes) - 1), "nodes": nodes}
    picture = svg(tree)
    places = boxes(picture)
    assert len(places) == len(set(places)) == len(nodes)
    columns: dict[float, list[float]] = {}
    for x, y in places:
        columns.setdefault(x, []).append(y)
    for column in columns.values():
        column.sort()
        assert all(below - above >= 26 for above, below in pairwise(column))
    whole = ET.fromstring(picture)
    assert all(
        x + 250 <= float(whole.get("width", "0")) and y + 26 <= float(whole.get("height", "0")) for x, y in places
    )
    assert printed(tree)


HOSTILE = "<script>alert(1)</script>]]>&amp;\"'\x00\x1b[31mred\ud800\u202etxt\n<svg onload=x>"


class Tags(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [name for name, _ in attrs]


@pytest.mark.parametrize("place", ["thought", "status"])
def test_hostile_text_stays_text(place: str) -> None:
    tree = TREE | {
        "problem": HOSTILE,
        "nodes": [entry | ({place: HOSTILE} if entry["id"] else {}) for entry in TREE["nodes"]],
    }
    for draw in (svg, html):
        text = draw(tree)
        found = Tags(text)
        assert "script" not in found.tags
        assert not [name for name in found.attributes if name.startswith("on")]
        assert not set(text) & {"\x00", "\x1b", "\u202e", "\ud800"}
        text.encode()
    assert "\x1b[31m" not in printed(tree)


def test_files_need_nothing_else(tmp_path: Path) -> None:
    for name in ("tree.svg", "tree.HTML"):
        save(TREE, tmp_path / name)
        text = (tmp_path / name).read_text(encoding="utf-8")
        outside = text.replace("http://www.w3.org/2000/svg", "")
        assert "http" not in outside and "url(" not in outside and "@import" not in outside


def test_the_page_says_what_became_of_the_nodes() -> None:
    assert "5 nodes: 2 kept, 1 pruned, 1 rejected, 1 solved" in html(TREE)


@pytest.mark.parametrize("name", ["tree.png", "tree", "missing/tree.svg"])
def test_what_cannot_be_written_is_said(name: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"picture"):
        save(TREE, tmp_path / name)


@pytest.mark.parametrize("tree", [{}, {"nodes": []}, {"nodes": [{}], "answer": 0}, TREE | {"answer": 99}])
def test_what_is_no_tree_is_said(tree: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="no recorded tree"):
        shape(tree)
