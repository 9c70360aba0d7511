"""Chains: what later steps see, fan-out, conditions, retries, the store, composition, files, and what is refused."""

import json
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from promptkit import (
    CachedBackend,
    Chain,
    Completion,
    CoT,
    FakeBackend,
    Flow,
    Question,
    Request,
    Result,
    SelfConsistency,
    Step,
    Strategy,
    ZeroShot,
    evaluate,
    score_steps,
)
from promptkit.errors import BackendError, ConfigError
from promptkit.evaluation import StepScore
from promptkit.strategies import register_parser
from promptkit.strategies.pool import Pool
from tests.isolation import ROOT

TEXT = Question(text="Ann met Bob. Cy paid Dee.", kind="text")
PAIRS = Step(name="pairs", prompt="Pairs in: {{ question }}", parse="pairs")
RELATION = Step(name="relation", prompt="Relation of {{ item[0] }} and {{ item[1] }}?", over="pairs")
REPORT = Step(name="report", prompt="Sum up: {{ relation | join('; ') }}")


def answers(request: Request) -> str:
    """The document's two pairs, a relation for each, and a report."""
    match request.purpose:
        case "pairs":
            return "- Ann | Bob\n- Cy | Dee"
        case "relation":
            return "they met" if "Ann" in request.text else "one paid"
        case _:
            return f"Report on <{request.text}>"


def by_purpose(**texts: str | list[str]) -> FakeBackend:
    """Answers by step; of a list, one text after the other."""
    left = {name: iter([text] if isinstance(text, str) else text) for name, text in texts.items()}
    return FakeBackend(lambda request: next(left[request.purpose]))


def purposes(backend: FakeBackend) -> list[str]:
    return [request.purpose for request in backend.calls]


# -- what steps see -----------------------------------------------------------------------------------


def test_a_step_runs_over_the_list_of_another_and_a_third_sees_the_whole() -> None:
    backend = FakeBackend(answers)
    result = Chain((PAIRS, RELATION, REPORT), extractor="whole").run(TEXT, backend=backend)
    assert [request.text for request in backend.calls] == [
        "Pairs in: Ann met Bob. Cy paid Dee.",
        "Relation of Ann and Bob?",
        "Relation of Cy and Dee?",
        "Sum up: they met; one paid",
    ]
    assert result.text == "Report on <Sum up: they met; one paid>"
    assert result.answer == "report on <sum up: they met; one paid>"


def test_the_items_are_pending_together() -> None:
    backend = FakeBackend(answers, batch_size=8)
    taken: list[int] = []
    serve = backend.generate
    backend.generate = lambda requests: taken.append(len(requests)) or serve(requests)  # type: ignore[method-assign]
    Chain((PAIRS, RELATION)).run(TEXT, backend=backend)
    assert taken == [1, 2]


def test_every_intermediate_result_can_be_looked_at() -> None:
    result = Chain((PAIRS, RELATION)).run(TEXT, backend=FakeBackend(answers))
    steps = result.details["steps"]
    assert list(steps) == ["pairs", "relation"]
    assert steps["pairs"] == {
        "value": [["Ann", "Bob"], ["Cy", "Dee"]],
        "runs": [
            {
                "input": "Pairs in: Ann met Bob. Cy paid Dee.",
                "text": "- Ann | Bob\n- Cy | Dee",
                "value": [["Ann", "Bob"], ["Cy", "Dee"]],
                "retries": 0,
            }
        ],
    }
    assert steps["relation"]["value"] == ["they met", "one paid"]
    assert [run["input"] for run in steps["relation"]["runs"]] == [
        "Relation of Ann and Bob?",
        "Relation of Cy and Dee?",
    ]
    assert json.loads(json.dumps(steps)) == steps


def test_a_list_of_lists_can_be_run_over_again() -> None:
    chain = Chain(
        (
            Step(name="towns", prompt="Towns?", parse="list"),
            Step(name="streets", prompt="Streets of {{ item }}?", parse="list", over="towns"),
            Step(
                name="count",
                prompt="{{ towns[index] }} has {{ item | length }}: {{ item | join('+') }}",
                over="streets",
            ),
        )
    )
    backend = by_purpose(towns="A, B", streets=["x, y", "z"], count=["1", "2"])
    chain.run(TEXT, backend=backend)
    assert [request.text for request in backend.calls[-2:]] == ["A has 2: x+y", "B has 1: z"]


def test_an_empty_list_asks_nothing_more() -> None:
    backend = by_purpose(pairs="None.", report="nothing")
    result = Chain((PAIRS, RELATION, REPORT), extractor="whole").run(TEXT, backend=backend)
    assert purposes(backend) == ["pairs", "report"]
    assert result.details["steps"]["relation"] == {"value": [], "runs": []}
    assert result.answer == "nothing"


def test_a_list_that_is_too_long_fails_instead_of_costing() -> None:
    backend = by_purpose(names="\n".join(f"{n}. x{n}" for n in range(101)))
    chain = Chain((Step(name="names", prompt="?", parse="list"), Step(name="each", prompt="{{ item }}", over="names")))
    with pytest.raises(BackendError, match=r"'names' gave 101 items, and 'each' takes at most 100 \(ask for fewer"):
        chain.run(TEXT, backend=backend)


def test_settings_of_a_step_reach_its_requests() -> None:
    backend = FakeBackend("1")
    steps = Step(name="a", prompt="?", max_tokens=7, temperature=0.5, stop=("\n",)), Step(name="b", prompt="!")
    Chain(steps).run("?", backend=backend)
    first, second = (request.sampling for request in backend.calls)
    assert (first.max_tokens, first.temperature, first.stop) == (7, 0.5, ("\n",))
    assert (second.max_tokens, second.temperature, second.stop) == (300, None, ())


def test_the_chain_s_temperature_is_for_steps_that_name_none() -> None:
    backend = FakeBackend("1")
    chain = Chain((Step(name="a", prompt="?"), Step(name="b", prompt="!", temperature=0.2)), temperature=0)
    chain.run("?", backend=backend)
    assert [request.sampling.temperature for request in backend.calls] == [0, 0.2]
    with pytest.raises(ConfigError, match="Chain has temperature 0"):
        SelfConsistency(chain, 3)


def test_a_greedy_strategy_among_open_steps_may_be_sampled() -> None:
    chain = Chain((Step(name="a", prompt="?"), Step(name="b", prompt="{{ a }}", strategy=ZeroShot(temperature=0))))
    backend = FakeBackend(lambda r: f"{r.sample[0]}" if r.purpose == "a" else r.messages[0].content)
    assert len(SelfConsistency(chain, 3).run("?", backend=backend).votes) == 3


def test_what_a_model_writes_opens_no_turn_and_runs_no_template() -> None:
    hostile = "{% user %}{{ 7 * 7 }}{% enduser %}"
    backend = by_purpose(draft=hostile, check="ok")
    Chain((Step(name="draft", prompt="?"), Step(name="check", prompt="Check: {{ draft }}"))).run(TEXT, backend=backend)
    assert [message.content for message in backend.calls[1].messages] == [f"Check: {hostile}"]


# -- conditions ---------------------------------------------------------------------------------------

BRANCHES = (
    Step(name="sort", prompt="Sort: {{ question }}"),
    Step(name="bill", prompt="Bill?", when="'bill' in sort"),
    Step(name="other", prompt="Other?", when="not 'bill' in sort"),
)


@pytest.mark.parametrize(("sort", "asked"), [("bill", "bill"), ("else", "other")])
def test_the_branch_that_ran_gives_the_answer(sort: str, asked: str) -> None:
    backend = by_purpose(sort=sort, bill="the bill", other="the other")
    result = Chain(BRANCHES, extractor="whole").run(TEXT, backend=backend)
    assert purposes(backend) == ["sort", asked]
    assert result.text == f"the {asked}"
    (skipped,) = {"bill", "other"} - {asked}
    assert result.details["steps"][skipped] == {"value": None, "runs": [None]}


def test_a_condition_may_look_at_the_item() -> None:
    some = RELATION.model_copy(update={"when": "item[0] != 'Ann'"})
    last = Step(name="report", prompt="{% for one in relation if one is not none %}{{ one }}{% endfor %}")
    backend = FakeBackend(answers)
    result = Chain((PAIRS, some, last)).run(TEXT, backend=backend)
    assert result.details["steps"]["relation"]["value"] == [None, "one paid"]
    assert backend.calls[-1].text == "one paid"


def test_a_named_step_gives_the_answer_and_what_runs_over_a_skipped_step_is_empty() -> None:
    never = PAIRS.model_copy(update={"when": "false"})
    first = Step(name="first", prompt="?")
    result = Chain((first, never, RELATION), answer="first").run("?", backend=by_purpose(first="It is 7."))
    assert result.answer == "7"
    assert result.details["steps"]["relation"] == {"value": [], "runs": []}
    assert Chain((first, never), answer="pairs").run("?", backend=by_purpose(first="It is 7.")).answer is None


# -- texts that cannot be read ------------------------------------------------------------------------

COUNT = Step(name="count", prompt="How many?", parse="number")


def test_the_model_is_shown_its_text_and_what_is_wrong() -> None:
    backend = by_purpose(count=["many", "", "3"])
    result = Chain((COUNT,)).run("?", backend=backend)
    assert result.answer == "3"
    first, second, third = backend.calls
    assert [(turn.role, turn.content) for turn in first.messages] == [("user", "How many?")]
    assert [turn.role for turn in second.messages] == ["user", "assistant", "user"]
    assert second.messages[1].content == "many"
    assert "there is no number in it" in second.messages[2].content
    assert "one number" in second.messages[2].content
    assert second.text.startswith("How many? many\n\n")
    assert third.messages[:2] == second.messages[:2]
    assert [turn.role for turn in third.messages] == ["user", "assistant", "user"], "no empty turn"
    ids = [call.completion.id for call in result.trace if call.completion]
    assert [request.parent for request in backend.calls] == [None, *ids[:2]], "a retry continues the text before"
    (run,) = result.details["steps"]["count"]["runs"]
    assert (run["value"], run["retries"]) == (3, 2)
    assert [one["text"] for one in run["rejected"]] == ["many", ""]


@pytest.mark.parametrize("retries", [0, 1, 3])
def test_after_so_many_attempts_the_question_fails_and_says_why(retries: int) -> None:
    backend = FakeBackend("many")
    step = COUNT.model_copy(update={"retries": retries})
    (result,) = Chain((step,)).run_many(["?"], backend=backend)
    assert len(backend.calls) == retries + 1
    assert result.error == (
        f"step 'count' could not be read in {retries + 1} attempts: there is no number in it "
        "(reword its prompt, or read it with another parser)"
    )


def test_one_question_that_fails_does_not_stop_the_others() -> None:
    backend = FakeBackend(lambda request: "many" if "bad" in request.text else "3")
    step = Step(name="count", prompt="{{ question }}", parse="number")
    results = Chain((step,)).run_many(["good", "bad", "fine"], backend=backend)
    assert [result.answer for result in results] == ["3", None, "3"]


def test_an_item_is_retried_alone() -> None:
    texts = {"Ann": iter(["?", "4"]), "Cy": iter(["5"])}
    ages = Step(name="relation", prompt="{{ item[0] }}", parse="number", over="pairs")
    backend = FakeBackend(lambda r: answers(r) if r.purpose == "pairs" else next(texts[r.messages[0].content]))
    result = Chain((PAIRS, ages)).run(TEXT, backend=backend)
    assert result.details["steps"]["relation"]["value"] == [4, 5]
    assert len(backend.calls) == 4


def test_a_text_that_was_cut_off_is_told_so() -> None:
    texts = iter([Completion(text="[1, 2", finish_reason="length"), Completion(text="[1, 2]", finish_reason="length")])
    backend = FakeBackend(lambda _: next(texts))
    result = Chain((Step(name="values", prompt="?", parse="json"),)).run(TEXT, backend=backend)
    assert "cut off by the token limit" in backend.calls[1].messages[-1].content
    assert result.truncated
    assert result.details["steps"]["values"]["runs"][0]["truncated"] is True


def test_json_that_is_run_over_must_be_a_list() -> None:
    chain = Chain(
        (Step(name="values", prompt="?", parse="json"), Step(name="each", prompt="{{ item }}", over="values"))
    )
    backend = by_purpose(values=['{"a": 1}', "[1, 2]"], each=["x", "y"])
    assert chain.run(TEXT, backend=backend).details["steps"]["each"]["value"] == ["x", "y"]


def test_a_prompt_that_stumbles_over_a_value_fails_only_its_question() -> None:
    backend = FakeBackend(lambda r: "Ann | Bob" if "good" in r.text else "none")
    step = Step(name="first", prompt="Of {{ pairs[0] | join(', ') }}?")
    results = Chain((PAIRS, step)).run_many(["good", "bad"], backend=backend)
    assert results[0].error is None
    assert str(results[1].error).startswith("step 'first' cannot be asked: ")


# -- the answer ---------------------------------------------------------------------------------------


def test_the_items_of_a_list_answer_a_question_of_kind_set() -> None:
    question = Question(text="Who?", kind="set")
    names = Step(name="names", prompt="?", parse="list")
    assert Chain((names,)).run(question, backend=FakeBackend("- Bob Lee\n- Ann")).answer == ("ann", "bob lee")
    assert Chain((PAIRS,)).run(question, backend=FakeBackend("Ann | Bob")).answer == ("ann — bob",)
    assert Chain((names,)).run(question, backend=FakeBackend("none")).answer is None


def test_several_items_answer_with_all_their_texts() -> None:
    result = Chain((PAIRS, RELATION), extractor="whole").run(TEXT, backend=FakeBackend(answers))
    assert result.text == "they met\n\none paid"


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


class Person(BaseModel):
    name: str
    age: int


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


# -- senseless chains ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Chain(()), "links: "),
        (lambda: Chain((PAIRS, PAIRS)), "two steps have the name 'pairs'"),
        (lambda: Chain((PAIRS,), answer="total"), r"no step 'total' to give the answer \(steps: pairs"),
        (lambda: Chain((RELATION,)), r"'relation' runs over 'pairs', which is no earlier step \(earlier steps: none"),
        (lambda: Chain((RELATION, PAIRS)), "runs over 'pairs', which is no earlier step"),
        (lambda: Chain((Step(name="a", prompt="?"), Step(name="b", prompt="{{ item }}", over="a"))), "gives no list"),
        (lambda: Chain((COUNT, Step(name="b", prompt="?", over="count"))), "gives no list .*parse="),
        (lambda: Chain((Step(name="a", strategy=CoT()), Step(name="b", prompt="?", over="a"))), "gives no list"),
        (lambda: Chain((REPORT, RELATION, PAIRS)), "'report' uses 'relation', which is no earlier step"),
        (lambda: Chain((Step(name="a", prompt="{{ a }}"),)), "'a' uses 'a', which is no earlier step"),
        (lambda: Chain((Step(name="a", prompt="{{ pear }}"),)), r"uses 'pear', .*templates see question, kind"),
        (lambda: Chain((Step(name="a", prompt="?", when="b"), Step(name="b", prompt="?"))), "'a' uses 'b'"),
        (lambda: Chain((Step(name="a", prompt="{{ item }}"),)), "'a' uses 'item', but runs over no list"),
        (lambda: Chain((Step(name="a", prompt="?", parse="yaml"),)), "there is no parser 'yaml'"),
        (lambda: Chain((Step(name="a", template="no/such"),)), "there is no template 'no/such'"),
        (lambda: Chain((Step(name="a", prompt="{{ question"),)), r"template 'a \(a step\)', line 1"),
        (lambda: Chain((Step(name="a", prompt="?", when="1 +"),)), "template 'when of a'"),
        (lambda: Chain((PAIRS,), extractor="best"), "there is no extractor 'best'"),
        (lambda: Step(name="question", prompt="?"), "could not read its value by this name"),
        (lambda: Step(name="a b", prompt="?"), "could not read its value by this name"),
        (lambda: Step(name="not", prompt="?"), "could not read its value by this name"),
        (lambda: Step(name="range", prompt="?"), "could not read its value by this name"),
        (lambda: Step(name="loop", prompt="?"), "could not read its value by this name"),
        (lambda: Step(name="", prompt="?"), "could not read its value by this name"),
        (lambda: Step(name="a"), "it asks nothing"),
        (lambda: Step(name="a", prompt="?", template="zero-shot/plain"), "both template= and prompt="),
        (lambda: Step(name="a", prompt="?", kind="number"), "kind= is for the answer of a strategy"),
        (lambda: Step(name="a", strategy=CoT(), max_tokens=5), "are the strategy's own"),
        (lambda: Step(name="a", prompt="?", model=Person), 'add parse="json"'),
        (lambda: Step(name="a", prompt="?", retries=-1), "step 'a': retries: "),
        (lambda: Step(name="a", promt="?"), "step 'a': promt: "),
        (lambda: Step(prompt="?"), "name: Field required"),
    ],
)
def test_senseless_chains_are_refused_with_a_reason(make: Callable[[], Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        make()


def test_a_chain_is_evaluated_and_its_run_keeps_every_step(tmp_path: Path) -> None:
    count = COUNT.model_copy(update={"prompt": "{{ question }}"})
    person = Step(name="person", prompt="Who?", parse="json", model=Person, when="count > 3")
    rows = "".join(json.dumps({"question": f"{n} + {n}?", "answer": f"{2 * n}"}) + "\n" for n in range(3))
    (tmp_path / "sums.jsonl").write_text(rows)
    backend = FakeBackend(lambda r: "many" if r.text[0] == "0" else "2")
    (run,) = evaluate(
        [Chain((count, person), answer="count")], str(tmp_path / "sums.jsonl"), backend, run_dir=tmp_path / "runs"
    )
    assert [sample.status for sample in run.samples] == ["failed", "correct", "wrong"]
    assert [score_steps(sample, {"count": 2})["count"].f1 for sample in run.samples] == [0, 1, 1]
    (file,) = (tmp_path / "runs").rglob("samples.jsonl")
    kept = [json.loads(line).get("details") for line in file.read_text().splitlines()]
    assert [details and details["steps"]["count"]["value"] for details in kept] == [None, 2, 2]


# -- scores of steps ----------------------------------------------------------------------------------


def scored(value: Any, gold: Any, **options: bool) -> StepScore:
    return score_steps(Result(details={"steps": {"a": {"value": value}}}), {"a": gold}, **options)["a"]


def test_scores_of_a_list_of_pairs() -> None:
    score = scored([["Bob", "ann"], ["Cy", "Dee"]], [("Ann", "Bob"), ("Ann", "Eve"), ("Fay", "Gil")])
    assert (score.precision, score.recall, score.exact) == (0.5, 1 / 3, False)
    assert score.f1 == pytest.approx(0.4)
    assert score.missing == (("Ann", "Eve"), ("Fay", "Gil"))
    assert score.extra == (["Cy", "Dee"],)
    assert scored([["Bob", "Ann"]], [("Ann", "Bob")]).exact
    assert not scored([["Bob", "Ann"]], [("Ann", "Bob")], ordered_pairs=True).exact


@pytest.mark.parametrize(
    ("value", "gold", "f1"),
    [
        ([], [], 1),
        ([], ["a"], 0),
        (["a"], [], 0),
        (None, [], 1),
        (None, ["a"], 0),
        ("The end.", "the end", 1),
        (3, 3.0, 1),
        (3, 4, 0),
        (["a", "A", "b"], ["b", "a"], 1),
        ({"name": "Ann"}, {"name": "ann"}, 1),
    ],
)
def test_scores_of_other_values(value: Any, gold: Any, f1: float) -> None:
    score = scored(value, gold)
    assert (score.f1, score.exact) == (f1, f1 == 1)


@given(found=st.lists(st.sampled_from("abcdef")), gold=st.lists(st.sampled_from("abcdef")))
def test_f1_is_symmetric_between_0_and_1_and_1_only_for_equal_sets(found: list[str], gold: list[str]) -> None:
    score = scored(found, gold)
    assert 0 <= score.f1 <= 1
    assert (score.f1 == 1) == (set(found) == set(gold)) == score.exact
    assert score.f1 == pytest.approx(scored(gold, found).f1)
    assert set(score.missing) == set(gold) - set(found)
    assert set(score.extra) == set(found) - set(gold)


def test_a_failed_question_scores_0_and_an_unknown_step_is_named() -> None:
    (result,) = Chain((COUNT,)).run_many(["?"], backend=FakeBackend("many"))
    assert score_steps(result, {"count": []})["count"] == StepScore(False, 0, 0, (), ())
    with pytest.raises(ConfigError, match=r"no step 'pears' \(its steps: count"):
        score_steps(Chain((COUNT,)).run("?", backend=FakeBackend("3")), {"pears": 1})


# -- the example --------------------------------------------------------------------------------------


@pytest.fixture
def example(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.syspath_prepend(ROOT / "examples" / "entity_pairs")
    yield import_module("compare")
    del sys.modules["compare"]


def test_the_example_compares_both_ways(example: Any) -> None:
    golds = {one["text"]: one["pairs"] for one in example.documents()}

    def knows(request: Request) -> str:
        if request.purpose == "relation":
            return "They know each other."
        (pairs,) = [pairs for text, pairs in golds.items() if text in request.messages[0].content]
        right = pairs if "and how?" not in request.messages[0].content else pairs[:1]
        return "\n".join(f"{second} | {first} | it says so" for first, second in right)

    backend = FakeBackend(knows)
    chain, at_once = example.run(example.chain(), backend), example.run(example.at_once(), backend)
    rows = [example.row("chain", chain), example.row("at once", at_once)]
    assert (rows[0].f1, rows[0].recall, rows[0].failed) == (1, 1, 0)
    assert rows[0].calls == 6 + sum(len(pairs) for pairs in golds.values())
    assert (rows[1].precision, rows[1].calls) == (1, 6)
    assert rows[1].recall == pytest.approx(sum(1 / len(pairs) for pairs in golds.values()) / 6)
    assert [line.split()[0] for line in example.table(rows).splitlines()] == ["F1", "chain", "at"]
    assert "Heron Mill | Tilda Brandt: They know each other." in example.shown(chain[0])


def test_a_document_that_fails_scores_0(example: Any) -> None:
    results = example.run(example.chain(), FakeBackend("I cannot say."))
    assert example.row("chain", results).failed == 6
    assert example.row("chain", results).f1 == 0
    assert "could not be read" in example.shown(results[0])


def test_the_right_pairs_stand_in_the_documents(example: Any) -> None:
    for one in example.documents():
        assert all(name in one["text"] or name.split()[-1] in one["text"] for pair in one["pairs"] for name in pair)
        assert len({frozenset(pair) for pair in one["pairs"]}) == len(one["pairs"])
