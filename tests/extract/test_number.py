"""Numbers: what is read, where it stands, and that no text breaks the reading."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from promptkit.extract import canonical, extractor_for, names, same
from promptkit.types import AnswerValue, Question

QUESTION = Question(text="How many?")
HOSTILE = {
    "digits": "9" * 100_000,
    "digits before a power": "9" * 100_000 + "^",
    "dashes": "-" * 100_000,
    "brackets": "(" * 100_000,
    "open boxes": "\\boxed{" * 20_000,
    "nested boxes": "\\boxed{" * 20_000 + "}" * 20_000,
    "phrases": "the answer is " * 10_000,
    "colons": "answer:" * 15_000,
    "reversed phrases": "is the answer " * 8_000,
    "gaps": "answer" + " " * 100_000,
    "stars": "**" * 50_000,
    "new questions": "Q: 5\n" * 20_000,
    "thousands": "1," * 50_000,
    "slashes": "1/" * 50_000,
    "words": "one " * 25_000,
    "equations": "1 + " * 25_000,
    "qualified": "= 1 " + "'a" * 50_000 + " 2",
    "calculations": "<<1=" * 25_000 + ">>" * 25_000,
    "decimal commas": "€1." + "000." * 25_000 + ",5",
}


def read(text: str, name: str | None = None) -> AnswerValue | None:
    found = extractor_for(QUESTION, name)(text)
    return found.value if found else None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("42", "42"),
        (".5", "0.5"),
        ("0.8333333333333334", "0.8333333333333334"),
        ("3/4", "0.75"),
        ("1/3", "1/3"),
        ("1 1/2", "1.5"),
        ("3 and 1/4 laps", "3.25"),
        ("1½ cups", "1.5"),
        ("50%", "50"),
        ("$18.00", "18"),
        ("€1.5", "1.5"),
        ("-$5", "-5"),
        ("1,234", "1234"),
        ("1,234,567.89", "1234567.89"),
        ("1{,}234", "1234"),
        ("1, 2, 3", "3"),
        ("−7", "-7"),
        ("-7", "-7"),
        ("(-7)", "-7"),
        ("it is -7", "-7"),
        ("= - 7", "-7"),
        ("- 7 apples", "7"),
        ("10-3", "3"),
        ("5 - 3 = 2", "2"),
        ("3–5", "5"),
        ("1.5e3", "1500"),
        ("1.5 × 10^3", "1500"),
        (r"$1.5 \times 10^{3}$", "1500"),
        ("2 million", "2000000"),
        ("42km", "42"),
        ("18 dollars", "18"),
        ("3rd", "3"),
        ("42 cm^2", "42"),
        ("(42)", "42"),
        ("42…", "42"),
        ("42.", "42"),
        ("= 42", "42"),
        (r"\(42\)", "42"),
        ("$42$", "42"),
        (r"\frac{3}{4}", "0.75"),
        (r"-\frac12", "-0.5"),
        ("23 dollars and 86 cents", "23.86"),
        ("Thirty-Four Dollars and Seventy-Two Cents.", "34.72"),
        ("so twelve", "12"),
        ("one hundred and one.", "101"),
        ("two thousand, three hundred", "2300"),
        ("two million five hundred thousand and six", "2500006"),
        ("two hundred twenty-four point eighty-seven dollars", "224.87"),
        ("three-tenths", "0.3"),
        ("two and a half", "2.5"),
        ("minus seven", "-7"),
        ("So 3 + 5 makes eight apples.", "8"),
        ("So it costs $100 000.", "100000"),
        ("So 92 - 35 = 57 seats are left", "57"),
        ("So there are 92 - 35 = 57 empty seats after the 2nd stop of the 3 buses.", "57"),
        ("He has 3 + 4 = 7 and gets 5", "5"),
        ("He has 3 + 4 = 7 apples, then 5", "5"),
        ("The total is €1.234,50", "1234.5"),
        ("1.234.567,89 in all.", "1234567.89"),
        ("-€3,50", "-3.5"),
        ("€ 3,50", "3.5"),
        ("That costs 12,50 EUR in all.", "12.5"),
        ("The pair $5,10$", "10"),
        ("1.234,56,78", "78"),
        ("€1.234", "1.234"),
        ("€1,234", "1234"),
    ],
)
def test_lenient_reads(text: str, value: str) -> None:
    assert read(text) == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no numbers",
        "on 3/4/2020",
        "2020-05-17",
        "version 1.2.3",
        "at 3:30",
        "x2",
        "5/0",
        "the right one",
        "5e999",
        "the twenty-third",
        "9" * 101,
    ],
)
def test_what_is_no_number_is_not_read(text: str) -> None:
    assert read(text) is None


@pytest.mark.parametrize(
    ("text", "value", "rule"),
    [
        ("The answer is 18", "18", "phrase"),
        ("So the answer (arabic numerals) is: 18 of 20", "18", "phrase"),
        ("so the answer is forty-two. 7 checks", "42", "phrase"),
        ("The answer is one.", "1", "phrase"),
        ("The answer is the one with 5 apples.", "5", "phrase"),
        ("The answer is 5. Wait, the answer is 6.", "6", "phrase"),
        ("The answer is not 5. The answer is 6. Not 7.", "6", "phrase"),
        ("The answer is that Megan has 326 markers, not 9.", "326", "phrase"),
        ("The answer is 5 + 3 = 8 apples for 2 people.", "8", "equation"),
        ("The answer is:\n\n$$\n42\n$$\n7", "42", "phrase"),
        ("**Answer:** 42\nof 50", "42", "phrase"),
        ("42 is the correct answer, not 41", "42", "phrase"),
        (r"so \boxed{42} of 50", "42", "boxed"),
        (r"\boxed{x = -\frac{3}{4}} 7", "-0.75", "boxed"),
        (r"\boxed{\$18.00} 7", "18", "boxed"),
        (r"\boxed{42 \text{ dollars}} 7", "42", "boxed"),
        (r"\boxed{\boxed{6}} 7", "6", "boxed"),
        ("7\n#### 1,024\n8", "1024", "marked"),
        ("**42** of 50", "42", "bold"),
    ],
)
@pytest.mark.parametrize("name", ["strict", "lenient", "answer"])
def test_marked_answers_come_first(text: str, value: str, rule: str, name: str) -> None:
    found = extractor_for(QUESTION, name)(text)
    assert found is not None
    assert (found.value, found.rule) == (value, rule)


@pytest.mark.parametrize(
    "text",
    [
        "3 and 4 make 7",
        "What is the answer? 5",
        "If the answer is 5 then it is prime.",
        "**Step 1**: add",
        "Answer: Megan had 217 and got 109, so 326.",
    ],
)
def test_strict_takes_no_other_number(text: str) -> None:
    assert read(text, "strict") is None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("32 + 42 - 35 = 39", "39"),
        (": 37 + 10 = 47 apples, 5 each", "47"),
        ("1 + 1 + 1/12 = 1 1/12 miles.", "13/12"),
        ("3/4 - 1/4 = 2/4 = 1/2. 7", "0.5"),
        ("3/8 or 0.4", "0.375"),
        ("8 buses carrying 45 students", "8"),
        ("Two of the 5 apples", "2"),
        ("45+5=<<45+5=50>>50 and 3", "50"),
        ("So the two boys have 5", "5"),
    ],
)
def test_answer_takes_the_first_number_or_its_equation(text: str, value: str) -> None:
    assert read(text, "answer") == value


@pytest.mark.parametrize(
    ("text", "value", "place"),
    [
        ("She has 45+5=<<45+5=50>>50 eggs", "50", -7),
        ("45+5=<<45+5=50>>50", "50", -2),
        ("10-3=<<10-3=7>>7 seats after the 2nd stop", "7", 15),
        ("The answer is 3*6=$<<3*6=18>>18.", "18", -3),
        ("**45+5=<<45+5=50>>50**", "50", -4),
        ("2*3=<<2*3=6>>6, then 6+1=<<6+1=7>>7", "7", -1),
        ("so 45+5=<<45+5=50>>", "50", -4),
    ],
)
def test_notes_for_a_calculator_are_passed_over(text: str, value: str, place: int) -> None:
    found = extractor_for(QUESTION)(text)
    assert found is not None
    assert found.value == value
    assert found.span == (place % len(text), place % len(text) + len(value))


@pytest.mark.parametrize("name", ["lenient", "answer", "strict"])
def test_a_new_question_after_the_answer_is_not_read(name: str) -> None:
    assert read("The answer is 5.\n\nQ: What is 9 plus 9?\nA: The answer is 18.", name) == "5"


def test_a_question_before_the_answer_is_no_end() -> None:
    assert read("Q: Let me see.\nA: The answer is 18.") == "18"


@pytest.mark.parametrize(
    ("text", "value"),
    [("10-3", "10"), ("18.00 dollars", "18.00"), ("1,234.", "1234"), ("1,2", "12"), (".5", "5"), ("5 + 5 = 10", "5")],
)
def test_published_keeps_its_faults(text: str, value: str) -> None:
    assert read(text, "published") == value


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("39.0", "39"),
        ("1,000", "1000"),
        ("-0.0", "0"),
        ("2/6", "1/3"),
        ("- 7", "-7"),
        ("$5 a day", "5"),
        ("5 or 6", None),
        ("10-3", None),
        ("about", None),
        ("", None),
        ("0.50", "0.5"),
        ("007", "7"),
    ],
)
def test_canonical(value: str, expected: str | None) -> None:
    assert canonical(value, QUESTION) == expected


def test_same_compares_by_value() -> None:
    assert same("1/2", "0.50")
    assert same("18.00", "18")
    assert not same("1/3", "0.3333333333333333")
    assert not same("B", "C")
    assert not same("1/0", "1")
    assert same(("a", "b"), ("a", "b"))
    assert not same(("a",), "a")


def in_euros(number: Decimal) -> str:
    return "€" + f"{number:,.2f}".translate(str.maketrans(",.", ".,"))


FORMATS = {
    "plain": "{:f}".format,
    "thousands": "{:,f}".format,
    "dollars": "${:,.2f}".format,
    "boxed": "\\boxed{{{:f}}}".format,
    "bold": "**{:f}**".format,
    "latex": r"\({:f}\)".format,
    "unit": "{:f} apples".format,
    "glued": "{:f}km".format,
    "percent": "{:f}%".format,
    "exponent": "{:E}".format,
    "euros": in_euros,
}
FRAMES = [
    "{}",
    "The answer is {}.",
    "Therefore, the answer (arabic numerals) is {}",
    "She has 3 of them. So the answer to the question is:\n\n{}\n",
    "First 17, then 4. **Answer:** {}",
    "There were 5; in the end, {}.",
]


@given(
    number=st.decimals(min_value=0, max_value=10**12, places=2),
    form=st.sampled_from(sorted(FORMATS)),
    frame=st.sampled_from(FRAMES),
)
def test_decimals_are_found_in_every_format(number: Decimal, form: str, frame: str) -> None:
    text = frame.format(FORMATS[form](number))
    found = extractor_for(QUESTION)(text)
    assert found is not None
    assert Fraction(str(found.value)) == Fraction(number)
    assert canonical(text[slice(*found.span)], QUESTION) == found.value


@given(
    number=st.fractions(min_value=-1000, max_value=1000, max_denominator=10**6),
    form=st.sampled_from(["{0}/{1}", "\\frac{{{0}}}{{{1}}}", "\\boxed{{{0}/{1}}}"]),
    frame=st.sampled_from(FRAMES),
)
def test_fractions_are_found_in_every_format(number: Fraction, form: str, frame: str) -> None:
    assume(number >= 0 or "frac" not in form)
    text = frame.format(form.format(number.numerator, number.denominator))
    found = extractor_for(QUESTION)(text)
    assert found is not None
    assert Fraction(str(found.value)) == number
    assert canonical(text[slice(*found.span)], QUESTION) == found.value


PIECES = st.lists(
    st.sampled_from(
        [
            "the answer is",
            "\\boxed{",
            "}",
            "**",
            "-",
            "−",
            "–",
            "=",
            " ",
            "\n",
            ".",
            ",",
            "/",
            "1",
            "20",
            "300",
            "4/5",
            "one",
            "and",
            "hundred",
            "forty",
            "cents",
            "€",
            "<<1+2=3>>",
        ]
    )
    | st.sampled_from(["dollars", "$", "%", "(", ")", "^", "e5", "×10^", "½", "\\frac", "{", "Q:", ":", "ſix", "of"]),
    max_size=25,
).map("".join)


@given(text=PIECES | st.text(), name=st.sampled_from(["strict", "lenient", "answer"]))
def test_any_text_is_read_without_failing_and_the_span_holds_the_value(text: str, name: str) -> None:
    found = extractor_for(QUESTION, name)(text)
    if found:
        start, end = found.span
        assert 0 <= start < end <= len(text)
        assert canonical(text[start:end], QUESTION) == found.value


@given(PIECES | st.text() | st.decimals(allow_nan=False, allow_infinity=False).map(str))
def test_canonical_is_idempotent(value: str) -> None:
    first = canonical(value, QUESTION)
    if first is not None:
        assert isinstance(first, str)
        assert canonical(first, QUESTION) == first


@pytest.mark.parametrize("name", names())
@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_texts_are_finished_with(text: str, name: str) -> None:
    found = extractor_for(QUESTION, name)(text)
    assert found is None or found.span[1] <= len(text)
