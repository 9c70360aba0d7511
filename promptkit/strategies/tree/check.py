"""Checkers: whether a state may stay in the tree at all (Long, 2023)."""

from collections.abc import Sequence
from typing import Any, ClassVar

from pydantic import PrivateAttr, SerializeAsAny

from promptkit.flow import Flow, gather
from promptkit.strategies.base import Strategy, checked
from promptkit.strategies.tree.growth import Growth
from promptkit.strategies.tree.parts import Part
from promptkit.templates import Template, load
from promptkit.types import Kind, Question


class Checker(Part):
    """Base of checkers: what they refuse is rejected, remembered, and not asked about again."""

    family: ClassVar[str] = "checker"

    def verdicts(self, growth: Growth, states: Sequence[str]) -> Flow[list[bool]]:
        """Whether each of these states may stay. Their requests are pending together."""
        raise NotImplementedError(f"{type(self).__name__} must define verdicts()")


class Asking(Checker):
    """Any strategy as checker: it is asked whether all steps so far are right, yes or no (Long, 2023).

    A state is rejected when the answer is no; an answer that cannot be read rejects nothing.
    """

    tag: ClassVar[str] = "asking"
    asks_for: ClassVar[Kind | None] = "yesno"

    inner: SerializeAsAny[Strategy]
    template: str = "tree-of-thoughts/check"
    """Template of the question that the strategy is asked."""

    _template: Template = PrivateAttr()

    def model_post_init(self, context: Any) -> None:  # noqa: ARG002
        """Read the template."""
        self._template = load(self.template)

    def verdicts(self, growth: Growth, states: Sequence[str]) -> Flow[list[bool]]:
        """All states side by side."""
        return (yield from gather(self._verdict(growth, state) for state in states))

    def _verdict(self, growth: Growth, state: str) -> Flow[bool]:
        prompt = self._template.render(**growth.problem.variables(growth.question, state, 0))
        asked = Question(text=prompt.messages[-1].content, kind="yesno")
        return checked((yield from self.inner.steps(asked)), self.inner).answer != "no"
