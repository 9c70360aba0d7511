"""The picture of a pool's clusters: whole, and safe whatever the questions say."""

from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from promptkit.drawing.clusters import clusters_svg

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = "</title><script>alert(1)</script>&\"' \x00\x1b[31m \u2028"


def parsed(text: str) -> ElementTree.Element:
    return ElementTree.fromstring(text)


def dots(picture: ElementTree.Element) -> list[ElementTree.Element]:
    """The circles of questions, which have a title; those of the legend have none."""
    return [circle for circle in picture.iter(f"{SVG}circle") if circle.find(f"{SVG}title") is not None]


def test_every_question_is_a_dot_and_the_chosen_ones_are_marked() -> None:
    points = [(0.0, 0.0), (1.0, 2.0), (2.0, 1.0), (5.0, 5.0)]
    picture = parsed(clusters_svg(points, [(1, 0), (2,), (3,)], [1, None, 3], ["a?", "b?", "c?", "d?"], "pool: 4"))
    titles = [circle.findtext(f"{SVG}title") for circle in dots(picture)]
    assert sorted(map(str, titles)) == ["a?", "b?", "c?", "d?"]
    marked = [circle.findtext(f"{SVG}title") for circle in dots(picture) if circle.get("stroke")]
    assert marked == ["b?", "d?"]
    colors = {circle.findtext(f"{SVG}title"): circle.get("fill") for circle in dots(picture)}
    assert colors["a?"] == colors["b?"]
    assert len(set(colors.values())) == 3
    said = [text.text for text in picture.iter(f"{SVG}text")]
    assert {"pool: 4", "b?", "no demonstration", "d?", "2 questions", "1 question"} <= set(said)


def test_foreign_text_stays_text() -> None:
    picture = clusters_svg([(0.0, 0.0)], [(0,)], [0], [HOSTILE], HOSTILE)
    assert "<script" not in picture
    assert {element.tag for element in parsed(picture).iter()} == {
        f"{SVG}{tag}" for tag in ("svg", "rect", "text", "circle", "title")
    }


def test_it_loads_nothing_from_elsewhere() -> None:
    picture = clusters_svg([(0.0, 0.0)], [(0,)], [0], ["a?"])
    assert picture.count("http") == 1  # the name space
    assert "href" not in picture


@given(st.lists(st.tuples(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6), st.text()), max_size=12))
def test_every_dot_is_inside_whatever_the_points_and_texts(rows: list[tuple[float, float, str]]) -> None:
    points, titles = [(x, y) for x, y, _ in rows], [title for _, _, title in rows]
    picture = parsed(clusters_svg(points, [(place,) for place in range(len(rows))], list(range(len(rows))), titles))
    width, height = (float(str(picture.get(side))) for side in ("width", "height"))
    found = dots(picture)
    assert len(found) == len(rows)
    assert all(0 <= float(str(dot.get("cx"))) <= width and 0 <= float(str(dot.get("cy"))) <= height for dot in found)
