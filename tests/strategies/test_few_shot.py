"""Few-shot: demonstrations as turns or as text, before the question."""

from pathlib import Path

import pytest

from promptkit import Demonstration, FakeBackend, FewShot, Message, Question
from promptkit.errors import ConfigError
from promptkit.types import Sampling

DEMOS = (Demonstration(question="1 + 1?", answer="2"), Demonstration(question="2 + 1?", answer="3", rationale="Count."))


def test_demonstrations_come_before_the_question() -> None:
    backend = FakeBackend("The answer is 4.")
    result = FewShot(DEMOS).run("2 + 2?", backend=backend)
    (request,) = backend.calls
    assert request.messages == (
        Message(role="user", content="1 + 1?"),
        Message(role="assistant", content="The answer is 2."),
        Message(role="user", content="2 + 1?"),
        Message(role="assistant", content="The answer is 3."),
        Message(role="user", content="2 + 2?"),
    )
    assert request.text == "Q: 1 + 1?\nA: The answer is 2.\n\nQ: 2 + 1?\nA: The answer is 3.\n\nQ: 2 + 2?\nA:"
    assert request.sampling == Sampling(max_tokens=300, stop=("\nQ:",))
    assert (result.answer, result.extraction and result.extraction.rule) == ("4", "phrase")


def test_a_packaged_set_is_read_when_it_is_made() -> None:
    strategy = FewShot("arithmetic")
    assert isinstance(strategy.demos, tuple)
    assert len(strategy.demos) >= 4
    assert all(demo.question and demo.answer and demo.id for demo in strategy.demos)


def test_a_file_of_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(
        "- question: 1 + 1?\n  answer: 2\n- {question: Really, answer: yes, id: why}\n"
        "- {question: How much, answer: 1.50}\n"
    )
    strategy = FewShot(path)
    assert strategy.demos == (
        Demonstration(question="1 + 1?", answer="2", id="mine-1"),
        Demonstration(question="Really", answer="yes", id="why"),
        Demonstration(question="How much", answer="1.50", id="mine-3"),
    )


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "holds no demonstrations"),
        ("a: b", "holds no demonstrations"),
        ("- just text", "entry 1 is no mapping"),
        ("- {question: x, answer: y}\n- {question: x}", "entry 2: answer: is missing"),
        ("- {question: x, answer: [y]}", "entry 1: answer: must be a text"),
        ("- {question: x, answer: y, gold: z}", "entry 1: gold: there is no such setting"),
        ("- [", "no valid YAML"),
    ],
)
def test_a_broken_file_is_named_with_the_entry(tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(content)
    with pytest.raises(ConfigError) as caught:
        FewShot(path)
    assert said in str(caught.value)
    assert "mine.yaml" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_no_demonstrations() -> None:
    with pytest.raises(ConfigError, match="demos"):
        FewShot(())
    with pytest.raises(ConfigError, match=r"no demonstrations 'astronomy'.*arithmetic"):
        FewShot("astronomy")


def test_the_question_is_not_mistaken_for_a_template() -> None:
    backend = FakeBackend("4")
    FewShot(DEMOS).run(Question(text="{{ demos }} {% if %}"), backend=backend)
    assert backend.calls[0].messages[-1].content == "{{ demos }} {% if %}"


def test_a_demonstration_that_nearly_equals_the_question_is_left_out() -> None:
    asked = "Ann has 3 boxes of 12 eggs and breaks 5 of them. How many eggs are left?"
    twin = Demonstration(question=asked.upper().replace("?", "!"), answer="31", id="twin")
    backend = FakeBackend("The answer is 31.")
    result = FewShot((twin, *DEMOS)).run(asked, backend=backend)
    assert result.details == {"demos": ["1 + 1?", "2 + 1?"]}
    assert "BOXES" not in backend.calls[0].text
    assert FewShot((twin, *DEMOS)).run("Which one?", backend=backend).details["demos"][0] == "twin"


def test_demonstrations_with_other_labels_than_the_question_are_refused() -> None:
    topic = Question(text="The trout was fine.", kind="label", labels=("fish", "meat"))
    backend = FakeBackend("fish")
    with pytest.raises(ConfigError, match=r"answers 'positive', which is none of the labels fish, meat .*of your own"):
        FewShot("label").run(topic, backend=backend)
    assert backend.calls == []
    own = Demonstration(question="The carp was fat.", answer="Fish", id="carp")
    assert FewShot((own,)).run(topic, backend=backend).answer == "fish"
