"""The readings that authors published: hand-made outputs of every kind, and against a second telling of each."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from promptkit.errors import ConfigError
from promptkit.extract import canonical, extractor_for, same
from promptkit.types import Kind, Question

CHOICES = {5: tuple("vwxyz"), 6: tuple("uvwxyz"), 3: tuple("xyz")}


def question(kind: Kind, choices: int = 0) -> Question:
    return Question(text="Which?", kind=kind, choices=CHOICES.get(choices, ()))


def read(text: str, asked: Question, name: str = "published") -> str:
    found = extractor_for(asked, name)(text)
    return str(found.value) if found else ""


@pytest.mark.parametrize(
    ("kind", "choices", "text", "value"),
    [
        # MultiArith, GSM8K, AddSub, SingleEq, SVAMP
        ("number", 0, " $1,200 in all", "1200"),
        ("number", 0, "\n\n18.", "18"),
        ("number", 0, " 18.00", "18.00"),
        ("number", 0, " 10-3 = 7", "10"),
        ("number", 0, " minus -4 degrees", "-4"),
        ("number", 0, " six", ""),
        # AQuA and CommonsenseQA: A to E
        ("choice", 5, " (C) 21", "C"),
        ("choice", 5, "\n\nAnswer: D", "A"),
        ("choice", 5, " f) none of them", ""),
        ("choice", 0, " E.", "E"),
        # date understanding, A to F, and tracking shuffled objects, A to C
        ("choice", 6, " F", "F"),
        ("choice", 3, " Dora has it, so (B)", "B"),
        ("choice", 3, " E", ""),
        # StrategyQA and coin flip
        ("yesno", 0, "\n\nNo, it is not.", "no"),
        ("yesno", 0, ' "Yes"', "yes"),
        ("yesno", 0, " it is no longer heads up", "no"),
        ("yesno", 0, " Not yesterday: nobody; (yes)", ""),
        ("yesno", 0, "yes/no", ""),
        ("yesno", 0, "so\u00a0NO", "no"),
        # last letters
        ("text", 0, '\n\n"nkab".', "nkab"),
        ("text", 0, " n k\ta\u2003b", "nkab"),
        ("text", 0, " NKAB", "NKAB"),
        ("text", 0, "n-k", "n-k"),
        ("text", 0, ' "."\n', ""),
    ],
)
def test_cleansing_of_every_kind(kind: Kind, choices: int, text: str, value: str) -> None:
    assert read(text, question(kind, choices)) == value


@given(st.text(st.sampled_from("yesnoYESNO .,:\n\t\"'-x\u00a0")))
def test_yes_and_no_are_whole_words_between_the_published_separators(text: str) -> None:
    words = text.lower()
    for separator in "\"'.:,":
        words = words.replace(separator, " ")
    assert read(text, question("yesno")) == next((word for word in words.split() if word in ("yes", "no")), "")


@given(st.text(st.sampled_from("abAB .\n\t\"'-,\u00a0\u2028\x1c")))
def test_text_is_what_is_left_without_quotes_periods_and_space(text: str) -> None:
    assert read(text, question("text")) == "".join(char for char in text if char not in "\"'." and not char.isspace())


@given(st.text(st.sampled_from("ABCDEFab ()"), max_size=12), st.sampled_from([3, 5, 6]))
def test_the_first_letter_counts_whatever_it_belongs_to(text: str, choices: int) -> None:
    assert read(text, question("choice", choices)) == next((c for c in text if c in "ABCDEF"[:choices]), "")


class TestGSM8K:
    """The labels of Cobbe et al.: two texts agree if the same characters stand after their first "#### "."""

    @pytest.mark.parametrize(
        ("solution", "value"),
        [
            ("He has 3*6=<<3*6=18>>18 eggs.\n#### 18", "18"),
            ("#### 1,234", "1234"),
            ("#### -5", "-5"),
            ("#### 18.00", "18.00"),
            ("#### 18.", "18."),
            ("#### 18 dollars", "18"),
            ("#### 18<|endoftext|>", "18"),
            ("##### 18", "18"),
            ("#### 18\n#### 19", "18"),
            ("#### x\n#### 19", "19"),
            ("#### $18", ""),
            ("####18", ""),
            ("####  18", ""),
            ("### 18", ""),
            ("#### ,", ""),
            ("The answer is 18.", ""),
            ("", ""),
        ],
    )
    def test_what_stands_after_the_mark(self, solution: str, value: str) -> None:
        assert read(solution, question("number"), "gsm8k-published") == value

    @given(st.text(st.sampled_from("#### 0123456789.,-$x\n"), max_size=30))
    @example("#### -1,0.5")
    @example("#### --1")
    def test_agrees_with_a_second_telling(self, solution: str) -> None:
        value = ""
        for after in solution.split("#### ")[1:] if "#### " in solution else []:
            sign = after[:1] if after.startswith("-") else ""
            rest = after[len(sign) :]
            run = rest[: len(rest) - len(rest.lstrip("0123456789.,"))]
            if run:
                value = sign + run.replace(",", "")
                break
        if value != "-":  # "#### -," is a sign and no digit
            assert read(solution, question("number"), "gsm8k-published") == value

    @given(st.integers(-(10**7), 10**7), st.integers(-(10**7), 10**7), st.booleans(), st.text(max_size=60))
    def test_by_value_and_by_characters_whole_numbers_get_the_same_label(
        self, said: int, gold: int, commas: bool, before: str
    ) -> None:
        """The finals of solutions as they are in the data set: whole numbers, with commas or without."""
        asked = question("number")
        solution = f"{before.replace('#', '').replace('Q', '')}\n#### {said:,}" if commas else f"#### {said}"
        ours = extractor_for(asked, "strict")(solution)
        right = canonical(str(gold), asked)
        assert ours is not None and right is not None
        assert same(ours.value, right) == (read(solution, asked, "gsm8k-published") == str(gold))

    def test_other_kinds_have_none(self) -> None:
        with pytest.raises(ConfigError, match="no answers of kind text"):
            extractor_for(question("text"), "gsm8k-published")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("So the answer is 20 and 5 more.\n#### 25", "25"),  # the last line of a solution stands above its sentences
        ("#### 18\n\nJohn has 3 apples.\n#### 7", "18"),  # a base model goes on
        ("#### 3 steps\nThe answer is 25.", "25"),
        ("#### Step 1\nAdd them.\n#### Step 2\nIt is **7**.", "7"),
        ("She pays $18. #### 18", "18"),
        (r"\boxed{4}" + "\n#### 5", "5"),
        ("#### 5\n" + r"\boxed{4}", "4"),
    ],
)
def test_what_a_final_line_stands_above(text: str, value: str) -> None:
    assert read(text, question("number"), "strict") == value
