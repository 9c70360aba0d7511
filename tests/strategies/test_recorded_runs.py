"""Real outputs of text-davinci-002 replayed through the real flows: the published accuracies come out.

The recordings answer only the paper's prompts, letter for letter (without the line break that its code puts before
"Therefore"); any other prompt fails the test.
"""

from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.recordings import Block
from promptkit import CoT, FakeBackend, Question, Strategy, ZeroShot, evaluate
from promptkit.evaluation.benchmarks import load
from promptkit.extract import canonical, same
from promptkit.types import Result
from tests import recordings
from tests.extract.test_recordings import ACCURACIES, DIFFERENCES

PUBLISHED = {
    "addsub_zero_shot": 72.15,
    "addsub_zero_shot_cot": 69.62,
    "singleeq_zero_shot": 74.61,
    "singleeq_zero_shot_cot": 77.95,
}
"""As printed in the paper's table, rounded there to one place."""
FILES = {"addsub": "AddSub.json", "singleeq": "SingleEq.json"}
TRIGGER = "the answer (arabic numerals) is"


def prompts_of_direct(block: Block) -> dict[str, str]:
    """Prompt → what the model said to it."""
    return {f"Q: {block.question}\nA: T{TRIGGER[1:]}": block.pred_before}


def prompts_of_cot(block: Block) -> dict[str, str]:
    first = f"Q: {block.question}\nA: Let's think step by step."
    gap = "" if block.rationale[:1].isspace() else " "
    return {first: block.rationale, f"{first}{gap}{block.rationale} Therefore, {TRIGGER}": block.pred_before}


def strategy(name: str, extractor: str | None = None) -> Strategy:
    if name.endswith("cot"):
        return CoT(max_tokens=128, answer_max_tokens=32, extractor=extractor)
    return ZeroShot("direct", extractor=extractor)


def backend(name: str, blocks: tuple[Block, ...]) -> FakeBackend:
    prompts: Callable[[Block], dict[str, str]] = prompts_of_cot if name.endswith("cot") else prompts_of_direct
    said = {prompt: text for block in blocks for prompt, text in prompts(block).items()}
    assert len(said) == len(blocks) * (2 if name.endswith("cot") else 1)
    return FakeBackend(lambda request: said[request.text])


def replay(name: str, extractor: str | None = None) -> tuple[tuple[Block, ...], list[Result]]:
    blocks = recordings.load(name).blocks
    questions = [Question(text=block.question) for block in blocks]
    return blocks, strategy(name, extractor).run_many(questions, backend=backend(name, blocks))


@pytest.mark.parametrize("name", recordings.NAMES)
def test_the_published_accuracy_with_the_published_reading(name: str) -> None:
    blocks, results = replay(name, "published")
    correct = [result.answer == block.gold for result, block in zip(results, blocks, strict=True)]
    assert 100 * sum(correct) / len(blocks) == pytest.approx(PUBLISHED[name], abs=0.005)
    assert correct == [block.correct for block in blocks]


@pytest.mark.parametrize("name", recordings.NAMES)
def test_our_reading_differs_only_where_a_fault_of_the_published_one_is_known(name: str) -> None:
    blocks, results = replay(name)
    different: set[int] = set()
    for place, (result, block) in enumerate(zip(results, blocks, strict=True)):
        gold = canonical(block.gold, Question(text=block.question))
        assert gold is not None
        correct = result.answer is not None and same(result.answer, gold)
        if correct != block.correct:
            different.add(place)
    assert different == set(DIFFERENCES[name])  # there each one has its reason


@pytest.mark.parametrize("name", recordings.NAMES)
def test_from_the_published_file_to_the_accuracy(name: str, shared: Path) -> None:
    blocks = recordings.load(name).blocks
    data = name.partition("_")[0]
    benchmark = load(f"{data}={shared / 'data' / FILES[data]}")
    (run,) = evaluate(strategy(name), benchmark, backend(name, blocks))
    assert 100 * run.accuracy == pytest.approx(ACCURACIES[name], abs=0.005)
    assert run.n == len(blocks)
    assert run.usage.calls == len(blocks) * (2 if name.endswith("cot") else 1)
    changed = sum(1 if not blocks[place].correct else -1 for place in DIFFERENCES[name])
    assert run.accuracy * run.n == pytest.approx(PUBLISHED[name] / 100 * run.n + changed, abs=0.05)


@pytest.mark.parametrize("name", [name for name in recordings.NAMES if name.endswith("cot")])
def test_the_rationale_stays_as_the_model_wrote_it(name: str) -> None:
    blocks, results = replay(name)
    assert [result.rationale for result in results] == [block.rationale for block in blocks]
    assert [result.text for result in results] == [block.pred_before for block in blocks]
