"""A language model as judge: each criterion of a rubric is a question that any strategy may answer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from pydantic import Field, PrivateAttr, SerializeAsAny

from promptkit.errors import BackendError, ConfigError
from promptkit.evaluation.judging.rubric import Criterion, Rubric
from promptkit.flow import Flow, gather
from promptkit.strategies import Strategy, ZeroShot
from promptkit.strategies.base import checked
from promptkit.strategies.values import Value
from promptkit.templates import Prompt, Template, load
from promptkit.types import Question, Result

Reading: TypeAlias = Literal["read", "unread", "cut", "failed"]
"""What became of a question to the judge; only a verdict that was read counts."""
References: TypeAlias = Mapping[str, tuple[str, ...]]
"""Right answers by criterion; those under "" are shown with every criterion."""


@dataclass(frozen=True)
class Item:
    """A text to be judged."""

    id: str
    output: str
    source: str = ""
    """What it is about: the question, the dialogue that it sums up."""
    references: References = field(default_factory=dict[str, tuple[str, ...]])
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    """What people said of it: criterion → "yes", "no" or a mark."""

    def references_for(self, criterion: str) -> tuple[str, ...]:
        """The right answers that the judge is shown with a criterion."""
        return (*self.references.get("", ()), *self.references.get(criterion, ()))


@dataclass(frozen=True)
class Verdict:
    """What was said of one text by one criterion."""

    criterion: str
    value: str | None
    """The judge's "yes", "no" or mark; `None` unless it was read."""
    reading: Reading
    text: str = ""
    """What the judge wrote."""
    agreement: float | None = None
    """Share of the samples that voted for it, where the strategy samples several."""
    checked: str | None = None
    """What code says: "yes" or "no"; `None` where the rubric has no check."""
    points: float | None = None
    """What it gives, by the judge or by code as the criterion says; `None` where that verdict was not read."""

    def summary(self) -> dict[str, Any]:
        """As JSON has it."""
        return {key: value for key, value in vars(self).items() if value is not None}


@dataclass(frozen=True)
class Judgement:
    """What was said of one text by all criteria."""

    id: str
    verdicts: tuple[Verdict, ...]

    @property
    def points(self) -> float:
        """The sum of the points; a verdict that could not be read gives none."""
        return sum(verdict.points or 0.0 for verdict in self.verdicts)

    @property
    def complete(self) -> bool:
        """Whether every verdict that counts was read."""
        return all(verdict.points is not None for verdict in self.verdicts)


class RubricJudge(Value):
    """What every judge has: a rubric, the strategy that answers its questions, and the template that words them."""

    rubric: Rubric
    strategy: SerializeAsAny[Strategy] = Field(default_factory=lambda: ZeroShot("direct"))
    template: str = ""

    _template: Template = PrivateAttr()

    def model_post_init(self, context: Any) -> None:  # noqa: ARG002
        """Read the template."""
        self._template = load(self.template)
        refuse_pool(self.strategy)

    def templates(self) -> dict[str, str]:
        """The template files that it and its strategy use: name → hash."""
        return {self._template.name: self._template.hash, **self.strategy.templates()}


class Judge(RubricJudge):
    """A rubric with the strategy that answers its questions.

    Any strategy will do: `ZeroShot(style="direct")` gives the verdict alone, `CoT()` reasons first, and
    `SelfConsistency(CoT(), n=5)` votes. The judge itself does no I/O, as strategies do none.

    Raises:
        ConfigError: an argument makes no sense, or the template is missing or broken.
    """

    template: str = "judge/criterion"

    def question(self, item: Item, criterion: Criterion) -> Question:
        """What the strategy is asked about one text and one criterion."""
        prompt = self._template.render(
            task=self.rubric.task,
            source=item.source,
            output=item.output,
            references=item.references_for(criterion.name),
            ask=criterion.ask,
            instructions=criterion.instructions,
            scale=criterion.scale,
        )
        labels = criterion.values if criterion.kind == "label" else ()
        return Question(text=wording(prompt), kind=criterion.kind, labels=labels)

    def steps(self, item: Item) -> Flow[Judgement]:
        """All criteria side by side. A call that fails costs its own verdict only."""
        verdicts = yield from gather(self._verdict(item, criterion) for criterion in self.rubric.criteria)
        return Judgement(item.id, tuple(verdicts))

    def _verdict(self, item: Item, criterion: Criterion) -> Flow[Verdict]:
        try:
            result = checked((yield from self.strategy.steps(self.question(item, criterion))), self.strategy)
        except BackendError as error:
            return _decided(criterion, item, Result(text=str(error)), "failed")
        if result.truncated:
            return _decided(criterion, item, result, "cut")
        return _decided(criterion, item, result, "unread" if result.answer is None else "read")


def refuse_pool(strategy: Strategy) -> None:
    """Raise a `ConfigError` for a strategy that would need worked judgements first."""
    if strategy.needs_pool():
        raise ConfigError(
            f"{type(strategy).__name__} needs a pool of worked questions, which a judge has not",
            hint="use direct, zero-shot-cot or self-consistency",
        )


def wording(prompt: Prompt) -> str:
    """A rendered template as the text of a question."""
    return "\n\n".join(message.content for message in prompt.messages)


def _decided(criterion: Criterion, item: Item, result: Result, reading: Reading) -> Verdict:
    """The verdict, with what code says and whichever of the two gives the points."""
    value = str(result.answer) if reading == "read" else None
    check = criterion.checker()
    by_code = None if check is None else "yes" if check(item.output) else "no"
    counted = by_code if by_code is not None and criterion.counts == "check" else value
    return Verdict(
        criterion=criterion.name,
        value=value,
        reading=reading,
        text=result.text,
        agreement=result.agreement,
        checked=by_code,
        points=None if counted is None else criterion.points_of(counted),
    )
