"""Multiple choice whose right answer betrays itself by its position.

In BIG-bench's date understanding the right choice stands first in 364 of 369 questions: always answering A would beat
every model.
"""

import hashlib
import string
from collections import Counter

from promptkit.types import Example

_UNBALANCED = 0.01
"""p-value of the test of positions below which choices are shuffled."""


def balanced(examples: list[Example], seed: int, notes: list[str]) -> list[Example]:
    """The same examples, with each question's choices shuffled if the position of the right one gives it away.

    Whether it does is told by a chi-squared test of the right choices' positions against equal chances. What was seen
    and done is added to `notes`.
    """
    from scipy.special import chdtrc  # pyright: ignore[reportMissingTypeStubs, reportUnknownVariableType]

    counts = [len(example.question.choices) for example in examples]
    if not all(counts):
        notes.append("some questions have no choices of their own: none are shuffled")
        return examples
    positions = Counter(string.ascii_uppercase.index(str(example.gold)) for example in examples)
    expected = [sum(1 / count for count in counts if place < count) for place in range(max(counts))]
    surprise = sum((positions[place] - share) ** 2 / share for place, share in enumerate(expected))
    if float(chdtrc(len(expected) - 1, surprise)) >= _UNBALANCED:
        return examples
    place, often = positions.most_common(1)[0]
    notes.append(
        f"the right choice is {string.ascii_uppercase[place]} in {often} of {len(examples)} questions: "
        f"choices shuffled, seed {seed}"
    )
    return [_shuffled(example, seed) for example in examples]


def _shuffled(example: Example, seed: int) -> Example:
    """In an order that only seed and question say, the same with every Python and wherever the question stands."""
    question = example.question
    keys = [
        hashlib.sha256(f"{seed}\n{place}\n{question.text}".encode()).digest() for place in range(len(question.choices))
    ]
    order = sorted(range(len(keys)), key=keys.__getitem__)
    gold = order.index(string.ascii_uppercase.index(str(example.gold)))
    choices = tuple(question.choices[place] for place in order)
    return Example(question=question.model_copy(update={"choices": choices}), gold=string.ascii_uppercase[gold])
