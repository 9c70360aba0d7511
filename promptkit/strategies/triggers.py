"""The phrases that start an answer, by kind of answer, as published by Kojima et al. (2022, appendix A.5)."""

from promptkit.extract.choice import letters
from promptkit.types import Question

STEP_BY_STEP = "Let's think step by step."
PUBLISHED = {
    "step by step": STEP_BY_STEP,
    "first": "First,",
    "logically": "Let's think about this logically.",
    "splitting": "Let's solve this problem by splitting it into steps.",
    "realistic": "Let's be realistic and think step by step.",
    "detective": "Let's think like a detective step by step.",
    "think": "Let's think",
    "before": "Before we dive into the answer,",
    "after the proof": "The answer is after the proof.",
    "beautiful day": "It's a beautiful day.",
}
"""Phrases that Kojima et al. (2022, table 4) tried on MultiArith with text-davinci-002: 78.7 % right with the first,
45.7 % with the last but one. The last one has nothing to do with the task (13.1 %)."""


def answer_trigger(question: Question, *, therefore: bool = False) -> str:
    """The phrase after which the bare answer is expected.

    Capitalised for a direct answer; after a rationale (`therefore`) it continues "Therefore, ". The last letter of
    multiple choice is that of the question's own options, where the paper has one for a whole task: E for AQuA and
    CommonsenseQA, C for tracking objects, F for date understanding (58 of its 369 questions have no option F).
    """
    phrase = _phrase(question)
    return f"Therefore, {phrase}" if therefore else phrase[0].upper() + phrase[1:]


def _phrase(question: Question) -> str:
    match question.kind:
        case "number":
            return "the answer (arabic numerals) is"
        case "choice":
            return f"among A through {letters(question)[-1]}, the answer is"
        case "yesno":
            return "the answer (Yes or No) is"
        case "label":
            return f"the answer (one of: {', '.join(question.labels)}) is"
        case _:
            return "the answer is"
