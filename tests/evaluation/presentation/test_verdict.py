"""The verdict: read each of these as a person who knows no statistics, and as one who does."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promptkit.evaluation import Run, judge, verdict
from promptkit.evaluation.presentation.verdict import advised, names, p_text
from tests.made_runs import run

BETTER = run("zero-shot", "+" * 48 + "-" * 16, tokens=250)
DIRECT = run("direct", "-" * 60 + "++++", tokens=4)

SENTENCES: dict[str, tuple[list[Run], str]] = {
    "one strategy": (
        [BETTER],
        "Only zero-shot was run, 48 of 64 right (75.0 %, 95 % interval 63 to 84); with nothing to compare it to, "
        "no gain can be shown.",
    ),
    "clear winner": (
        [DIRECT, BETTER, run("zero-shot-cot", "+" * 44 + "-" * 20, tokens=300)],
        "Use zero-shot, which none is shown to beat: 48 of 64 right (75.0 %, 95 % interval 63 to 84); it beats "
        "direct by 68.8 points (95 % interval 51.3 to 80.3, p < 0.001) with 62× the generated tokens; no "
        "difference is shown from zero-shot-cot (6.2 points behind, p = 0.12, 1.2× the generated tokens); 64 "
        "questions easily miss gaps below 14 points, and about 150 would show this one.",
    ),
    "better but dearer": (
        [run("zero-shot", "+" * 40 + "-" * 24, tokens=250), run("self-consistency", "+" * 56 + "-" * 8, tokens=3000)],
        "Use self-consistency: 56 of 64 right (87.5 %, 95 % interval 77 to 94); it beats zero-shot by 25.0 points"
        " (95 % interval 16.0 to 36.8, p < 0.001) with 12× the generated tokens.",
    ),
    "no difference": (
        [BETTER, run("zero-shot-cot", "-" + "+" * 49 + "-" * 14, tokens=300)],
        "Use zero-shot, which none is shown to beat: 48 of 64 right (75.0 %, 95 % interval 63 to 84); no "
        "difference is shown from zero-shot-cot (1.6 points ahead, p = 1.00, 1.2× the generated tokens); 64 "
        "questions easily miss gaps below 12 points, and about 1,600 would show this one.",
    ),
    "ahead, but not shown": (
        [BETTER, run("self-consistency", "+" * 53 + "-" * 11, tokens=3000)],
        "Undecided between zero-shot and self-consistency, so take more questions: zero-shot has 48 of 64 right "
        "(75.0 %, 95 % interval 63 to 84), self-consistency 7.8 points more (p = 0.062) with 12× the generated "
        "tokens, which about 100 questions would show; 64 questions easily miss gaps below 12 points.",
    ),
    "of equal price the more accurate": (
        [run("zero-shot", "+" * 48 + "-" * 16, tokens=250), run("zero-shot-cot", "+" * 53 + "-" * 11, tokens=255)],
        "Use zero-shot-cot, which none is shown to beat: 53 of 64 right (82.8 %, 95 % interval 72 to 90); no "
        "difference is shown from zero-shot (7.8 points behind, p = 0.062, about as many generated tokens); 64 "
        "questions easily miss gaps below 12 points, and about 100 would show this one.",
    ),
    "demonstrations make long prompts": (
        [BETTER, run("few-shot", "+" * 47 + "-" * 17, tokens=251, prompt=400)],
        "Use zero-shot, which none is shown to beat: 48 of 64 right (75.0 %, 95 % interval 63 to 84); no "
        "difference is shown from few-shot (1.6 points behind, p = 1.00, about as many generated tokens, 10× the "
        "prompt tokens); 64 questions easily miss gaps below 12 points, and about 510 would show this one.",
    ),
    "direct is enough": (
        [run("direct", "+" * 48 + "-" * 16, tokens=4), run("zero-shot", "-" + "+" * 49 + "-" * 14, tokens=300)],
        "Use direct, which none is shown to beat: 48 of 64 right (75.0 %, 95 % interval 63 to 84); no difference "
        "is shown from zero-shot (1.6 points ahead, p = 1.00, 75× the generated tokens); 64 questions easily miss"
        " gaps below 12 points, and about 1,600 would show this one; direct forbids reasoning, which harder "
        "questions may need.",
    ),
    "direct is enough, without the fair baseline": (
        [run("direct", "+" * 60 + "-" * 4, tokens=4), run("zero-shot-cot", "+" * 40 + "-" * 24, tokens=300)],
        "Use direct: 60 of 64 right (93.8 %, 95 % interval 85 to 98); it beats zero-shot-cot by 31.2 points (95 %"
        " interval 21.2 to 43.4, p < 0.001) with 1/75 of the generated tokens; direct forbids reasoning, which "
        "harder questions may need, so compare with zero-shot too.",
    ),
    "direct as the only baseline": (
        [DIRECT, run("zero-shot-cot", "+" * 44 + "-" * 20, tokens=300)],
        "Use zero-shot-cot: 44 of 64 right (68.8 %, 95 % interval 57 to 79); it beats direct by 62.5 points (95 %"
        " interval 45.2 to 74.9, p < 0.001) with 75× the generated tokens; direct may not reason and is a weak "
        "baseline, so compare with zero-shot too.",
    ),
    "the fair baseline against direct": (
        [run("direct", "+" * 4 + "-" * 60, tokens=4), run("zero-shot", "+" * 44 + "-" * 20, tokens=300)],
        "Use zero-shot: 44 of 64 right (68.8 %, 95 % interval 57 to 79); it beats direct by 62.5 points (95 %"
        " interval 50.3 to 73.3, p < 0.001) with 75× the generated tokens; direct may not reason and is a weak "
        "baseline.",
    ),
    "undecided against direct alone": (
        [run("direct", "+" * 40 + "-" * 24, tokens=4), run("zero-shot-cot", "-" + "+" * 45 + "-" * 18, tokens=300)],
        "Undecided between direct and zero-shot-cot, so take more questions: direct has 40 of 64 right (62.5 %, "
        "95 % interval 50 to 73), zero-shot-cot 7.8 points more (p = 0.12) with 75× the generated tokens, which "
        "about 150 questions would show; 64 questions easily miss gaps below 12 points; direct forbids reasoning,"
        " which harder questions may need, so compare with zero-shot too.",
    ),
    "several below and several open": (
        [
            DIRECT,
            run("few-shot", "-" * 40 + "+" * 24, tokens=5),
            BETTER,
            run("zero-shot-cot", "+" * 44 + "-" * 20, tokens=300),
            run("self-consistency", "+" * 50 + "-" * 14, tokens=3000),
        ],
        "Use zero-shot, which none is shown to beat: 48 of 64 right (75.0 %, 95 % interval 63 to 84); it beats "
        "few-shot by 37.5 points (95 % interval 14.9 to 56.1, p = 0.009) with 50× the generated tokens, and "
        "direct by more; no difference is shown from zero-shot-cot and self-consistency (at most 3.1 points "
        "ahead, 1.2× to 12× the generated tokens); 64 questions easily miss gaps below 17 points.",
    ),
    "a tie": (
        [run("zero-shot", "+" * 48 + "-" * 16), run("zero-shot-cot", "+" * 48 + "-" * 16)],
        "Use zero-shot, which none is shown to beat: 48 of 64 right (75.0 %, 95 % interval 63 to 84); no "
        "difference is shown from zero-shot-cot (level, p = 1.00, as many generated tokens); 64 questions easily "
        "miss gaps below 12 points.",
    ),
    "all wrong": (
        [run("zero-shot", "-" * 20), run("zero-shot-cot", "-" * 10 + "?" * 10)],
        "No strategy got any of 20 questions right (95 % interval 0 to 16 %), so nothing can be advised; many "
        "answers were never judged (zero-shot-cot 10 unread), so the scores tell of formatting and limits, not "
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
        "Use zero-shot, which none is shown to beat: 40 of 64 right (62.5 %, 95 % interval 50 to 73); no "
        "difference is shown from zero-shot-cot (level, p = 1.00, 1.7× the generated tokens); 64 questions easily"
        " miss gaps below 12 points; many answers were never judged (zero-shot 20 failed; zero-shot-cot 10 "
        "unread, 14 cut off), so the scores tell of formatting and limits, not only of reasoning.",
    ),
    "two models": (
        [run("zero-shot", "+" * 48 + "-" * 16, backend="big"), run("zero-shot", "+" * 28 + "-" * 36, backend="small")],
        "Use zero-shot (big): 48 of 64 right (75.0 %, 95 % interval 63 to 84); it beats zero-shot (small) by 31.2"
        " points (95 % interval 21.2 to 43.4, p < 0.001) with as many generated tokens.",
    ),
    "no tokens counted": (
        [run("a", "+" * 20, tokens=0), run("b", "+" * 20, tokens=0)],
        "Use a, which none is shown to beat: 20 of 20 right (100.0 %, 95 % interval 84 to 100); no difference is "
        "shown from b (level, p = 1.00, as many generated tokens); 20 questions easily miss gaps below 37 points.",
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
    chosen = advised(runs, judged)
    worse = re.search(r" beats (.*?)(?=; |\.$)", said)
    if worse:
        for name in re.findall(r"\bs\d\b", worse[1]):
            found = judged[chosen, int(name[1])]
            assert found.p_value < 0.05
            assert found.comparison.delta < 0
    elif "Use" in said:
        assert "no difference is shown from" in said
    open_ = re.search(r"no difference is shown from (.*?) \(", said)
    for name in re.findall(r"\bs\d\b", open_[1] if open_ else ""):
        assert judged[chosen, int(name[1])].p_value >= 0.05
    assert said.count(".") - len(re.findall(r"\d\.\d", said)) == 1, "not one sentence"
    assert "0.0×" not in said
    assert not re.search(r"\b1 questions", said)
    assert "-0" not in said
    if all(found.p_value >= 0.05 for found in judged.values()):
        assert "beats" not in said


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
