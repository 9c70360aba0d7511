"""Chains and the rest: the store, strategies as steps, chains in strategies, own parsers, files."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from promptkit import (
    CachedBackend,
    Chain,
    CoT,
    FakeBackend,
    Flow,
    Question,
    Request,
    SelfConsistency,
    Step,
    Strategy,
    ZeroShot,
)
from promptkit.errors import ConfigError
from promptkit.strategies import register_parser
from promptkit.strategies.pool import Pool
from tests.strategies.chains import PAIRS, RELATION, REPORT, TEXT, Person, answers, by_purpose, purposes

# -- change one step, run again -----------------------------------------------------------------------


@pytest.fixture
def again(tmp_path: Path) -> Iterator[Callable[..., list[str]]]:
    """Runs a chain on one store and tells for which steps new texts were generated."""
    stores: list[CachedBackend] = []

    def run(*steps: Step, texts: Callable[[Request], str] = answers, question: Question = TEXT) -> list[str]:
        fake = FakeBackend(texts)
        stores.append(CachedBackend(fake, tmp_path / "store.sqlite"))
        Chain(steps).run(question, backend=stores[-1])
        return purposes(fake)

    yield run
    for store in stores:
        store.close()


def changed(step: Step, old: str, new: str) -> Step:
    assert step.prompt and old in step.prompt
    return step.model_copy(update={"prompt": step.prompt.replace(old, new)})


def test_the_same_chain_again_generates_nothing(again: Callable[..., list[str]]) -> None:
    assert again(PAIRS, RELATION, REPORT) == ["pairs", "relation", "relation", "report"]
    assert again(PAIRS, RELATION, REPORT) == []


def test_a_changed_step_generates_itself_and_what_follows(again: Callable[..., list[str]]) -> None:
    again(PAIRS, RELATION, REPORT)
    assert again(PAIRS, RELATION, changed(REPORT, "Sum up", "In short")) == ["report"]

    def others(request: Request) -> str:
        return request.text if request.purpose == "relation" else answers(request)

    assert again(PAIRS, changed(RELATION, "Relation", "Link"), REPORT, texts=others) == [
        "relation",
        "relation",
        "report",
    ]


def test_what_follows_is_only_generated_where_it_sees_another_value(again: Callable[..., list[str]]) -> None:
    again(PAIRS, RELATION, REPORT)
    assert again(changed(PAIRS, "Pairs", "All pairs"), RELATION, REPORT) == ["pairs"], "the same pairs came out"


def test_one_changed_item_is_the_only_one_asked(again: Callable[..., list[str]]) -> None:
    again(PAIRS, RELATION)

    def another(request: Request) -> str:
        return "- Ann | Bob\n- Cy | Eve\n- Fay | Gil" if request.purpose == "pairs" else answers(request)

    assert again(changed(PAIRS, "Pairs", "Names"), RELATION, texts=another) == ["pairs", "relation", "relation"]


def test_an_inserted_step_leaves_the_others_alone(again: Callable[..., list[str]]) -> None:
    again(PAIRS, RELATION)
    assert again(PAIRS, Step(name="aside", prompt="Aside"), RELATION) == ["aside"]


# -- strategies in chains, chains in strategies -------------------------------------------------------


def test_any_strategy_is_a_step() -> None:
    chain = Chain(
        (
            Step(name="facts", prompt="Facts of: {{ question }}"),
            Step(name="solve", prompt="{{ facts }} {{ question }}", strategy=SelfConsistency(CoT(), 3)),
        )
    )
    backend = FakeBackend(lambda r: {"facts": "Two and two.", "rationale": "Hm.", "answer": "4"}[r.purpose])
    result = chain.run("2 + 2?", backend=backend)
    assert result.answer == "4"
    assert result.agreement == 1
    assert purposes(backend) == ["facts", *["rationale"] * 3, "answer"]
    assert backend.calls[1].messages[0].content.startswith("Two and two. 2 + 2?")
    run = result.details["steps"]["solve"]["runs"][0]
    assert (run["input"], run["value"]) == ("Two and two. 2 + 2?", "4")
    assert run["result"]["votes"] == [{"value": "4", "count": 3}]


def test_a_strategy_without_a_prompt_is_asked_the_question() -> None:
    backend = FakeBackend("It is 4.")
    result = Chain((Step(name="solve", strategy=ZeroShot()),)).run("2 + 2?", backend=backend)
    assert (result.answer, backend.calls[0].messages[0].content) == ("4", "2 + 2?")
    assert result.extraction is not None


def test_a_strategy_may_be_asked_for_another_kind_of_answer() -> None:
    pick = Question(text="Which?", kind="choice", choices=("one", "two"))
    chain = Chain(
        (
            Step(name="names", prompt="Who is in it?", strategy=ZeroShot(), kind="set"),
            Step(name="each", prompt="{{ item }}?", over="names"),
            Step(name="pick", strategy=ZeroShot()),
        )
    )
    backend = FakeBackend(lambda r: "Bob, Ann" if "Who" in r.text else "(B)" if "Which" in r.text else "fine")
    result = chain.run(pick, backend=backend)
    assert [request.text for request in backend.calls[1:3]] == ["ann?", "bob?"]
    assert "Choices" not in backend.calls[0].messages[0].content
    assert "(B) two" in backend.calls[3].messages[0].content
    assert result.answer == "B"


def test_a_strategy_whose_answer_cannot_be_read_is_asked_again() -> None:
    texts = iter(["no idea", "4"])
    backend = FakeBackend(lambda _: next(texts))
    result = Chain((Step(name="solve", strategy=ZeroShot()),)).run("2 + 2?", backend=backend)
    assert result.answer == "4"
    assert "no idea" in backend.calls[1].text
    assert "there is no answer in it" in backend.calls[1].text


def test_a_chain_is_sampled_like_any_strategy() -> None:
    chain = Chain(
        (Step(name="plan", prompt="Plan: {{ question }}", temperature=0), Step(name="do", prompt="{{ plan }}"))
    )
    backend = FakeBackend(lambda r: "a plan" if r.purpose == "plan" else f"The answer is {min(r.sample[0], 1)}.")
    result = SelfConsistency(chain, 3).run("?", backend=backend)
    assert result.answer == "1"
    assert [(r.purpose, r.sample) for r in backend.calls] == [("plan", ()), ("do", (0,)), ("do", (1,)), ("do", (2,))]
    assert [one.details["steps"]["do"]["value"] for one in result.candidates] == [
        f"The answer is {n}." for n in (0, 1, 1)
    ]


def test_a_sample_that_cannot_be_read_does_not_vote() -> None:
    chain = Chain((Step(name="count", prompt="?", parse="number", retries=0),))
    backend = FakeBackend(lambda r: "many" if r.sample == (0,) else "5")
    result = SelfConsistency(chain, 3).run("?", backend=backend)
    assert (result.answer, result.details["failed_samples"]) == ("5", 1)


def test_chains_nest() -> None:
    inner = Chain((Step(name="double", prompt="Twice {{ question }}"),))
    outer = Chain((Step(name="start", prompt="?"), Step(name="inner", prompt="{{ start }}", strategy=inner)))
    backend = by_purpose(start="21", double="42")
    result = outer.run("?", backend=backend)
    assert (result.answer, backend.calls[1].text) == ("42", "Twice 21")
    assert set(outer.templates()) == {"chain/retry"}


def test_its_strategies_lend_it_their_backend_and_their_templates() -> None:
    backend = FakeBackend("4")
    chain = Chain((Step(name="a", strategy=CoT(backend=backend)), Step(name="b", template="zero-shot/plain")))
    assert chain.run("2 + 2?").answer == "4"
    assert len(backend.calls) == 3
    assert set(chain.templates()) == {"chain/retry", "cot/zero-shot", "cot/answer", "zero-shot/plain"}
    with pytest.raises(ConfigError, match="different backends"):
        Chain((*chain.links, Step(name="c", strategy=CoT(backend=FakeBackend())))).run("?")


class Trained(Strategy):
    """Becomes zero-shot once it has seen a pool."""

    tag = "test-chain-trained"

    def needs_pool(self) -> bool:
        """It does."""
        return True

    def prepare(self, pool: Pool) -> Flow[Strategy]:
        """Zero-shot with as many tokens as there are questions."""
        yield from ()
        return ZeroShot(max_tokens=len(pool.items))


def test_steps_that_need_a_pool_are_prepared() -> None:
    chain = Chain((Step(name="a", prompt="?"), Step(name="b", prompt="{{ a }}", strategy=Trained())))
    assert chain.needs_pool()
    backend = FakeBackend("4")
    assert chain.run("2 + 2?", backend=backend).answer == "4"
    assert backend.calls[1].sampling.max_tokens != 300
    assert not Chain((PAIRS,)).needs_pool()


# -- own parsers, models, files -----------------------------------------------------------------------


def test_a_model_checks_what_the_model_writes() -> None:
    person = Step(name="person", prompt="Who?", parse="json", model=Person)
    chain = Chain((person, Step(name="next", prompt="{{ person.name }} at {{ person.age + 1 }}")))
    backend = by_purpose(person=['{"name": "Ann"}', '{"name": "Ann", "age": "41"}'], next="ok")
    chain.run(TEXT, backend=backend)
    assert "age: Field required" in backend.calls[1].messages[-1].content
    assert backend.calls[2].text == "Ann at 42"


def words(text: str) -> list[str]:
    return text.split()


def test_an_own_parser_is_known_by_its_name(tmp_path: Path) -> None:
    register_parser("test-words", words, expected="words", gives_list=True)
    chain = Chain(
        (Step(name="words", prompt="?", parse="test-words"), Step(name="each", prompt="{{ item }}", over="words"))
    )
    chain.save(tmp_path / "chain.yaml")
    backend = by_purpose(words="a b", each=["A", "B"])
    assert Strategy.load(tmp_path / "chain.yaml").run(TEXT, backend=backend).text == "A\n\nB"


def test_a_python_class_cannot_be_saved_and_says_so(tmp_path: Path) -> None:
    chain = Chain((Step(name="person", prompt="Who?", parse="json", model=Person),))
    for strategy in (chain, SelfConsistency(chain), Chain((Step(name="a", strategy=chain),))):
        with pytest.raises(ConfigError, match=r"cannot be saved: .*step 'person' holds the Python class Person"):
            strategy.save(tmp_path / "chain.yaml")
    assert not list(tmp_path.iterdir())
    assert chain.model_dump(mode="json")["links"][0]["model"].endswith("Person"), "a run's manifest can name it"


def test_a_chain_survives_its_file(tmp_path: Path) -> None:
    chain = Chain(
        (
            PAIRS,
            RELATION.model_copy(update={"when": "item[0] != 'Ann'", "max_tokens": 9, "stop": ("\n",)}),
            Step(
                name="solve",
                prompt="{{ relation | length }}",
                strategy=SelfConsistency(CoT(max_tokens=5), 3),
                kind="text",
            ),
        ),
        answer="relation",
        extractor="whole",
    )
    for strategy in (chain, SelfConsistency(chain, 4)):
        strategy.save(tmp_path / "chain.yaml")
        again = Strategy.load(tmp_path / "chain.yaml")
        assert again == strategy
        assert hash(again) == hash(strategy)
    assert chain != Chain((PAIRS,))


def test_a_file_written_by_hand(tmp_path: Path) -> None:
    (tmp_path / "chain.yaml").write_text(
        """
        strategy: chain
        links:
          - {name: pairs, prompt: "Pairs in: {{ question }}", parse: pairs}
          - {name: relation, prompt: "Relation of {{ item[0] }} and {{ item[1] }}?", over: pairs}
        """
    )
    assert Strategy.load(tmp_path / "chain.yaml") == Chain((PAIRS, RELATION))
