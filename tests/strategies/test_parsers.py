"""How a step's text becomes a value: lists, sets, pairs, JSON, numbers and texts, as models write them."""

import json
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, RootModel

from promptkit.errors import ConfigError
from promptkit.strategies import register_parser
from promptkit.strategies.parsers import parser_for

words = st.text(st.characters(codec="ascii", categories=["Lu", "Ll"]), min_size=2, max_size=8).filter(
    lambda word: word.lower() not in {"and", "none", "nothing"}
)
names = st.lists(words, min_size=1, max_size=3).map(" ".join)
lists = st.lists(names, min_size=2, max_size=6)


def parsed(name: str, text: str) -> Any:
    return parser_for(name).parse(text)


def refusal(name: str, text: str) -> str:
    with pytest.raises(ValueError) as caught:
        parsed(name, text)
    return str(caught.value)


# -- lists and sets -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ("- Ann\n- Bob", ["Ann", "Bob"]),
        ("* Ann\n• Bob", ["Ann", "Bob"]),
        ("1. Ann\n2) Bob\n(3) Cy", ["Ann", "Bob", "Cy"]),
        ("Here they are:\n\n1. **Ann**\n2. `Bob`\n\nI hope this helps!", ["Ann", "Bob"]),
        ("Ann\nBob\n", ["Ann", "Bob"]),
        ("The names are:\nAnn\nBob", ["Ann", "Bob"]),
        ("Ann, Bob, and Cy.", ["Ann", "Bob", "Cy"]),
        ("Ann, Bob and Cy", ["Ann", "Bob", "Cy"]),
        ("Ann and Bob", ["Ann", "Bob"]),
        ("Answer: Ann; Bob, the baker", ["Ann", "Bob, the baker"]),
        ("a,b,c", ["a", "b", "c"]),
        ("1,000 men, 20 ships", ["1,000 men", "20 ships"]),
        ("Ann", ["Ann"]),
        ('["Ann", "Bob, Jr.", 3]', ["Ann", "Bob, Jr.", "3"]),
        ('Sure!\n```json\n["Ann", "Bob"]\n```', ["Ann", "Bob"]),
        ('{"names": ["Ann"]}', ["Ann"]),
        ("['Ann', 'Bob']", ["Ann", "Bob"]),
        ("```\nAnn\nBob\n```", ["Ann", "Bob"]),
        ("- Bolt Inc.\n- “Sandy” Cole", ["Bolt Inc.", "“Sandy” Cole"]),
        ("Ann\n---\nBob", ["Ann", "Bob"]),
        ("None.", []),
        ("[]", []),
    ],
)
def test_lists(text: str, items: list[str]) -> None:
    assert parsed("list", text) == items


@given(items=lists, form=st.sampled_from(["- {}", "* {}", "{}", "**{}**", "{},"]))
def test_a_list_comes_back_from_lines(items: list[str], form: str) -> None:
    assert parsed("list", "\n".join(form.format(item) for item in items)) == items


@given(items=lists, last=st.sampled_from([", ", " and ", ", and "]))
def test_a_list_comes_back_from_one_line(items: list[str], last: str) -> None:
    assert parsed("list", ", ".join(items[:-1]) + last + items[-1]) == items


@given(items=lists)
def test_a_list_comes_back_from_numbers_and_from_json(items: list[str]) -> None:
    assert parsed("list", "\n".join(f"{place}. {item}" for place, item in enumerate(items, 1))) == items
    assert parsed("list", json.dumps(items)) == items


@pytest.mark.parametrize("text", ["", " \n", "Here they are:", "```\n```", "- \n- "])
def test_what_is_no_list(text: str) -> None:
    assert refusal("list", text) == "there is no item in it"


def test_a_list_of_objects_is_no_list_of_texts() -> None:
    assert refusal("list", '[{"name": "Ann"}]') == "an item of the list is no plain text"


@given(items=lists, seed=st.randoms())
def test_a_set_does_not_depend_on_order_repeats_and_case(items: list[str], seed: Any) -> None:
    shuffled = [item.upper() for item in items] + items
    seed.shuffle(shuffled)
    found = parsed("set", "\n".join(shuffled))
    assert [item.casefold() for item in found] == sorted({item.casefold() for item in items})


# -- pairs --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "Ann Lee — Bolt",
        "Ann Lee – Bolt",
        "Ann Lee - Bolt",
        "(Ann Lee, Bolt)",
        "Ann Lee and Bolt",
        "Ann Lee & Bolt",
        "Ann Lee | Bolt",
        "Ann Lee -> Bolt",
        "Ann Lee<->Bolt",
        "Ann Lee → Bolt",
        "Ann Lee, Bolt",
        "Ann Lee; Bolt",
        "Ann Lee: Bolt",
        "- **Ann Lee** and **Bolt**",
        '1. "Ann Lee" | "Bolt"',
        "1) (Ann Lee — Bolt)",
        "Pairs:\n| Ann Lee | Bolt |",
        "| name | name |\n|------|:----:|\n| Ann Lee | Bolt |",
        "Ann Lee | Bolt | Ann Lee works for Bolt",
        "- Ann Lee — Bolt: she runs it, and well",
        "- Ann Lee and Bolt: she runs it",
        '[["Ann Lee", "Bolt"]]',
        '{"pairs": [{"first": "Ann Lee", "second": "Bolt", "how": "she runs it"}]}',
        '["Ann Lee - Bolt"]',
        "[('Ann Lee', 'Bolt')]",
        "Ann Lee | Bolt\nAnn Lee | Bolt\nann lee | BOLT",
        "Ann Lee | Bolt\n\nThese are all the pairs that I could find in the text, and I hope that they help you.",
    ],
)
def test_one_pair_however_it_is_written(text: str) -> None:
    assert parsed("pairs", text) == [["Ann Lee", "Bolt"]]


def test_several_pairs_keep_their_order() -> None:
    assert parsed("pairs", "(a, b), (c, d), (a, b)") == [["a", "b"], ["c", "d"]]
    assert parsed("pairs", "1. a - b\n2. b - a") == [["a", "b"], ["b", "a"]]


@given(
    pairs=st.lists(st.tuples(names, names), min_size=1, max_size=5, unique_by=lambda p: str(p).casefold()),
    tie=st.sampled_from([" | ", " — ", " - ", "; ", ", ", " and ", " & ", " -> "]),
    mark=st.sampled_from(["", "- ", "1. "]),
)
def test_pairs_come_back(pairs: list[tuple[str, str]], tie: str, mark: str) -> None:
    text = "\n".join(f"{mark}{first}{tie}{second}" for first, second in pairs)
    assert parsed("pairs", text) == [list(pair) for pair in pairs]


@pytest.mark.parametrize("text", ["none", "No pairs.", "[]"])
def test_no_pairs(text: str) -> None:
    assert parsed("pairs", text) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "there is no pair in it"),
        ("I could not find any.", "there is no pair in it"),
        ("- Ann | Bob\n- Cy", "'Cy' is no pair of two names"),
        ("- Ann, Bob, Cy", "'Ann, Bob, Cy' is no pair of two names"),
        ('[["Ann"]]', '["Ann"] is no pair of two names'),
        ("[1]", "1 is no pair of two names"),
    ],
)
def test_what_is_no_pair(text: str, said: str) -> None:
    assert refusal("pairs", text) == said


# -- JSON, numbers, texts -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": 1}', {"a": 1}),
        ('Sure: {"a": [1, 2]} and more {"b": 2}', {"a": [1, 2]}),
        ('```json\n{"a": "```"}\n```', {"a": "```"}),
        ('First [this], then\n```\n["b"]\n```', ["b"]),
        ("The set {x} is [1, 2].", [1, 2]),
        (" 42 ", 42),
        ("null", None),
    ],
)
def test_json(text: str, value: Any) -> None:
    assert parsed("json", text) == value


@given(value=st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner)))
def test_json_comes_back(value: Any) -> None:
    assert parsed("json", json.dumps(value)) == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no",
        "{'a': 1}",
        '{"a": 1',
        "NaN",
        "[Infinity]",
        "[" * 100_000,
        '["\\ud800"]',
        "__import__('os')",
        "9" * 5000,
    ],
)
def test_what_is_no_json(text: str) -> None:
    assert refusal("json", text) == "there is no valid JSON in it"


class Person(BaseModel):
    name: str
    born: date


class People(RootModel[list[Person]]):
    pass


def test_a_model_checks_json_and_gives_plain_data() -> None:
    parser = parser_for("json", Person)
    assert parser.parse('Here: {"name": "Ann", "born": "1990-05-01"}') == {"name": "Ann", "born": "1990-05-01"}
    with pytest.raises(ValueError, match=r"^born: Field required$"):
        parser.parse('{"name": "Ann"}')
    assert "name, born" in parser.expected
    assert not parser.gives_list
    people = parser_for("json", People)
    assert people.gives_list
    assert people.parse('[{"name": "Ann", "born": "1990-05-01"}]') == [{"name": "Ann", "born": "1990-05-01"}]


@pytest.mark.parametrize(
    ("text", "value"),
    [("The answer is 42.", 42), ("about 2.5 or so", 2.5), ("-3", -3), ("1,234 apples", 1234), ("1/3", 1 / 3)],
)
def test_numbers(text: str, value: float) -> None:
    found = parsed("number", text)
    assert found == value
    assert type(found) is type(value)


def test_no_number_and_no_text() -> None:
    assert refusal("number", "none at all") == "there is no number in it"
    assert refusal("text", " \n") == "there is no text"
    assert parsed("text", " as it is\n") == "as it is"


@given(text=st.text() | st.text(st.sampled_from("[](){}|-*,:;\"'`\n 1a\\")))
@pytest.mark.parametrize("name", ["text", "number", "list", "set", "pairs", "json"])
def test_any_text_gives_plain_data_or_a_value_error(name: str, text: str) -> None:
    try:
        value = parsed(name, text)
    except ValueError as error:
        assert str(error)
    else:
        assert json.loads(json.dumps(value)) == value
        if name == "pairs":
            assert all(len(pair) == 2 and all(isinstance(half, str) for half in pair) for pair in value)
        if name in ("list", "set"):
            assert all(isinstance(item, str) for item in value)


# -- own parsers --------------------------------------------------------------------------------------


def shout(text: str) -> str:
    return text.upper()


def test_an_own_parser_has_a_name() -> None:
    register_parser("test-shout", shout, expected="a word")
    register_parser("test-shout", shout, expected="one word")
    assert parsed("test-shout", "a") == "A"
    assert parser_for("test-shout").expected == "one word"
    with pytest.raises(ConfigError, match="there is a parser 'test-shout' already"):
        register_parser("test-shout", str.lower, expected="a word")
    with pytest.raises(ConfigError, match="there is a parser 'list' already"):
        register_parser("list", shout, expected="a word")


def test_an_unknown_parser() -> None:
    with pytest.raises(ConfigError, match=r"there is no parser 'yaml' \(choose one of text, number, list, "):
        parser_for("yaml")
