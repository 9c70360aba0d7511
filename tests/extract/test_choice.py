"""Multiple choice: letters, the words that only look like letters, and the options' own texts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptkit.extract import canonical, extractor_for
from promptkit.extract.choice import letters
from promptkit.types import AnswerValue, Question

QUESTION = Question(text="Which?", kind="choice", choices=("15", "17", "dog", "cat", "the sun"))
OPEN = Question(text="Which?", kind="choice")
LISTED = "Which letter (A) comes first? Answer Choices: (A) 21 (B) 21.5 (C) 22"


def read(text: str, name: str | None = None, question: Question = QUESTION) -> AnswerValue | None:
    found = extractor_for(question, name)(text)
    return found.value if found else None


@pytest.mark.parametrize("name", ["lenient", "answer"])
@pytest.mark.parametrize(
    ("text", "letter"),
    [
        ("(B)", "B"),
        ("B)", "B"),
        ("B.", "B"),
        ("B: 15", "B"),
        ("A", "A"),
        ("answer is B", "B"),
        ("The correct option is (c)", "C"),
        ("the answer is a.", "A"),
        ("The answer is A because it is.", "A"),
        ("Among A through E, the answer is C", "C"),
        ("Answer: (D)", "D"),
        ("Option A is correct", "A"),
        ("**B**", "B"),
        (r"\boxed{\text{(B)}}", "B"),
        (r"\boxed{dog}", "C"),
        ("dog", "C"),
        ("The sun.", "E"),
        ("The answer is a dog.", "C"),
        ("Therefore, A.", "A"),
    ],
)
def test_reads(text: str, letter: str, name: str) -> None:
    assert read(text, name) == letter


@pytest.mark.parametrize(
    "text",
    [
        "A farmer has 5",
        "Answer the thing",
        "I think so",
        "The answer is A farmer",
        "So F",
        "(F)",
        "U.S.A. today",
        "",
        "Bob",
        "I'd say so",
        "a dog and a cat",
    ],
)
def test_what_is_no_option_is_not_read(text: str) -> None:
    assert read(text) is None


def test_first_and_last() -> None:
    text = "A is out. B is out. So C"
    assert read(text) == "C"
    assert read(text, "answer") == "B"
    assert read(text, "strict") is None


def test_an_ambiguous_text_names_no_option() -> None:
    assert read("dog", question=Question(text="Which?", kind="choice", choices=("dog", "Dog", "cat"))) is None


def test_letters_go_as_far_as_the_options() -> None:
    two = Question(text="Which?", kind="choice", choices=("yes", "no"))
    assert read("The answer is (C).", question=two) is None
    assert read("The answer is (E).", question=OPEN) == "E"
    assert read("The answer is (F).", question=OPEN) is None


def test_one_option_only() -> None:
    one = Question(text="Which?", kind="choice", choices=("this",))
    assert read("(A)", question=one) == "A"
    assert read("So B", question=one) is None


def test_the_span_is_the_letter() -> None:
    text = "The correct option is (c), I think."
    found = extractor_for(QUESTION)(text)
    assert found is not None
    assert text[slice(*found.span)] == "c"


def test_published_reads_the_a_of_answer() -> None:
    assert read("Answer: (D)", "published") == "A"


@pytest.mark.parametrize(
    ("value", "letter"),
    [
        ("(B)", "B"),
        ("b", "B"),
        ("B. seventeen", "B"),
        ("dog", "C"),
        ("15", "A"),
        ("F", None),
        ("a farmer", None),
        ("", None),
    ],
)
def test_canonical(value: str, letter: str | None) -> None:
    assert canonical(value, QUESTION) == letter


@given(
    letter=st.sampled_from("ABCDE"),
    form=st.sampled_from(["({})", "{}", "{}.", "**{}**", "\\boxed{{{}}}", "option {}"]),
    frame=st.sampled_from(["{}", "The answer is {}", "I think a lot. Therefore, among A through E, the answer is {}"]),
)
def test_round_trip(letter: str, form: str, frame: str) -> None:
    text = frame.format(form.format(letter))
    found = extractor_for(QUESTION)(text)
    assert found is not None
    assert (found.value, text[slice(*found.span)]) == (letter, letter)


@pytest.mark.parametrize(
    ("text", "known"),
    [
        ("Which?", "ABCDE"),
        (LISTED, "ABC"),
        ("(A) Which? (A) x (B) y (C) z (D) u (E) v (F) w", "ABCDEF"),
        ("f(A) and (A) alone", "ABCDE"),
        ("(B) x (C) y", "ABCDE"),
        (" ".join(f"({letter}) x" for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZA"), "ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
    ],
)
def test_options_may_be_listed_in_the_question_s_text(text: str, known: str) -> None:
    assert letters(Question(text=text, kind="choice")) == known
    assert letters(Question(text=text, kind="choice", choices=("x", "y"))) == "AB"


def test_only_listed_options_are_read() -> None:
    question = Question(text=LISTED, kind="choice")
    assert read("Not (E), but (C)", "lenient", question) == "C"
    assert read("(E)", "lenient", question) is None
    assert read("E then B", "published", question) == "B"
