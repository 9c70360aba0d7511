"""The charts of a report: whole, true to their numbers, and safe whatever the labels say."""

import math
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptkit.drawing.chart import COLORS, STYLE, Chart, Scale, shares, spanning
from promptkit.drawing.curves import Curve, curves
from promptkit.drawing.forest import Estimate, forest
from promptkit.drawing.pairs import pairs
from promptkit.drawing.scatter import Point, scatter

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = "</title><script>alert(1)</script>&\"' \x00\x1b[31m \u2028 ]]>"


def parsed(chart: Chart) -> ElementTree.Element:
    assert ElementTree.fromstring(chart.inline()) is not None
    return ElementTree.fromstring(chart.file())


def circles(picture: ElementTree.Element) -> list[tuple[float, float, str]]:
    """Place and class of every dot."""
    found = picture.iter(f"{SVG}circle")
    return [(float(one.get("cx", "")), float(one.get("cy", "")), one.get("class", "")) for one in found]


def texts(picture: ElementTree.Element) -> list[str]:
    return [text.text or "" for text in picture.iter(f"{SVG}text")]


def estimate(label: str, share: float, best: bool = False) -> Estimate:
    return Estimate(label, share, max(0.0, share - 0.1), min(1.0, share + 0.1), f"{share:.0%}", best)


def test_a_forest_has_a_row_each_and_marks_the_best() -> None:
    picture = parsed(forest([estimate("direct", 0.1), estimate("zero-shot", 0.75, best=True), estimate("cot", 0.7)]))
    (x1, y1, k1), (x2, y2, k2), (x3, y3, k3) = circles(picture)
    assert x1 < x3 < x2
    assert y1 < y2 < y3
    assert (k1, k2, k3) == ("dot", "best", "dot")
    assert {"direct", "zero-shot", "cot", "10.0 %", "75.0 %", "70.0 %"} <= set(texts(picture))


def test_a_scatter_draws_the_steps_of_the_frontier_and_fills_its_points() -> None:
    points = [
        Point("a", 10, 0.3, 0.2, 0.4, True),
        Point("b", 20, 0.2, 0.1, 0.3, False),
        Point("c", 40, 0.6, 0.5, 0.7, True),
    ]
    picture = parsed(scatter(points, "tokens"))
    (xa, ya, ka), (xb, yb, kb), (xc, yc, kc) = circles(picture)
    assert xa < xb < xc
    assert yc < ya < yb
    assert (ka, kb, kc) == ("best", "hollow", "best")
    (way,) = [path.get("d", "") for path in picture.iter(f"{SVG}path") if path.get("class") == "way"]
    assert way == f"M{xa:.1f},{ya:.1f}H{xc:.1f}V{yc:.1f}H496"
    assert {"a", "b", "c"} <= set(texts(picture))


def test_labels_of_a_scatter_do_not_cover_each_other() -> None:
    points = [Point(f"strategy-{place}", 100 + place, 0.70 + place / 200, 0.6, 0.8, False) for place in range(6)]
    picture = parsed(scatter(points, "tokens"))
    found = [one for one in picture.iter(f"{SVG}text") if (one.text or "").startswith("strategy-")]
    corners = [(float(one.get("x", "")), float(one.get("y", ""))) for one in found]
    assert len(corners) == 6
    for place, (x, y) in enumerate(corners):
        for left, top in corners[:place]:
            assert abs(x - left) >= 60 or abs(y - top) >= 11


def test_curves_have_a_point_a_sample_and_a_band() -> None:
    vote = Curve("vote", ((0.5, 0.4, 0.6), (0.6, 0.5, 0.7), (0.7, 0.6, 0.8)))
    picture = parsed(curves([vote, Curve("any right", ((0.5, 0, 1), (0.8, 0, 1), (0.9, 0, 1)), thin=True)], "samples"))
    heights = [y for _, y, _ in circles(picture)]
    assert heights == sorted(heights, reverse=True)
    assert len(heights) == 3
    kinds = [path.get("class") for path in picture.iter(f"{SVG}path")]
    assert (kinds.count("band"), kinds.count("way"), kinds.count("thin")) == (1, 1, 1)
    assert {"1", "2", "3", "vote 70.0 %", "any right 90.0 %"} <= set(texts(picture))


def test_one_sample_is_a_curve_too() -> None:
    parsed(curves([Curve("vote", ((0.5, 0.4, 0.6),))], "samples"))


@pytest.mark.parametrize("n", [1, 10, 64, 1000, 5000])
def test_pairs_are_a_square_each_inside_the_picture(n: int) -> None:
    kinds = ("fixed", "broken", "both", "neither")
    chart = pairs([kinds[place % 4] for place in range(n)], "a against b")
    cells = [one for one in parsed(chart).iter(f"{SVG}rect") if one.get("class")]
    assert [cell.get("class") for cell in cells] == [kinds[place % 4] for place in range(n)]
    for cell in cells:
        x, y, wide, high = (float(cell.get(name, "")) for name in ("x", "y", "width", "height"))
        assert wide > 0
        assert x + wide <= chart.width
        assert y + high <= chart.height
    assert len({(cell.get("x"), cell.get("y")) for cell in cells}) == n


@given(st.floats(0, 1e6), st.floats(1e-6, 1e6))
def test_ticks_are_round_and_inside(low: float, width: float) -> None:
    scale = Scale(low, low + width, 0, 100)
    ticks = scale.ticks()
    assert len(ticks) <= 12
    assert all(low - width * 0.01 <= tick <= low + width * 1.01 for tick in ticks)
    steps = {round((b - a) / width, 3) for a, b in pairwise(ticks)}
    assert len(steps) <= 2  # one, but for rounding


@given(st.lists(st.floats(0, 1e7), min_size=1, max_size=8))
def test_a_scale_holds_its_values(values: list[float]) -> None:
    scale = spanning(values, 10, 110)
    assert all(10 - 1e-6 <= scale(value) <= 110 + 1e-6 for value in values)
    assert all(math.isfinite(tick) for tick in scale.ticks())


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_a_scale_of_shares_holds_them(values: list[float]) -> None:
    scale = shares(values, values, 0, 100)
    assert all(-1e-6 <= scale(value) <= 100 + 1e-6 for value in values)


def test_whole_numbers_have_whole_ticks() -> None:
    assert Scale(1, 2, 0, 100, whole=True).ticks() == [1, 2]


def test_foreign_text_stays_text() -> None:
    for chart in (
        forest([estimate(HOSTILE, 0.5)], HOSTILE),
        scatter([Point(HOSTILE, 1, 0.5, 0.4, 0.6, True)], HOSTILE),
        curves([Curve(HOSTILE, ((0.5, 0.4, 0.6),))], HOSTILE),
        pairs(["fixed"], HOSTILE),
    ):
        assert "<script" not in chart.inline() + chart.file()
        kinds = {element.tag.removeprefix(SVG) for element in parsed(chart).iter()}
        assert kinds <= {"svg", "title", "style", "rect", "path", "circle", "text", "g"}


def test_a_file_has_its_colours_and_a_page_sets_them() -> None:
    chart = forest([estimate("a", 0.5)])
    assert "var(" not in chart.file()
    assert COLORS["ink"] in chart.file()
    assert "<style" not in chart.inline()
    assert all(f"var(--{name})" in STYLE for name in COLORS)
