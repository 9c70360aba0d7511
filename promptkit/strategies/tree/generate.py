"""Thought generators: how the next thoughts of a state are asked for."""

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

from pydantic import PositiveInt

from promptkit.flow import Flow
from promptkit.strategies.tree.growth import Growth, Node, Thought, Wanted
from promptkit.strategies.tree.parts import Part


class Generator(Part):
    """Base of thought generators."""

    family: ClassVar[str] = "generator"
    purpose: ClassVar[str] = ""
    """The template of a problem that it uses; a problem may put others in its place at some states."""

    def thoughts(self, growth: Growth, nodes: Sequence[Node]) -> Flow[list[list[Thought]]]:
        """The next thoughts of each of these states; their requests are pending together."""
        raise NotImplementedError(f"{type(self).__name__} must define thoughts()")

    def _wanted(self, growth: Growth, node: Node) -> Wanted:
        name = growth.problem.stage(growth.question, node.state, self.purpose)
        return Wanted(name, growth.problem.prompt(name, growth.question, node.state, node.depth))


class Propose(Generator):
    """One request lists several next thoughts (Yao et al., 2023). Suits short thoughts, such as equations."""

    tag: ClassVar[str] = "propose"
    purpose: ClassVar[str] = "propose"

    n: PositiveInt = 1
    """Lists a state."""
    max_tokens: PositiveInt | None = None
    """Limit of new tokens; unset, the problem's own."""

    def thoughts(self, growth: Growth, nodes: Sequence[Node]) -> Flow[list[list[Thought]]]:
        """The problem reads the lists: by default each line is a thought."""
        wanted = [self._wanted(growth, node) for node in nodes]
        drawn = yield from growth.complete(wanted, self.n, self.max_tokens)
        found: list[list[Thought]] = []
        for node, replies in zip(nodes, drawn, strict=True):
            thoughts = growth.problem.thoughts(growth.question, node.state, [reply.text for reply in replies])
            cut = {reply.text.split("\n")[-1] for reply in replies if reply.finish_reason == "length"}
            found.append([replace(one, truncated=True) if one.text in cut else one for one in thoughts])
        return found


class Sample(Generator):
    """Several samples of one next thought (Yao et al., 2023). Suits thoughts with room to differ, such as plans."""

    tag: ClassVar[str] = "sample"
    purpose: ClassVar[str] = "sample"

    n: PositiveInt = 5
    """Samples a state."""
    max_tokens: PositiveInt | None = None
    """Limit of new tokens; unset, the problem's own."""

    def thoughts(self, growth: Growth, nodes: Sequence[Node]) -> Flow[list[list[Thought]]]:
        """One thought a sample; empty ones are left out."""
        wanted = [self._wanted(growth, node) for node in nodes]
        drawn = yield from growth.complete(wanted, self.n, self.max_tokens)
        found: list[list[Thought]] = []
        for node, replies in zip(nodes, drawn, strict=True):
            texts = [growth.problem.thought(growth.question, node.state, reply.text) for reply in replies]
            cut = [reply.finish_reason == "length" for reply in replies]
            found.append(
                [Thought(text, truncated=late) for text, late in zip(texts, cut, strict=True) if text is not None]
            )
        return found
