"""A tree of thoughts while it grows: its nodes, and the requests that make and judge them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from promptkit.flow import Flow, ask, gather, sampled
from promptkit.strategies.base import request
from promptkit.templates import Prompt
from promptkit.types import Completion, Question

if TYPE_CHECKING:
    from promptkit.strategies.tree.check import Checker
    from promptkit.strategies.tree.evaluate import Evaluator
    from promptkit.strategies.tree.generate import Generator
    from promptkit.strategies.tree.problem import Problem

Status: TypeAlias = Literal["open", "kept", "pruned", "rejected", "solved"]
"""What became of a node: not looked at yet, followed, given up by the search, refused by a checker, a solution."""


@dataclass(frozen=True)
class Thought:
    """One next step that a model wrote."""

    text: str
    score: float | None = None
    """How sure the model was of it, where it says so."""
    truncated: bool = False
    """Whether its completion was cut off in it."""


@dataclass(eq=False)
class Node:
    """A state of the search: all thoughts from the root to here."""

    id: int
    parent: "Node | None"
    thought: Thought
    state: str
    """The text of all thoughts so far, as the problem joins them."""
    depth: int
    value: float | None = None
    status: Status = "open"
    order: int | None = None
    """Its place in the sequence in which states were developed further."""

    @property
    def rank(self) -> float:
        """What it is sorted by: how sure the model was of the thought, else the value of the state."""
        return self.thought.score if self.thought.score is not None else self.value or 0.0


@dataclass(frozen=True)
class Wanted:
    """A prompt that the tree wants completed."""

    purpose: str
    prompt: Prompt


class Growth:
    """The tree of one question, as a search policy sees it.

    A policy calls `expand`, `evaluate` and `can_grow`, and sets the `status` of nodes.
    """

    def __init__(
        self,
        question: Question,
        problem: "Problem",
        generator: "Generator",
        evaluator: "Evaluator",
        checker: "Checker | None",
        temperature: float,
    ) -> None:
        self.question = question
        self.problem = problem
        self.generator = generator
        self.evaluator = evaluator
        self.checker = checker
        self.temperature = temperature
        self.root = Node(0, None, Thought(""), "", 0, status="kept")
        self.nodes = [self.root]
        self.memo: dict[object, Any] = {}
        """What evaluators found out already, by what they were shown: equal prompts are judged once a question."""
        self.verdicts: dict[str, bool] = {}
        """The checker's memory: what it said of states (Long, 2023)."""
        self._drawn = Counter[Prompt]()
        self._greedy: dict[Wanted, Completion] = {}
        self._developed = 0

    def expand(self, nodes: Sequence[Node]) -> Flow[list[Node]]:
        """Develop states further, all at once.

        Returns:
            Their children in order, without those that the problem's rules or the checker refuse.
        """
        for node in nodes:
            node.order, self._developed = self._developed, self._developed + 1
        found = yield from self.generator.thoughts(self, nodes)
        children: list[Node] = []
        for node, thoughts in zip(nodes, found, strict=True):
            for thought in thoughts:
                child = self.child(node, thought)
                child.id = len(self.nodes)
                self.nodes.append(child)
                children.append(child)
        allowed = [child for child in children if self.problem.allows(self.question, child.state)]
        if self.checker:
            yield from self._consult(self.checker, allowed)
            allowed = [child for child in allowed if self.verdicts[child.state]]
        for child in {child.id: child for child in children}.keys() - {child.id for child in allowed}:
            self.nodes[child].status = "rejected"
        return allowed

    def child(self, node: Node, thought: Thought) -> Node:
        """The state that a thought leads to. It is no part of the tree yet."""
        return Node(-1, node, thought, self.problem.extend(node.state, thought.text), node.depth + 1)

    def _consult(self, checker: "Checker", nodes: Sequence[Node]) -> Flow[None]:
        new = list(dict.fromkeys(node.state for node in nodes if node.state not in self.verdicts))
        verdicts = yield from checker.verdicts(self, new)
        self.verdicts |= dict(zip(new, verdicts, strict=True))

    def evaluate(self, nodes: Sequence[Node]) -> Flow[None]:
        """Set the values of states, all at once."""
        values = yield from self.evaluator.values(self, nodes)
        for node, value in zip(nodes, values, strict=True):
            node.value = value

    def finished(self, node: Node) -> bool:
        """Whether a state needs no further thought."""
        return self.problem.finished(self.question, node.state)

    def can_grow(self, node: Node) -> bool:
        """Whether a state may be developed further."""
        return node.depth < self.problem.depth and not self.finished(node)

    def complete(self, wanted: Sequence[Wanted], n: int, max_tokens: int | None = None) -> Flow[list[list[Completion]]]:
        """Draw `n` completions of each prompt, all pending together.

        A prompt that was drawn before gets new samples, so that two states with equal prompts have thoughts of
        their own. At temperature 0 these would be the same again, and are not asked for.
        """
        flows: list[Flow[Completion]] = []
        for one in wanted:
            limit = max_tokens or self.problem.limit(one.purpose)
            stop = self.problem.stops.get(one.purpose, ())
            asked = request(one.prompt, purpose=one.purpose, max_tokens=limit, stop=stop)
            first = self._drawn[one.prompt]
            self._drawn[one.prompt] += n
            flows += [self._draw(sampled(ask(asked), first + index, self.temperature), one) for index in range(n)]
        drawn = yield from gather(flows)
        return [drawn[start : start + n] for start in range(0, len(drawn), n)]

    def _draw(self, flow: Flow[Completion], wanted: Wanted) -> Flow[Completion]:
        if self.temperature:
            return (yield from flow)
        if wanted not in self._greedy:
            self._greedy[wanted] = yield from flow
        return self._greedy[wanted]

    def record(self, answer: Node) -> dict[str, Any]:
        """The whole tree as JSON values; each text stands in it once."""
        nodes = [
            {
                "id": node.id,
                "parent": node.parent.id if node.parent else None,
                "thought": node.thought.text,
                "value": node.value,
                "status": node.status,
                "order": node.order,
            }
            for node in self.nodes
        ]
        return {"problem": self.problem.tag, "answer": answer.id, "nodes": nodes}
