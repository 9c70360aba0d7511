"""Two answers side by side, each pair asked in both orders: a preference counts only if both orders agree."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, TypeAlias

from promptkit.errors import BackendError, ConfigError
from promptkit.evaluation.judging.judge import Item, Reading, RubricJudge, wording
from promptkit.evaluation.statistics import Interval, mcnemar_exact, paired_interval
from promptkit.flow import Flow, gather
from promptkit.strategies.base import checked
from promptkit.types import Question

Pick: TypeAlias = Literal["first", "second", "neither"]
"""Which of the two that were shown, by its place in the prompt."""
Winner: TypeAlias = Literal["a", "b", "tie"]
_PICKS: dict[str, Pick] = {"A": "first", "B": "second", "C": "neither"}
_CHOICES = ("Answer A is better", "Answer B is better", "Neither is better")


@dataclass(frozen=True)
class PairVerdict:
    """What was said of one pair."""

    id: str
    ab: Pick | None
    """What was picked with a shown first; `None` unless it was read."""
    ba: Pick | None
    """What was picked with b shown first."""
    readings: tuple[Reading, Reading]
    texts: tuple[str, str]
    """What the judge wrote, for both orders."""

    @property
    def winner(self) -> Winner | None:
        """Whom both orders prefer; a tie where they disagree or prefer none; `None` where one is unread."""
        if self.ab is None or self.ba is None:
            return None
        if (self.ab, self.ba) == ("first", "second"):
            return "a"
        return "b" if (self.ab, self.ba) == ("second", "first") else "tie"

    @property
    def consistent(self) -> bool:
        """Whether both orders say the same."""
        return self.winner in ("a", "b") or (self.ab, self.ba) == ("neither", "neither")


class PairJudge(RubricJudge):
    """Asks which of two texts is better, in both orders.

    Models prefer what they read first, or last (Wang et al., 2023, "Large Language Models are not Fair Evaluators"), so
    one order alone says little.
    """

    template: str = "judge/pair"

    def question(self, first: Item, second: Item) -> Question:
        """What the strategy is asked about two texts in this order."""
        prompt = self._template.render(
            task=self.rubric.task,
            source=first.source,
            references=tuple(text for texts in first.references.values() for text in texts),
            first=first.output,
            second=second.output,
            ask=self.rubric.compare,
        )
        return Question(text=wording(prompt), kind="choice", choices=_CHOICES)

    def steps(self, pair: tuple[Item, Item]) -> Flow[PairVerdict]:
        """Both orders side by side."""
        a, b = pair
        (ab, read_ab, text_ab), (ba, read_ba, text_ba) = yield from gather([self._pick(a, b), self._pick(b, a)])
        return PairVerdict(a.id, ab, ba, (read_ab, read_ba), (text_ab, text_ba))

    def _pick(self, first: Item, second: Item) -> Flow[tuple[Pick | None, Reading, str]]:
        try:
            result = checked((yield from self.strategy.steps(self.question(first, second))), self.strategy)
        except BackendError as error:
            return None, "failed", str(error)
        if result.truncated:
            return None, "cut", result.text
        pick = _PICKS.get(str(result.answer))
        return pick, "unread" if pick is None else "read", result.text


def pairs(a: Sequence[Item], b: Sequence[Item]) -> list[tuple[Item, Item]]:
    """The texts of two sources, paired by id, in the order of the first.

    Raises:
        ConfigError: the ids or what the texts are about differ.
    """
    others = {item.id: item for item in b}
    if {item.id for item in a} != others.keys():
        raise ConfigError("the two sources hold texts with different ids", hint="give runs on the same questions")
    found = [(item, others[item.id]) for item in a]
    if odd := [one.id for one, other in found if one.source != other.source]:
        raise ConfigError(f"the texts {odd[0]!r} are about different things", hint="give runs on the same questions")
    return found


@dataclass(frozen=True)
class Preference:
    """All pairs of two sources."""

    verdicts: tuple[PairVerdict, ...]

    def wins(self, winner: Winner) -> int:
        """Pairs that went so."""
        return sum(verdict.winner == winner for verdict in self.verdicts)

    @property
    def unread(self) -> int:
        """Pairs of which at least one order could not be read."""
        return sum(verdict.winner is None for verdict in self.verdicts)

    @cached_property
    def p_value(self) -> float:
        """Of the exact sign test: that a and b win equally often. Ties do not count."""
        return mcnemar_exact(self.wins("b"), self.wins("a"))

    @cached_property
    def ci95(self) -> Interval:
        """Of the share of read pairs that b wins minus the share that a wins."""
        read = len(self.verdicts) - self.unread
        return paired_interval(self.wins("b"), self.wins("a"), read) if read else Interval(-1.0, 1.0)

    @property
    def picks(self) -> dict[Pick, int]:
        """How often each place was picked, in all orders that were read."""
        made = [pick for verdict in self.verdicts for pick in (verdict.ab, verdict.ba)]
        return {"first": made.count("first"), "second": made.count("second"), "neither": made.count("neither")}

    @property
    def inconsistent(self) -> int:
        """Pairs whose two orders contradict each other: the judge looked at the place, not at the text."""
        return sum(verdict.winner is not None and not verdict.consistent for verdict in self.verdicts)

    @cached_property
    def bias_p_value(self) -> float:
        """Of the exact sign test: that a judge which contradicts itself does so towards either place equally often."""
        contradicted = [verdict for verdict in self.verdicts if verdict.winner is not None and not verdict.consistent]
        weight = {"first": 1, "second": -1, "neither": 0}
        leaning = [weight[v.ab or "neither"] + weight[v.ba or "neither"] for v in contradicted]
        return mcnemar_exact(sum(one > 0 for one in leaning), sum(one < 0 for one in leaning))

    def summary(self) -> dict[str, Any]:
        """What `judge --pairwise --json` prints of it."""
        return {
            "n": len(self.verdicts),
            "wins": {"a": self.wins("a"), "b": self.wins("b"), "tie": self.wins("tie")},
            "unread": self.unread,
            "delta": (self.wins("b") - self.wins("a")) / max(1, len(self.verdicts) - self.unread),
            "ci95": list(self.ci95),
            "p_value": self.p_value,
            "position": {"picks": self.picks, "inconsistent": self.inconsistent, "p_value": self.bias_p_value},
        }
