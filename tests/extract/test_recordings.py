"""Measured on real outputs of text-davinci-002: the published tables again, and each difference explained."""

import pytest

from benchmarks.recordings import Block
from promptkit.extract import canonical, extractor_for, same
from promptkit.types import AnswerValue, Question
from tests import recordings

QUESTION = Question(text="How many?")

WORDS = "a number in words was not read"
FRACTION = "of a fraction only its numerator was read"
POINT = "the leading decimal point was dropped"
ZEROS = "12.30 and 12.3 were compared as strings"
EQUATION = "the first operand was taken for the result"
CENTS = "dollars were read and cents were not"
LUCK = "the wrong 5 + 5 = 10 was read as 5, which happens to be right"

DIFFERENCES = {
    "addsub_zero_shot": {77: POINT, 129: ZEROS, 169: CENTS, 176: FRACTION, 217: EQUATION, 365: EQUATION},
    "addsub_zero_shot_cot": {
        **dict.fromkeys((107, 109, 164, 176, 247, 351), FRACTION),
        **dict.fromkeys((129, 130), ZEROS),
        **dict.fromkeys((155, 248), EQUATION),
        **dict.fromkeys((220, 222, 369, 375), WORDS),
        150: POINT,
        177: LUCK,
    },
    "singleeq_zero_shot": {
        **dict.fromkeys((117, 364), EQUATION),
        **dict.fromkeys((251, 497), POINT),
        **dict.fromkeys((286, 462), ZEROS),
        472: FRACTION,
    },
    "singleeq_zero_shot_cot": {
        **dict.fromkeys((159, 170, 183, 269, 276, 416, 470), FRACTION),
        **dict.fromkeys((144, 189, 322), EQUATION),
        **dict.fromkeys((3, 321, 499), WORDS),
        **dict.fromkeys((286, 462), ZEROS),
        66: CENTS,
        435: POINT,
    },
}
"""By recording, the questions (from 0) that "answer" judges otherwise than the authors, and the fault of theirs."""

ACCURACIES = {
    "addsub_zero_shot": 73.67,
    "addsub_zero_shot_cot": 73.16,
    "singleeq_zero_shot": 75.98,
    "singleeq_zero_shot_cot": 81.30,
}


def read(text: str, name: str) -> AnswerValue | None:
    found = extractor_for(QUESTION, name)(text)
    return found.value if found else None


def correct(block: Block) -> bool:
    value, gold = read(block.pred_before, "answer"), canonical(block.gold, QUESTION)
    return value is not None and gold is not None and same(value, gold)


@pytest.mark.parametrize("name", recordings.NAMES)
def test_every_prediction_of_the_authors_is_reproduced(name: str) -> None:
    recording = recordings.load(name)
    read_again = [read(block.pred_before, "published") or "" for block in recording.blocks]
    assert read_again == [block.pred_after for block in recording.blocks]
    accuracy = sum(value == block.gold for value, block in zip(read_again, recording.blocks, strict=True))
    assert 100 * accuracy / len(recording.blocks) == pytest.approx(recording.accuracy)


@pytest.mark.parametrize("name", recordings.NAMES)
def test_each_other_verdict_has_its_reason(name: str) -> None:
    blocks = recordings.load(name).blocks
    different = {index for index, block in enumerate(blocks) if correct(block) != block.correct}
    assert different == set(DIFFERENCES[name])
    assert {index for index in different if blocks[index].correct} == {
        index for index, fault in DIFFERENCES[name].items() if fault == LUCK
    }


@pytest.mark.parametrize("name", recordings.NAMES)
def test_accuracy_without_the_faults(name: str) -> None:
    blocks = recordings.load(name).blocks
    accuracy = 100 * sum(map(correct, blocks)) / len(blocks)
    assert accuracy == pytest.approx(ACCURACIES[name], abs=0.005)


def test_chain_of_thought_logs_hold_rationales() -> None:
    assert all(block.rationale for block in recordings.load("addsub_zero_shot_cot").blocks)
    assert not any(block.rationale for block in recordings.load("addsub_zero_shot").blocks)
