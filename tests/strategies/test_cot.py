"""Chain of thought: the published two stages to the letter, one stage, and demonstrations."""

import pytest

from promptkit import CoT, Demonstration, FakeBackend, Message, Question, SelfConsistency, ZeroShot
from promptkit.errors import BackendError, ConfigError
from promptkit.types import Completion, Kind, Request, Sampling

DEMOS = (
    Demonstration(question="1 + 1?", answer="2", rationale="One and one make two."),
    Demonstration(question="2 + 1?", answer="3", rationale="Two and one make three."),
)
RATIONALE = "Two and two are 4, as everyone knows by age 6."


def two_stages(rationale: str = RATIONALE, answer: str = " 4.") -> FakeBackend:
    return FakeBackend(lambda request: rationale if request.purpose == "rationale" else answer)


def test_the_two_stages_as_published_in_completion_mode() -> None:
    backend = two_stages()
    CoT().run("What is 2 + 2?", backend=backend)
    first, second = backend.calls
    assert first.text == "Q: What is 2 + 2?\nA: Let's think step by step."
    assert second.text == f"{first.text} {RATIONALE} Therefore, the answer (arabic numerals) is"


def test_the_two_stages_in_a_chat_are_user_assistant_user() -> None:
    backend = two_stages()
    CoT().run("What is 2 + 2?", backend=backend)
    first, second = backend.calls
    user = Message(role="user", content="What is 2 + 2?\n\nLet's think step by step.")
    assert first.messages == (user,)
    assert second.messages == (
        user,
        Message(role="assistant", content=RATIONALE),
        Message(role="user", content="Therefore, the answer (arabic numerals) is"),
    )


def test_purposes_limits_and_the_greedy_second_stage() -> None:
    backend = two_stages()
    CoT(temperature=0.9).run("What is 2 + 2?", backend=backend, seed=5)
    first, second = backend.calls
    assert (first.purpose, second.purpose) == ("rationale", "answer")
    assert first.sampling == Sampling(max_tokens=300, temperature=0.9, stop=("\nQ:",), seed=5)
    assert second.sampling == Sampling(max_tokens=32, temperature=0, stop=("\nQ:",))


def test_the_published_limits_can_be_set() -> None:
    backend = two_stages()
    CoT(max_tokens=128, answer_max_tokens=16).run("What is 2 + 2?", backend=backend)
    assert [request.sampling.max_tokens for request in backend.calls] == [128, 16]


def test_the_second_stage_names_the_completion_that_it_continues() -> None:
    backend = two_stages()
    first, second = CoT().run("What is 2 + 2?", backend=backend).trace
    assert first.completion
    assert first.completion.id
    assert (first.request.parent, second.request.parent) == (None, first.completion.id)


def test_the_result_is_read_from_the_second_stage() -> None:
    result = CoT().run("What is 2 + 2?", backend=two_stages())
    assert (result.answer, result.text, result.rationale) == ("4", " 4.", RATIONALE)
    assert result.usage.calls == 2


@pytest.mark.parametrize(("reasoning", "answer", "truncated"), [("length", "stop", False), ("stop", "length", True)])
def test_truncated_is_what_cuts_the_answer_off(reasoning: str, answer: str, truncated: bool) -> None:
    def reply(request: Request) -> Completion:
        reason = reasoning if request.purpose == "rationale" else answer
        return Completion(text="4", finish_reason=reason)  # type: ignore[arg-type]

    assert CoT().run("What is 2 + 2?", backend=FakeBackend(reply)).truncated is truncated


@pytest.mark.parametrize("rationale", ["", " \n "])
def test_an_empty_rationale_makes_no_empty_turn(rationale: str) -> None:
    backend = two_stages(rationale)
    CoT().run("What is 2 + 2?", backend=backend)
    (message,) = backend.calls[1].messages
    assert message.role == "user"
    assert message.content.endswith("Let's think step by step.\n\nTherefore, the answer (arabic numerals) is")


def test_a_rationale_that_begins_with_a_space_gets_no_second_one() -> None:
    backend = two_stages("\n\nTwo and two.")
    CoT().run("What is 2 + 2?", backend=backend)
    assert "step by step.\n\nTwo and two. Therefore," in backend.calls[1].text


@pytest.mark.parametrize(
    ("kind", "choices", "trigger"),
    [
        ("yesno", (), "Therefore, the answer (Yes or No) is"),
        ("choice", tuple("vwxyz"), "Therefore, among A through E, the answer is"),
        ("choice", tuple("uvwxyz"), "Therefore, among A through F, the answer is"),
        ("choice", tuple("xyz"), "Therefore, among A through C, the answer is"),
        ("text", (), "Therefore, the answer is"),
    ],
)
def test_the_published_triggers(kind: Kind, choices: tuple[str, ...], trigger: str) -> None:
    backend = two_stages()
    CoT().run(Question(text="Well?", kind=kind, choices=choices), backend=backend)
    assert backend.calls[1].text.endswith(f"{RATIONALE} {trigger}")


@pytest.mark.parametrize(
    ("question", "trigger"),
    [
        (Question(text="Well?"), "the answer (arabic numerals) is"),
        (Question(text="Well?", kind="yesno"), "the answer (Yes or No) is"),
        (Question(text="Well?", kind="text"), "the answer is"),
        (Question(text="Well?", kind="choice"), "among A through E, the answer is"),
        (Question(text="Well? Answer Choices: (A) x (B) y (C) z", kind="choice"), "among A through C, the answer is"),
        (Question(text="Well?", kind="choice", choices=tuple("uvwxyz")), "among A through F, the answer is"),
    ],
)
def test_both_published_prompts_to_the_letter(question: Question, trigger: str) -> None:
    listed = "".join(f" ({letter}) {choice}" for letter, choice in zip("ABCDEF", question.choices, strict=False))
    asked = f"Q: {question.text}{' Answer Choices:' if listed else ''}{listed}\nA:"
    direct, cot = FakeBackend("1"), FakeBackend([" Two and two.", "1"])
    ZeroShot("direct").run(question, backend=direct)
    CoT(max_tokens=128).run(question, backend=cot)
    assert [request.text for request in direct.calls] == [f"{asked} {trigger[0].upper()}{trigger[1:]}"]
    step = f"{asked} Let's think step by step."
    assert [request.text for request in cot.calls] == [step, f"{step} Two and two. Therefore, {trigger}"]
    assert [request.sampling.max_tokens for request in (*direct.calls, *cot.calls)] == [32, 128, 32]


def test_another_trigger() -> None:
    backend = two_stages()
    CoT(trigger="Let's work this out.").run("What is 2 + 2?", backend=backend)
    assert backend.calls[0].text == "Q: What is 2 + 2?\nA: Let's work this out."


def test_one_stage_asks_for_both_at_once() -> None:
    backend = FakeBackend("2 and 2. The answer is 4. Or so.")
    result = CoT(stages=1).run("What is 2 + 2?", backend=backend)
    (request,) = backend.calls
    ending = 'Finish with "The answer is <number>."'
    assert request.messages[0].content == f"What is 2 + 2?\n\nLet's think step by step. {ending}"
    assert request.text == f"Q: What is 2 + 2?\n{ending}\nA: Let's think step by step."
    assert request.sampling.max_tokens == 300
    assert (result.answer, result.rationale) == ("4", result.text)


def test_demonstrations_with_rationales_are_one_stage() -> None:
    backend = FakeBackend("Two and two make four. The answer is 4.")
    result = CoT(DEMOS).run("2 + 2?", backend=backend)
    (request,) = backend.calls
    assert request.messages == (
        Message(role="user", content="1 + 1?"),
        Message(role="assistant", content="One and one make two. The answer is 2."),
        Message(role="user", content="2 + 1?"),
        Message(role="assistant", content="Two and one make three. The answer is 3."),
        Message(role="user", content="2 + 2?"),
    )
    assert request.text == (
        "Q: 1 + 1?\nA: One and one make two. The answer is 2.\n\n"
        "Q: 2 + 1?\nA: Two and one make three. The answer is 3.\n\n"
        "Q: 2 + 2?\nA:"
    )
    assert request.sampling == Sampling(max_tokens=300, stop=("\nQ:",))
    assert (result.answer, request.purpose) == ("4", "rationale")


def test_demonstrations_without_rationale_are_refused_by_name() -> None:
    with pytest.raises(ConfigError, match=r"demonstration 'second' has no rationale.*FewShot"):
        CoT((DEMOS[0], Demonstration(question="q", answer="a", id="second")))


def test_two_stages_with_demonstrations_are_refused() -> None:
    with pytest.raises(ConfigError, match="has one stage"):
        CoT(DEMOS, stages=2)


def test_a_failure_of_the_second_stage_fails_the_question() -> None:
    backend = FakeBackend(lambda request: "hm" if request.purpose == "rationale" else BackendError("busy"))
    (result,) = CoT().run_many(["2 + 2?"], backend=backend)
    assert result.error == "busy"
    assert [(bool(call.completion), call.error) for call in result.trace] == [(True, None), (False, "busy")]


def test_under_self_consistency_each_rationale_is_sampled_and_equal_answers_are_asked_once() -> None:
    backend = two_stages()
    SelfConsistency(CoT(), 3, 0.6).run("What is 2 + 2?", backend=backend, seed=1)
    rationales = [request for request in backend.calls if request.purpose == "rationale"]
    assert [request.sample for request in rationales] == [(0,), (1,), (2,)]
    assert {request.sampling.temperature for request in rationales} == {0.6}
    assert len({request.sample_seed for request in rationales}) == 3
    answers = [request for request in backend.calls if request.purpose == "answer"]
    assert {(request.sample, request.sampling.temperature) for request in answers} == {((), 0.0)}


@pytest.mark.parametrize("settings", [{"demos": DEMOS}, {"stages": 1}], ids=["demos", "one stage"])
def test_a_second_template_that_would_not_be_used_is_refused(settings: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match="answer_template would not be used"):
        CoT(answer_template="cot/answer", **settings)  # type: ignore[arg-type]
    assert CoT(answer_template="cot/answer").templates().keys() == {"cot/zero-shot", "cot/answer"}


def test_the_demonstrations_are_named_in_the_result() -> None:
    named = tuple(demo.model_copy(update={"id": f"d{place}"}) for place, demo in enumerate(DEMOS))
    backend = FakeBackend("The answer is 4.")
    assert CoT(named).run("2 + 2?", backend=backend).details == {"demos": ["d0", "d1"]}
    assert CoT().run("2 + 2?", backend=backend).details == {}
