"""The verdict: read each of these as a person who knows no statistics, and as one who does."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promptkit.evaluation import Run, judge, verdict
from promptkit.evaluation.verdict import advised, names, p_text
from tests.made_runs import run

BETTER = run("zero-shot", "+" * 48 + "-" * 16, tokens=250)
DIRECT = run("direct", "-" * 60 + "++++", tokens=4)

SENTENCES: dict[str, tuple[list[Run], str]] = {
    "one strategy": (
        [BETTER],
        "Only zero-shot was run, right on 48 of 64 questions (75.0 %, 95 % interval 63 to 84); with nothing to compare "
        "it to, no gain can be shown.",
    ),
    "clear winner": (
        [DIRECT, BETTER, run("zero-shot-cot", "+" * 44 + "-" * 20, tokens=300)],
        "Use zero-shot, right on 48 of 64 questions (75.0 %, 95 % interval 63 to 84), as no other is shown to beat it; "
        "shown to be worse than it: direct (68.8 points behind, 95 % interval 51.3 to 80.3, p < 0.001, 1/62 of the generated tokens); "  # noqa: E501
        "not shown to differ from it: zero-shot-cot (6.2 points behind, p = 0.12, 1.2× the generated tokens); "
        "with 64 questions, differences below about 14 points are easily missed.",
    ),
    "better but dearer": (
        [run("zero-shot", "+" * 40 + "-" * 24, tokens=250), run("self-consistency", "+" * 56 + "-" * 8, tokens=3000)],
        "Use self-consistency, right on 56 of 64 questions (87.5 %, 95 % interval 77 to 94); "
        "shown to be worse than it: zero-shot (25.0 points behind, 95 % interval 16.0 to 36.8, p < 0.001, 1/12 of the generated tokens).",  # noqa: E501
    ),
    "no difference": (
        [BETTER, run("zero-shot-cot", "-" + "+" * 49 + "-" * 14, tokens=300)],
        "Use zero-shot, right on 48 of 64 questions (75.0 %, 95 % interval 63 to 84), as no other is shown to beat it; "
        "not shown to differ from it: zero-shot-cot (1.6 points ahead, p = 1.00, 1.2× the generated tokens); "
        "with 64 questions, differences below about 12 points are easily missed.",
    ),
    "ahead, but not shown": (
        [BETTER, run("self-consistency", "+" * 53 + "-" * 11, tokens=3000)],
        "Undecided between zero-shot, right on 48 of 64 questions (75.0 %, 95 % interval 63 to 84), and "
        "self-consistency (7.8 points ahead, p = 0.062, 12× the generated tokens): take more questions; "
        "with 64 questions, differences below about 12 points are easily missed.",
    ),
    "of equal price the more accurate": (
        [run("zero-shot", "+" * 48 + "-" * 16, tokens=250), run("zero-shot-cot", "+" * 53 + "-" * 11, tokens=255)],
        "Use zero-shot-cot, right on 53 of 64 questions (82.8 %, 95 % interval 72 to 90), as no other is shown to beat "
        "it; not shown to differ from it: zero-shot (7.8 points behind, p = 0.062, about as many generated tokens); "
        "with 64 questions, differences below about 12 points are easily missed.",
    ),
    "demonstrations make long prompts": (
        [BETTER, run("few-shot", "+" * 47 + "-" * 17, tokens=251, prompt=400)],
        "Use zero-shot, right on 48 of 64 questions (75.0 %, 95 % interval 63 to 84), as no other is shown to beat it; "
        "not shown to differ from it: few-shot (1.6 points behind, p = 1.00, about as many generated tokens, "
        "10× the prompt tokens); with 64 questions, differences below about 12 points are easily missed.",
    ),
    "direct is enough": (
        [run("direct", "+" * 48 + "-" * 16, tokens=4), run("zero-shot", "-" + "+" * 49 + "-" * 14, tokens=300)],
        "Use direct, right on 48 of 64 questions (75.0 %, 95 % interval 63 to 84), as no other is shown to beat it; "
        "not shown to differ from it: zero-shot (1.6 points ahead, p = 1.00, 75× the generated tokens); "
        "with 64 questions, differences below about 12 points are easily missed; "
        "direct forbids reasoning, which harder questions may need.",
    ),
    "direct is enough, without the fair baseline": (
        [run("direct", "+" * 60 + "-" * 4, tokens=4), run("zero-shot-cot", "+" * 40 + "-" * 24, tokens=300)],
        "Use direct, right on 60 of 64 questions (93.8 %, 95 % interval 85 to 98); shown to be worse than it: "
        "zero-shot-cot (31.2 points behind, 95 % interval 21.2 to 43.4, p < 0.001, 75× the generated tokens); "
        "direct forbids reasoning, which harder questions may need, so compare with zero-shot too.",
    ),
    "direct as the only baseline": (
        [DIRECT, run("zero-shot-cot", "+" * 44 + "-" * 20, tokens=300)],
        "Use zero-shot-cot, right on 44 of 64 questions (68.8 %, 95 % interval 57 to 79); "
        "shown to be worse than it: direct (62.5 points behind, 95 % interval 45.2 to 74.9, p < 0.001, 1/75 of the generated tokens); "  # noqa: E501
        "direct may not reason and is a weak baseline, so compare with zero-shot too.",
    ),
    "a tie": (
        [run("zero-shot", "+" * 48 + "-" * 16), run("zero-shot-cot", "+" * 48 + "-" * 16)],
        "Use zero-shot, right on 48 of 64 questions (75.0 %, 95 % interval 63 to 84), as no other is shown to beat it; "
        "not shown to differ from it: zero-shot-cot (level, p = 1.00, as many generated tokens); "
        "with 64 questions, differences below about 12 points are easily missed.",
    ),
    "all wrong": (
        [run("zero-shot", "-" * 20), run("zero-shot-cot", "-" * 10 + "?" * 10)],
        "No strategy got any of 20 questions right (95 % interval 0 to 16 %), so nothing can be advised; "
        "many answers were never judged (zero-shot-cot 10 unread), so the scores tell of formatting and limits, not "
        "only of reasoning.",
    ),
    "too few questions": (
        [run("direct", "-" * 5, tokens=4), run("zero-shot", "++++-", tokens=250)],
        "5 questions cannot show any difference, so take more; right so far: direct 0 and zero-shot 4.",
    ),
    "one question": (
        [run("zero-shot", "+"), run("zero-shot-cot", "-")],
        "1 question cannot show any difference, so take more; right so far: zero-shot 1 and zero-shot-cot 0.",
    ),
    "many failed and cut off": (
        [
            run("zero-shot", "+" * 40 + "!" * 20 + "-" * 4, tokens=250),
            run("zero-shot-cot", "+" * 40 + "<" * 14 + "?" * 10, tokens=300),
        ],
        "Use zero-shot, right on 40 of 64 questions (62.5 %, 95 % interval 50 to 73), as no other is shown to beat it; "
        "not shown to differ from it: zero-shot-cot (level, p = 1.00, 1.7× the generated tokens); "
        "with 64 questions, differences below about 12 points are easily missed; "
        "many answers were never judged (zero-shot 20 failed; zero-shot-cot 10 unread, 14 cut off), so the scores tell "
        "of formatting and limits, not only of reasoning.",
    ),
    "two models": (
        [run("zero-shot", "+" * 48 + "-" * 16, backend="big"), run("zero-shot", "+" * 28 + "-" * 36, backend="small")],
        "Use zero-shot (big), right on 48 of 64 questions (75.0 %, 95 % interval 63 to 84); "
        "shown to be worse than it: zero-shot (small) (31.2 points behind, 95 % interval 21.2 to 43.4, p < 0.001, "
        "as many generated tokens).",
    ),
    "no tokens counted": (
        [run("a", "+" * 20, tokens=0), run("b", "+" * 20, tokens=0)],
        "Use a, right on 20 of 20 questions (100.0 %, 95 % interval 84 to 100), as no other is shown to beat it; "
        "not shown to differ from it: b (level, p = 1.00, as many generated tokens); "
        "with 20 questions, differences below about 37 points are easily missed.",
    ),
}


@pytest.mark.parametrize(("runs", "sentence"), SENTENCES.values(), ids=SENTENCES.keys())
def test_sentence(runs: list[Run], sentence: str) -> None:
    assert verdict(runs) == sentence


@pytest.mark.parametrize(
    ("p", "text"),
    [
        (1, "p = 1.00"),
        (0.124, "p = 0.12"),
        (0.0626, "p = 0.063"),
        (0.04999, "p < 0.05"),
        (0.05, "p = 0.050"),
        (0.031, "p = 0.031"),
        (0.0009, "p < 0.001"),
    ],
)
def test_p_value_as_text(p: float, text: str) -> None:
    assert p_text(p) == text


def test_runs_that_only_their_folders_tell_apart_are_named_by_them() -> None:
    assert names([BETTER, DIRECT]) == ["zero-shot", "direct"]
    assert names([BETTER, BETTER]) == ["zero-shot (1)", "zero-shot (2)"]


@st.composite
def several(draw: st.DrawFn) -> list[tuple[str, int]]:
    """Two to four runs on the same questions, of any outcomes and prices: what `made` makes runs of."""
    n = draw(st.integers(1, 40))
    answers = st.one_of(
        st.text("+-", min_size=n, max_size=n),
        st.text("+-?<!", min_size=n, max_size=n),
        st.integers(0, n).map(lambda k: "+" * k + "-" * (n - k)),
    )
    prices = st.sampled_from([0, 4, 100, 105, 3000])
    count = draw(st.integers(2, 4))
    return [(draw(answers), draw(prices)) for _ in range(count)]


def made(drawn: list[tuple[str, int]]) -> list[Run]:
    return [run(f"s{place}", answers, tokens=tokens) for place, (answers, tokens) in enumerate(drawn)]


@settings(max_examples=60, deadline=None)
@given(several())
def test_the_advised_one_is_beaten_by_none(drawn: list[tuple[str, int]]) -> None:
    runs = made(drawn)
    judged = judge(runs)
    chosen = advised(runs, judged)
    assert not any(found.shown and found.comparison.delta > 0 for (a, _), found in judged.items() if a == chosen)


@settings(max_examples=60, deadline=None)
@given(several())
def test_pairs_are_symmetric(drawn: list[tuple[str, int]]) -> None:
    runs = made(drawn)
    judged = judge(runs)
    assert len(judged) == len(runs) * (len(runs) - 1)
    for (a, b), found in judged.items():
        back = judged[b, a]
        assert found.p_value == back.p_value >= found.comparison.p_value
        assert found.comparison.delta == -back.comparison.delta
        assert (found.comparison.a, found.comparison.b) == (runs[a], runs[b])


@settings(max_examples=100, deadline=None)
@given(several())
def test_nothing_is_claimed_that_the_tests_do_not_allow(drawn: list[tuple[str, int]]) -> None:
    runs = made(drawn)
    said = verdict(runs)
    judged = judge(runs)
    worse = re.search(r"shown to be worse than [^:]*: (.*?)(?=; |\.$)", said)
    if worse:
        chosen = advised(runs, judged)
        for name in re.findall(r"\b(s\d) \(", worse[1]):
            found = judged[chosen, int(name[1])]
            assert found.p_value < 0.05
            assert found.comparison.delta < 0
    elif "Use" in said:
        assert "not shown to differ" in said
    assert said.count(".") - len(re.findall(r"\d\.\d", said)) == 1, "not one sentence"
    assert "0.0×" not in said
    assert not re.search(r"\b1 questions", said)
    assert "-0" not in said
    if all(found.p_value >= 0.05 for found in judged.values()):
        assert "shown to be worse" not in said


@settings(max_examples=30, deadline=None)
@given(several())
def test_the_order_of_the_runs_changes_no_claim(drawn: list[tuple[str, int]]) -> None:
    """Only which of several equal runs is taken may depend on it."""
    runs = made(drawn)
    there, back = judge(runs), judge(runs[::-1])
    last = len(runs) - 1
    assert {pair: found.p_value for pair, found in there.items()} == {
        (last - a, last - b): found.p_value for (a, b), found in back.items()
    }
