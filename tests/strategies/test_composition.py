"""Strategies inside strategies: what may be nested, what is refused, and that files give back what was saved."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import PrivateAttr

from promptkit import (
    AutoCoT,
    Chain,
    CoT,
    Demonstration,
    FakeBackend,
    FewShot,
    Flow,
    Question,
    Result,
    SelfConsistency,
    Step,
    Strategy,
    TreeOfThoughts,
    ZeroShot,
    gather,
)
from promptkit.errors import ConfigError
from promptkit.flow import ask
from promptkit.strategies import PRESETS, resolve
from promptkit.strategies.base import read, request
from promptkit.strategies.pool import Pool, packaged_pool
from promptkit.strategies.tree import Asking, Judge
from promptkit.templates import Template, load
from promptkit.types import Completion, Request

DEMOS = (Demonstration(question="1 + 1?", answer="2", rationale="Both make two."),)


class Ensemble(Strategy):
    """Asks several strategies and returns the first one's result."""

    tag = "test-ensemble"
    members: tuple[Strategy, ...]

    def steps(self, question: Question) -> Flow[Result]:
        """All side by side."""
        return (yield from gather(member.steps(question) for member in self.members))[0]


class Polished(Strategy):
    """Asks an inner strategy, then asks to polish its answer."""

    tag = "test-polished"
    inner: Strategy
    temperature: float | None = None
    _template: Template = PrivateAttr()

    def model_post_init(self, context: Any) -> None:  # noqa: ARG002
        """Read the template."""
        self._template = load("cot/one-stage")

    def steps(self, question: Question) -> Flow[Result]:
        """The polished answer."""
        draft = yield from self.inner.steps(question)
        prompt = self._template.render(question=question.text, kind="number", trigger=f"Is {draft.answer} right?")
        polished = yield from ask(request(prompt, temperature=self.temperature))
        return read(polished, question, None)


class Trained(Strategy):
    """Becomes few-shot with the first `k` demonstrations of the pool."""

    tag = "test-trained"
    k: int = 2

    def needs_pool(self) -> bool:
        """Always."""
        return True

    def prepare(self, pool: Pool) -> Flow[Strategy]:
        """Few-shot."""
        yield from ()
        return FewShot(pool.demonstrations()[: self.k])


# -- files ------------------------------------------------------------------------------------------

texts = st.text(min_size=1, max_size=12)
common = {"max_tokens": st.integers(1, 999), "temperature": st.none() | st.floats(0.01, 2)}
demonstrations = st.lists(
    st.builds(Demonstration, question=texts, answer=texts, rationale=texts.filter(str.strip), id=texts),
    min_size=1,
    max_size=2,
).map(tuple)
plain: st.SearchStrategy[Strategy] = (
    st.builds(
        ZeroShot, style=st.sampled_from(["plain", "direct"]), extractor=st.sampled_from([None, "whole"]), **common
    )
    | st.builds(FewShot, demos=demonstrations, **common)
    | st.builds(CoT, trigger=texts, stages=st.sampled_from([None, 1, 2]), **common)
    | st.builds(CoT, demos=demonstrations, **common)
    | st.builds(Trained, k=st.integers(1, 9))
)
prepared = st.builds(AutoCoT, k=st.integers(1, 9), seed=st.integers(0, 999), embedder=st.just("tf-idf"))


def chained(strategies: list[Strategy]) -> Chain:
    """A prompt, then the strategies, each asked about what the first step found."""
    links = (Step(name=f"s{place}", prompt="{{ facts }}", strategy=one) for place, one in enumerate(strategies))
    return Chain((Step(name="facts", prompt="List the facts: {{ question }}"), *links))


def nestings(leaves: st.SearchStrategy[Strategy], most_samples: int) -> st.SearchStrategy[Strategy]:
    """Strategies nested in all ways that make sense."""
    sampling = {"n": st.integers(1, most_samples), "temperature": st.floats(0.01, 2)}

    def wrapped(inner: st.SearchStrategy[Strategy]) -> st.SearchStrategy[Strategy]:
        return (
            st.builds(SelfConsistency, inner=inner, adaptive=st.none() | st.floats(0.51, 0.99), **sampling)
            | st.builds(
                SelfConsistency,
                inner=inner,
                vote=st.sampled_from(["similarity", "overlap"]),
                embedder=st.just("tf-idf"),
                **sampling,
            )
            | st.builds(SelfConsistency, inner=leaves, vote=st.just("weighted"), **sampling)
            | st.builds(Ensemble, members=st.lists(inner, min_size=1, max_size=3).map(tuple))
            | st.builds(Polished, inner=inner)
            | st.builds(chained, st.lists(inner, min_size=1, max_size=2))
        )

    return st.recursive(leaves, wrapped, max_leaves=5)


def trees(inner: st.SearchStrategy[Strategy]) -> st.SearchStrategy[Strategy]:
    return st.builds(TreeOfThoughts, problem=st.just("reasoning"), evaluate=st.builds(Judge, inner=inner))


@settings(max_examples=150, deadline=None)
@given(strategy=nestings(plain | prepared | trees(plain), 50))
def test_every_nesting_survives_its_file(tmp_path_factory: pytest.TempPathFactory, strategy: Strategy) -> None:
    path = tmp_path_factory.mktemp("yaml") / "strategy.yaml"
    strategy.save(path)
    again = Strategy.load(path)
    assert again == strategy
    assert hash(again) == hash(strategy)
    assert again.model_dump() == strategy.model_dump()
    assert again.templates() == strategy.templates()
    assert again.needs_pool() == strategy.needs_pool()


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_survives_its_file_alone_and_under_self_consistency(name: str, tmp_path: Path) -> None:
    for strategy in (preset := resolve(name), SelfConsistency(preset, 3)):
        strategy.save(tmp_path / "strategy.yaml")
        assert Strategy.load(tmp_path / "strategy.yaml") == strategy


@settings(max_examples=50, deadline=None)
@given(strategy=nestings(plain, 3))
def test_every_nesting_answers(strategy: Strategy) -> None:
    backend = FakeBackend(lambda _: Completion(text="31", logprob=-1.0, completion_tokens=2), batch_size=64)
    result = strategy.run("How many?", backend=backend)
    assert result.answer == "31"


# -- what makes sense -------------------------------------------------------------------------------

GREEDY = ZeroShot(temperature=0)
SENSELESS: dict[str, Callable[[], Any]] = {
    "greedy": lambda: SelfConsistency(GREEDY, 5),
    "all steps greedy, two levels down": lambda: SelfConsistency(SelfConsistency(Ensemble((GREEDY,)), 1), 5),
    "all members greedy": lambda: SelfConsistency(Ensemble((GREEDY, CoT(temperature=0))), 5),
    "greedy below": lambda: SelfConsistency(Ensemble((SelfConsistency(GREEDY, 1),)), 5),
    "greedy by itself": lambda: SelfConsistency(Polished(CoT(), temperature=0), 5),
}


@pytest.mark.parametrize("make", SENSELESS.values(), ids=SENSELESS.keys())
def test_samples_that_would_all_be_the_same_are_refused_when_it_is_made(make: Callable[[], Any]) -> None:
    with pytest.raises(ConfigError, match=r"temperature 0, so all 5 samples would be the same"):
        make()


@pytest.mark.parametrize("place", ["problem", "generate", "search"])
def test_what_a_strategy_cannot_be_in_a_tree_is_said(place: str) -> None:
    with pytest.raises(ConfigError, match=r"a strategy \(TreeOfThoughts\) cannot be the \w+ of a tree \(known: "):
        TreeOfThoughts(**{place: TreeOfThoughts()})
    with pytest.raises(ConfigError, match=rf"{place}: must be a mapping"):
        TreeOfThoughts(**{place: 3})


def test_demonstrations_of_another_kind_of_answer_are_refused() -> None:
    auto = AutoCoT(k=2, embedder="tf-idf")
    with pytest.raises(ConfigError, match=r"step 'sure': its strategy takes demonstrations .* asked for a yesno"):
        Step(name="sure", prompt="Is that so? {{ question }}", strategy=SelfConsistency(auto, 3), kind="yesno")
    checked = TreeOfThoughts(checker=Asking(auto))
    with pytest.raises(ConfigError, match=r"Asking asks AutoCoT for a yesno, but the pool gsm8k-style .* a number"):
        checked.run("How many?", backend=FakeBackend("31"))
    of_yesno = Question(text="Is it?", kind="yesno")
    with pytest.raises(ConfigError, match=r"Judge asks AutoCoT for a number, but the pool pools/yesno"):
        TreeOfThoughts(evaluate=auto).run(of_yesno, backend=FakeBackend("yes"))
    assert checked.run(of_yesno, backend=FakeBackend("So it is, and the answer is yes.")).answer == "yes"


SENSIBLE: dict[str, Callable[[], Strategy]] = {
    "few-shot": lambda: SelfConsistency(FewShot(DEMOS), 3),
    "a chain with a greedy step": lambda: SelfConsistency(chained([GREEDY]), 3),
    "a chain of votes": lambda: chained([SelfConsistency(CoT(), 3)]),
    "a tree": lambda: SelfConsistency(TreeOfThoughts(), 2),
    "a tree with votes as judge": lambda: TreeOfThoughts(evaluate=Judge(SelfConsistency(ZeroShot(), 3))),
    "a tree with votes as evaluator": lambda: TreeOfThoughts(evaluate=SelfConsistency(ZeroShot(), 3)),
    "a tree with a vote as checker": lambda: TreeOfThoughts(checker=SelfConsistency(ZeroShot(), 3)),
    "a tree with a greedy judge": lambda: SelfConsistency(TreeOfThoughts(evaluate=Judge(GREEDY)), 2),
    "some members greedy": lambda: SelfConsistency(Ensemble((GREEDY, CoT())), 3),
    "a sampling wrapper around a greedy one": lambda: SelfConsistency(Polished(GREEDY, temperature=0.5), 3),
    "a vote of votes": lambda: SelfConsistency(SelfConsistency(CoT(), 3), 3),
    "an ensemble of votes": lambda: Ensemble((SelfConsistency(CoT(), 3), ZeroShot())),
}


@pytest.mark.parametrize("make", SENSIBLE.values(), ids=SENSIBLE.keys())
def test_sensible_nestings_are_made_and_run(make: Callable[[], Strategy]) -> None:
    assert make().run("How many?", backend=FakeBackend("31")).answer == "31"


def test_a_strategy_in_the_place_of_a_part_is_that_part(tmp_path: Path) -> None:
    votes = SelfConsistency(ZeroShot(), 3)
    tree = TreeOfThoughts("reasoning", evaluate=votes, checker=ZeroShot())
    assert tree == TreeOfThoughts("reasoning", evaluate=Judge(votes), checker=Asking(ZeroShot()))
    tree.save(tmp_path / "tree.yaml")
    assert Strategy.load(tmp_path / "tree.yaml") == tree
    (tmp_path / "short.yaml").write_text(
        "{strategy: tree-of-thoughts, problem: reasoning, checker: {strategy: zero-shot},"
        " evaluate: {strategy: self-consistency, inner: {strategy: zero-shot}, n: 3}}"
    )
    assert Strategy.load(tmp_path / "short.yaml") == tree


def test_the_agreement_of_a_vote_of_votes_tells_how_steady_the_smaller_vote_is() -> None:
    """Three votes over three samples each: the samples say 1 1 2, 2 2 1 and 1 1 1."""
    said = {0: "112", 1: "221", 2: "111"}
    backend = FakeBackend(lambda request: said[request.sample[1]][request.sample[0]])
    result = SelfConsistency(SelfConsistency(ZeroShot(), 3), 3).run("?", backend=backend)
    assert [candidate.answer for candidate in result.candidates] == ["1", "2", "1"]
    assert (result.answer, result.agreement) == ("1", 2 / 3)


# -- what must be prepared ----------------------------------------------------------------------------


def test_what_is_inside_is_prepared_with_the_pool() -> None:
    strategy = SelfConsistency(
        Ensemble((ZeroShot(), SelfConsistency(Trained(k=3), 2, vote="weighted"))), 4, adaptive=0.9
    )
    assert strategy.needs_pool()
    flow = strategy.prepare(packaged_pool("number"))
    with pytest.raises(StopIteration) as stop:
        next(flow)
    ready = stop.value.value
    few_shot = FewShot(packaged_pool("number").demonstrations()[:3])
    assert ready == SelfConsistency(
        Ensemble((ZeroShot(), SelfConsistency(few_shot, 2, vote="weighted"))), 4, adaptive=0.9
    )
    assert not ready.needs_pool()


def test_it_is_prepared_when_it_runs_and_its_demonstrations_do_not_hold_the_question() -> None:
    backend = FakeBackend("31")
    pool = packaged_pool("number")
    asked = pool.items[0].question.text
    assert SelfConsistency(Trained(), 3).run(asked, backend=backend).answer == "31"
    assert [request.text.count(asked) for request in backend.calls] == [1, 1, 1]
    assert pool.items[-1].question.text != asked


def test_auto_cot_is_prepared_once_and_then_sampled() -> None:
    def answer(request: Request) -> str:
        return "Count them: it is 31." if request.purpose != "answer" else "31"

    backend = FakeBackend(answer, batch_size=64)
    result = SelfConsistency(AutoCoT(k=2, embedder="tf-idf"), 5).run("How many?", backend=backend)
    assert (result.answer, result.agreement) == ("31", 1.0)
    asked = [request for request in backend.calls if "How many?" in request.text and request.sample]
    assert [request.sample for request in asked] == [(i,) for i in range(5)]
    assert {request.text.count("Count them: it is 31.") for request in asked} == {2}
    assert not any(request.sample for request in backend.calls if request not in asked)
