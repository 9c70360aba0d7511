"""Expressions: found in texts, worked out exactly, hostile ones refused."""

import operator
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptkit import Question
from promptkit.extract import canonical, extractor_for
from promptkit.extract.expression import LONGEST, hand, parse, solves

GAME = Question(text="Combine the numbers 4 4 6 8 to get 24.", kind="expression")
GOOD = "(4 + 8) * (6 - 4)"

Sum = tuple[str, Fraction | None]
"""An expression and what it comes to."""
OPERATORS = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv}


def combined(a: Sum, sign: str, b: Sum) -> Sum:
    known = a[1] is not None and b[1] is not None and (sign != "/" or b[1] != 0)
    return f"({a[0]} {sign} {b[0]})", OPERATORS[sign](a[1], b[1]) if known else None


def negative(a: Sum) -> Sum:
    return f"(-{a[0]})", None if a[1] is None else -a[1]


leaves = (st.integers(0, 99).map(str) | st.decimals(0, 99, places=2).map(str)).map(lambda text: (text, Fraction(text)))
sums = st.recursive(
    leaves,
    lambda inner: st.builds(combined, inner, st.sampled_from("+-*/"), inner) | inner.map(negative),
    max_leaves=6,
)


@given(sums)
def test_values_are_exact(made: Sum) -> None:
    found = parse(made[0])
    assert found is not None
    assert found.value == made[1]


@given(sums)
def test_the_one_form_is_stable_and_worth_the_same(made: Sum) -> None:
    found = parse(made[0])
    assert found
    assert parse(found.text) == found
    assert canonical(made[0], GAME) == found.text


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "2**3", "2//3", "2 ^ 3", "4 8", "(4", "4)", "4 +", "1e9", "1_000", "1j", "True", "a + 1", "4, 5",
        "__import__('os').system('ls')", "().__class__", "[1 for x in 2]", "1 if 2 else 3", "f(4)", "(4)(5)", "1 < 2",
        "lambda: 1", "9" * 13, "9" * 5000, "(" * 5000 + "1" + ")" * 5000, "-" * 150 + "1", "1" + "+1" * 99,
        "1" + "+1" * 5000, "4\n+ 5", "1;2", "\0", "½ + 1", "٣ + 1",
    ],
)  # fmt: skip
def test_what_is_no_expression_or_too_large(text: str) -> None:
    assert parse(text) is None


@given(st.text(alphabet="0123456789+-*/(). =\n[]x×", max_size=LONGEST + 50) | st.text(max_size=80))
def test_no_text_is_too_much(text: str) -> None:
    parse(text)
    for name in ("strict", "lenient", "answer"):
        found = extractor_for(GAME, name)(text)
        if found:
            assert parse(str(found.value)) is not None
            assert 0 <= found.span[0] < found.span[1] <= len(text)


def test_long_texts_take_no_long_time() -> None:
    for text in ("(" * 100_000, "1+" * 100_000, "1.) " * 50_000, "= " * 100_000, "- " * 100_000):
        assert extractor_for(GAME)(text) is None


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("Answer: (4 + 8) * (6 - 4) = 24", "phrase"),
        ("answer: (4+8)*(6-4)=24", "phrase"),
        ("So 4 + 8 = 12, 6 - 4 = 2 and 12 * 2 = 24. The answer is (4 + 8) × (6 − 4).", "phrase"),
        ("The answer is $(4 + 8) * (6 - 4)$, which is 12 * 2.", "phrase"),
        ("Thus \\boxed{(4 + 8) \\times (6 - 4) = 24}", "boxed"),
        ("4 + 8 = 12\n**(4 + 8) × (6 - 4) = 24**\n12 * 2 = 24", "bold"),
        ("#### [4 + 8] * [6 - 4]", "marked"),
        (
            "1. 4 + 8 = 12\n2. 6 - 4 = 2\n3. (4 + 8) * (6 - 4) = 12 * 2 = 24\nIt uses 4 numbers, 12 * 2 is right.",
            "last",
        ),
        ("We have (4 + 8) * (6 - 4) = 24, since 4 + 8 = 12.", "last"),
        ("24 = (4 + 8) * (6 - 4)", "only"),
        ("- (4 + 8) * (6 - 4) = 24", "only"),
        ("It is ((4 + 8) * (6 - 4)).", "last"),
        ("(It is (4 + 8) x (6 - 4))", "last"),
    ],
)
def test_where_the_expression_is_found(text: str, rule: str) -> None:
    found = extractor_for(GAME)(text)
    assert found
    assert (found.value, found.rule) == (GOOD, rule)
    inside = parse(text[slice(*found.span)])
    assert inside is not None and inside.text == GOOD


@pytest.mark.parametrize("text", ["", "none", "The answer is 24.", "3 apples", "4 6 8", "it is impossible - sorry"])
def test_a_text_without_one(text: str) -> None:
    assert extractor_for(GAME)(text) is None


@pytest.mark.parametrize(
    ("question", "numbers"),
    [
        ("4 4 6 8", (4, 4, 6, 8)),
        ("Use the numbers 1, 5, 8 and 9 to make 24.", (1, 5, 8, 9)),
        ("In 24 ways? Take 3 5 7", (3, 5, 7)),
        ("Make 24 of 13, 2, and 4.", (13, 2, 4)),
        ("Make 24.", ()),
        ("", ()),
    ],
)
def test_the_numbers_of_a_question(question: str, numbers: tuple[int, ...]) -> None:
    assert hand(question) == numbers


@pytest.mark.parametrize(
    ("answer", "right"),
    [
        (GOOD, True),
        ("8 * 6 / (4 - 4 + 2)", False),
        ("4 * 6", False),
        ("(4 + 8) * (6 - 4) * 1", False),
        ("(4 + 8) * (6 - 4) + 4 - 4", False),
        ("48 / (6 - 4)", False),
        ("4 + 4 + 6 + 8", False),
        ("8 / (4 - 4) + 6", False),
        ("24", False),
        ("nonsense", False),
    ],
)
def test_what_solves_a_puzzle(answer: str, right: bool) -> None:
    assert solves(answer, GAME.text, "24") == right


def test_thirds_are_exact() -> None:
    assert solves("8 / (3 - 8 / 3)", "3 3 8 8", "24")
