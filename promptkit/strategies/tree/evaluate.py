"""State evaluators: how much a state promises."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from pydantic import Field, PositiveInt, PrivateAttr, SerializeAsAny

from promptkit.flow import Flow, gather
from promptkit.strategies.base import Strategy, checked
from promptkit.strategies.tree.growth import Growth, Node, Wanted
from promptkit.strategies.tree.parts import Part
from promptkit.templates import Template, load
from promptkit.types import Kind, Question

_BEST = re.compile(r"(?i)best choice is")
_WHOLE = re.compile(r"(?<![\d.])\d{1,6}(?![\d.]*\d)")


class Evaluator(Part):
    """Base of state evaluators."""

    family: ClassVar[str] = "evaluator"
    purpose: ClassVar[str] = ""
    """The template of a problem that it needs; none where it is empty."""

    def values(self, growth: Growth, nodes: Sequence[Node]) -> Flow[list[float]]:
        """The value of each state, none below 0; more is better. Their requests are pending together."""
        raise NotImplementedError(f"{type(self).__name__} must define values()")


class Value(Evaluator):
    """Each state is judged on its own, `n` times, in a word; the words' values are added up (Yao et al., 2023).

    The published values are sure 20, likely 1, impossible 0.001. A state that stands twice among those judged
    together is judged once, and its repeats have value 0. States that look alike to the model (equal prompts) have one
    value a question, that of the first of them, as in the published cache.
    """

    tag: ClassVar[str] = "value"
    purpose: ClassVar[str] = "value"

    n: PositiveInt = 3
    """Judgements a state."""
    exact: bool = True
    """As published: the last line must be the word and nothing else. `False`: the last of the words counts wherever it
    stands, in capitals too, which suits chatty models."""
    max_tokens: PositiveInt | None = None
    """Limit of new tokens; unset, the problem's own."""

    def values(self, growth: Growth, nodes: Sequence[Node]) -> Flow[list[float]]:
        """All judgements that are not known yet, at once."""
        problem, question = growth.problem, growth.question
        shown = [problem.judgements(question, node.state) for node in nodes]
        unique = dict.fromkeys(prompt for prompts in shown for prompt in prompts)
        wanted = [Wanted(self.purpose, prompt) for prompt in unique if (self, prompt) not in growth.memo]
        drawn = yield from growth.complete(wanted, self.n, self.max_tokens)
        for one, replies in zip(wanted, drawn, strict=True):
            growth.memo[self, one.prompt] = tuple(self.word(reply.text, problem.worth) for reply in replies)
        found: list[float] = []
        seen: set[str] = set()
        for node, prompts in zip(nodes, shown, strict=True):
            if (self, prompts) not in growth.memo:
                words = [growth.memo[self, prompt] for prompt in prompts]
                growth.memo[self, prompts] = problem.value(question, node.state, words)
            found.append(0.0 if node.state in seen else growth.memo[self, prompts])
            seen.add(node.state)
        return found

    def word(self, text: str, worth: Mapping[str, float]) -> str:
        """The judgement that a reply gives; empty where it gives none."""
        if self.exact:
            last = text.split("\n")[-1]
            return last if last in worth else ""
        words = [word for word in re.findall(r"[^\W\d_]+", text.casefold()) if word in worth]
        return words[-1] if words else ""


class Vote(Evaluator):
    """All states are shown together and the best is voted for, `n` times; votes are values (Yao et al., 2023).

    Unlike the published pattern, which reads "the best choice is 12" as 2, whole numbers are read.
    """

    tag: ClassVar[str] = "vote"
    purpose: ClassVar[str] = "vote"

    n: PositiveInt = 5
    """Votes a level."""
    max_tokens: PositiveInt | None = None
    """Limit of new tokens; unset, the problem's own."""

    def values(self, growth: Growth, nodes: Sequence[Node]) -> Flow[list[float]]:
        """Votes of each state; a reply that names none of them counts for none. One state alone needs no vote."""
        if len(nodes) < 2:
            return [float(self.n)] * len(nodes)
        prompt = growth.problem.ballot(growth.question, [node.state for node in nodes])
        (replies,) = yield from growth.complete([Wanted(self.purpose, prompt)], self.n, self.max_tokens)
        votes = [0.0] * len(nodes)
        for reply in replies:
            choice = self.choice(reply.text)
            if choice is not None and 1 <= choice <= len(nodes):
                votes[choice - 1] += 1
        return votes

    def choice(self, text: str) -> int | None:
        """The number that follows the last "best choice is", else the number that is the whole last line."""
        phrases = list(_BEST.finditer(text))
        number = _WHOLE.search(text, phrases[-1].end()) if phrases else None
        if not phrases:
            number = _WHOLE.fullmatch((text.strip().splitlines() or [""])[-1].strip(" .*"))
        return int(number[0]) if number else None


class Judge(Evaluator):
    """Any strategy as evaluator: it is asked how good a state is, from 0 to `best`, and its number is the value.

    `Judge(SelfConsistency(ZeroShot(), 5))` takes the mark that most samples give. What cannot be read counts 0.
    """

    tag: ClassVar[str] = "judge"
    asks_for: ClassVar[Kind | None] = "number"

    inner: SerializeAsAny[Strategy]
    best: int = Field(default=10, ge=1)
    """The highest mark."""
    template: str = "tree-of-thoughts/judge"
    """Template of the question that the strategy is asked."""

    _template: Template = PrivateAttr()

    def model_post_init(self, context: Any) -> None:  # noqa: ARG002
        """Read the template."""
        self._template = load(self.template)

    def values(self, growth: Growth, nodes: Sequence[Node]) -> Flow[list[float]]:
        """The marks of all states that have none yet, at once."""
        new = list(dict.fromkeys(node.state for node in nodes if (self, node.state) not in growth.memo))
        marks = yield from gather(self._mark(growth, state) for state in new)
        growth.memo |= {(self, state): mark for state, mark in zip(new, marks, strict=True)}
        return [growth.memo[self, node.state] for node in nodes]

    def _mark(self, growth: Growth, state: str) -> Flow[float]:
        variables = growth.problem.variables(growth.question, state, 0)
        prompt = self._template.render(**variables | {"best": self.best})
        result = checked((yield from self.inner.steps(Question(text=prompt.messages[-1].content))), self.inner)
        try:
            mark = float(str(result.answer))
        except ValueError:  # nothing was read, or a fraction
            return 0.0
        return min(max(mark, 0.0), float(self.best))


class Lookahead(Evaluator):
    """A state is worth what it leads to: the first thought is followed `depth` times, then `inner` judges.

    The states that are looked at on the way are no part of the tree.
    """

    tag: ClassVar[str] = "look-ahead"

    inner: SerializeAsAny[Evaluator]
    """What judges the states that are come to."""
    depth: PositiveInt = 1
    """Thoughts that are followed."""

    def values(self, growth: Growth, nodes: Sequence[Node]) -> Flow[list[float]]:
        """All states are followed side by side."""
        ahead = list(nodes)
        for _ in range(self.depth):
            places = [place for place, node in enumerate(ahead) if growth.can_grow(node)]
            found = yield from growth.generator.thoughts(growth, [ahead[place] for place in places])
            for place, thoughts in zip(places, found, strict=True):
                children = [growth.child(ahead[place], thought) for thought in thoughts]
                allowed = [child for child in children if growth.problem.allows(growth.question, child.state)]
                ahead[place] = (allowed or [ahead[place]])[0]
        return (yield from self.inner.values(growth, ahead))
