"""Tree of thoughts: values, votes and selection by themselves, and the whole as a value."""

from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptkit import CoT, FakeBackend, SelfConsistency, Strategy, TreeOfThoughts, ZeroShot
from promptkit.strategies.tree import (
    BFS,
    DFS,
    Asking,
    BestFirst,
    Game24,
    Judge,
    Lookahead,
    Propose,
    Sample,
    Value,
    Vote,
)
from tests.strategies.trees import STEPS, VERDICTS, WORTH, node, steps_of, world

# -- values, votes, selection --------------------------------------------------------------------------


@given(st.lists(st.floats(0, 100), min_size=1, max_size=30), st.integers(1, 8))
def test_greedy_keeps_the_highest_values_and_of_equal_ones_the_first(values: list[float], width: int) -> None:
    nodes = [node(place, value) for place, value in enumerate(values)]
    kept = BFS(width).selected(nodes)
    assert len(kept) == min(width, len(nodes))
    assert [one.value for one in kept] == sorted(values, reverse=True)[:width]
    assert [one.id for one in kept] == sorted((one.id for one in kept), key=lambda i: (-values[i], i))
    left_out = [one for one in nodes if one not in kept]
    assert all((worse.value or 0, -worse.id) < (kept[-1].value or 0, -kept[-1].id) for worse in left_out)


@given(st.lists(st.sampled_from([0.0, 0.001, 1.0, 20.0]), min_size=1, max_size=12), st.integers(1, 6), st.text())
def test_sampling_takes_no_worthless_state_while_there_is_another_and_repeats_itself(values, width, seed) -> None:
    nodes = [node(place, value) for place, value in enumerate(values)]
    kept = BFS(width, "sample").selected(nodes, seed)
    assert kept == BFS(width, "sample").selected(nodes, seed)
    assert len(kept) == width and set(kept) <= set(nodes)
    if any(values):
        assert all(one.value for one in kept)


def test_sampling_is_in_proportion_to_the_values() -> None:
    nodes = [node(0, 1.0), node(1, 3.0), node(2, 0.0)]
    drawn = Counter(one.id for seed in range(2000) for one in BFS(1, "sample").selected(nodes, str(seed)))
    assert drawn[2] == 0
    assert 0.70 < drawn[1] / 2000 < 0.80


@pytest.mark.parametrize(
    ("text", "exact", "generous"),
    [
        ("sure", "sure", "sure"),
        ("10 + 14 = 24\nsure", "sure", "sure"),
        ("sure\nBut then again", "", "sure"),
        ("Sure.", "", "sure"),
        ("It is likely, no: impossible!", "", "impossible"),
        ("unsure", "", ""),
        ("", "", ""),
    ],
)
def test_which_word_a_judgement_is(text: str, exact: str, generous: str) -> None:
    assert Value().word(text, WORTH) == exact
    assert Value(exact=False).word(text, WORTH) == generous


@pytest.mark.parametrize(
    ("text", "choice"),
    [
        ("The best choice is 12", 12),  # the published pattern reads 2
        ("... so the best choice is Choice 3, as 1 and 2 are worse.", 3),
        ("The best choice is 1? No. The best choice is **4**.", 4),
        ("5", 5),
        ("Comparison.\n 2.", 2),
        ("Choice 2 is fine", None),
        ("The best choice is none of 3.5", None),
        ("", None),
    ],
)
def test_which_choice_a_vote_is_for(text: str, choice: int | None) -> None:
    assert Vote().choice(text) == choice


@given(st.integers(1, 9999), st.text(alphabet="ab \n:*", max_size=5))
def test_whole_numbers_are_voted_for(number: int, gap: str) -> None:
    assert Vote().choice(f"The best choice is {gap} {number}.") == number


# -- a value --------------------------------------------------------------------------------------------

TREES = [
    TreeOfThoughts(),
    TreeOfThoughts("game24"),
    TreeOfThoughts(Game24(legal_only=True), Propose(2), Value(5), BFS(3, "sample"), temperature=0.5),
    TreeOfThoughts("crosswords", search=DFS(2, budget=9, backtrack=False)),
    TreeOfThoughts("creative-writing", Sample(3), Vote(4)),
    TreeOfThoughts(evaluate=Judge(SelfConsistency(CoT(), 3)), search=BestFirst(4), checker=Asking(ZeroShot())),
    TreeOfThoughts(evaluate=Lookahead(Judge(ZeroShot()), 2)),
    SelfConsistency(TreeOfThoughts(search=DFS()), 3),
]


@pytest.mark.parametrize("strategy", TREES, ids=range(len(TREES)))
def test_files_give_the_same_value_back(strategy: Strategy, tmp_path) -> None:
    strategy.save(tmp_path / "tree.yaml")
    again = Strategy.load(tmp_path / "tree.yaml")
    assert again == strategy and hash(again) == hash(strategy)
    assert len({hash(one) for one in TREES}) == len(TREES)


def test_names_stand_for_parts() -> None:
    assert TreeOfThoughts("game24", search="bfs") == TreeOfThoughts(Game24(), search=BFS())
    assert TreeOfThoughts.model_validate({"search": {"name": "bfs", "width": 2}}) == TreeOfThoughts(search=BFS(2))


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (lambda: TreeOfThoughts("game25"), "no problem 'game25'.*game24"),
        (lambda: TreeOfThoughts(search="bsf"), "no search 'bsf'.*known: .*bfs"),
        (lambda: TreeOfThoughts.model_validate({"search": {}}), "say which search it is"),
        (lambda: TreeOfThoughts("game24", evaluate=Vote()), "Vote needs a template 'vote', which Game24 lacks"),
        (lambda: TreeOfThoughts("game24", evaluate=Lookahead(Lookahead(Vote()))), "Vote needs a template 'vote'"),
        (
            lambda: TreeOfThoughts("reasoning", Sample(1), Lookahead(Value(2)), temperature=0),
            "Value with n=2 at temperature 0",
        ),
        (lambda: TreeOfThoughts("game24", Sample()), "Sample needs a template 'sample'"),
        (lambda: TreeOfThoughts(temperature=0), "n=3 at temperature 0"),
        (lambda: BFS(0), "BFS: width: "),
        (lambda: BFS(1, width=2), "'width' twice"),
        (lambda: BFS(1, "greedy", 3), "at most 2 positional"),
        (lambda: Value(wide=3), "wide"),
        (lambda: TreeOfThoughts(search={"name": "bfs", 3: 4}), "keys must be names"),
    ],
)
def test_what_makes_no_sense_is_refused(make: Callable[[], object], complaint: str) -> None:
    with pytest.raises(Exception, match=complaint) as caught:
        make()
    assert "pydantic" not in type(caught.value).__module__ or "say which" in complaint


def test_greedy_trees_ask_equal_prompts_once() -> None:
    backend = FakeBackend(lambda r: "likely" if r.purpose == "value" else "a step")
    TreeOfThoughts("reasoning", Sample(1), Value(1), temperature=0).run("?", backend=backend)
    texts = [request.text for request in backend.calls]
    assert len(texts) == len(set(texts))


def test_what_is_inside_is_seen_from_outside() -> None:
    fake = FakeBackend("4")
    tot = TreeOfThoughts(evaluate=Lookahead(Judge(ZeroShot(backend=fake))))
    assert tot.own_backend() is fake
    assert tot.inner_strategies() == [ZeroShot()]
    assert tot.templates().keys() >= {"zero-shot/plain", "tree-of-thoughts/judge", "tree-of-thoughts/reasoning/sample"}


def test_samples_of_a_whole_tree_differ() -> None:
    backend = world(STEPS, VERDICTS)
    SelfConsistency(TreeOfThoughts("reasoning"), 2).run("?", backend=backend)
    first = [request.sample for request in backend.calls if request.purpose == "sample" and not steps_of(request)]
    assert sorted(first) == [(index, which) for index in range(3) for which in range(2)]
