"""What Auto-CoT chose from a pool: the rules of the choice, and the record of it."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Literal, TypeAlias

from promptkit.errors import ConfigError
from promptkit.extract import canonical, same
from promptkit.strategies.clustering import Points
from promptkit.strategies.pool import Pool
from promptkit.strategies.yaml_files import write_yaml
from promptkit.types import Demonstration, Kind, PoolItem, Question, Result, Usage, answer_text

Reason: TypeAlias = Literal[
    "question too long",
    "rationale too long",
    "rationale without final period",
    "no answer",
    "answer not at the end of the rationale",
    "near-duplicate",
    "call failed",
]
"""Why a question of the pool made no demonstration."""

CLUSTERS: dict[Kind, int] = {"text": 4, "yesno": 6, "choice": 7}
"""Published numbers of clusters: letters of words 4, StrategyQA 6, CommonsenseQA 7 (AQuA has 4), else 8."""
LINES: dict[Kind, int] = {"text": 7}
"""Published limits of a rationale's lines: letters of words 7, else 5."""

_NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")


@dataclass(frozen=True)
class Refusal:
    """A question that was looked at and not taken."""

    place: int
    """Its place in the pool."""
    reason: Reason


@dataclass(frozen=True)
class ChosenCluster:
    """One group of alike questions and what came of it."""

    members: tuple[int, ...]
    """Their places in the pool, the nearest to the centre first."""
    chosen: int | None
    """The place of the one that became a demonstration, if one did."""
    refused: tuple[Refusal, ...]
    """Those looked at before."""


@dataclass(frozen=True)
class Selection:
    """The demonstrations that Auto-CoT chose, and how."""

    pool: Pool
    """The questions that were clustered."""
    of: int
    """Questions of the whole pool; more than were clustered where a sample was taken."""
    clusters: tuple[ChosenCluster, ...]
    demos: tuple[Demonstration, ...]
    """At most one a cluster, in the order of the clusters."""
    points: Points
    """Where each question of the pool lies on the plane of the two principal components."""
    usage: Usage = field(default_factory=Usage)
    """What it has cost."""
    model: str = ""
    """The backend that wrote the rationales."""

    @property
    def known(self) -> int:
        """Demonstrations whose right answer the pool knows."""
        return sum(bool(item.answer) for item in self._chosen())

    @property
    def wrong(self) -> tuple[Demonstration, ...]:
        """Those of them that show a wrong answer. The choice was made without knowing."""
        return wrong_demonstrations(self.demos, self.pool)

    @property
    def refused(self) -> dict[Reason, int]:
        """How many questions were looked at and not taken, by reason, the most frequent first."""
        counts: Counter[Reason] = Counter(refusal.reason for group in self.clusters for refusal in group.refused)
        return dict(counts.most_common())

    def summary(self) -> dict[str, Any]:
        """The choice as JSON values."""
        return {
            "pool": self.pool.source,
            "leaks": self.pool.leaks,
            "questions": len(self.pool.items),
            "of": self.of,
            "model": self.model,
            "demos": [demo.model_dump() for demo in self.demos],
            "known": self.known,
            "wrong": [demo.id for demo in self.wrong],
            "clusters": [
                {"size": len(group.members), "looked_at": len(group.refused) + (group.chosen is not None)}
                for group in self.clusters
            ],
            "refused": self.refused,
            "usage": self.usage.model_dump(),
        }

    def save(self, path: str | Path) -> None:
        """Write the demonstrations to a YAML file that a person can edit and `CoT(demos=path)` reads.

        Raises:
            ConfigError: the file cannot be written.
        """
        write_yaml(path, [_entry(demo) for demo in self.demos], "demonstration file", comment=self._head())

    def _head(self) -> str:
        sample = f", a sample of {self.of}" if self.of > len(self.pool.items) else ""
        wrong = ", ".join(demo.id for demo in self.wrong)
        lines = [
            "Demonstrations for chain of thought, made by Auto-CoT (Zhang et al., 2022). Edit them as you like.",
            f"Pool: {self.pool.source}, {len(self.pool.items)} questions{sample}, {len(self.clusters)} clusters.",
            f"Rationales and answers: {self.model or 'unknown model'}, {date.today().isoformat()}.",
            f"Wrong answers: {len(self.wrong)} of {self.known} that can be checked{f' ({wrong})' if wrong else ''}.",
        ]
        leak = ["The pool is the test set, as published: results on it leak."] if self.pool.leaks else []
        return "\n".join(" ".join(line.split()) for line in lines + leak)

    def _chosen(self) -> list[PoolItem]:
        return [self.pool.items[group.chosen] for group in self.clusters if group.chosen is not None]


def wrong_demonstrations(demos: tuple[Demonstration, ...], pool: Pool) -> tuple[Demonstration, ...]:
    """The demonstrations made of a pool's questions whose answer is not the one that the pool knows."""
    items = {item.demonstration().question: item for item in pool.items if item.answer}
    return tuple(demo for demo in demos if (item := items.get(demo.question)) and not _right(demo.answer, item))


def demonstration(item: PoolItem, result: Result) -> Demonstration:
    """A question with the rationale, on one line, and the answer that a model gave."""
    shown = answer_text(result.answer or "")
    if item.question.kind == "date" and (parts := re.fullmatch(r"(\d+)-(\d+)-(\d+)", shown)):
        shown = "{1}/{2}/{0}".format(*parts.groups())
    return item.demonstration(answer=shown, rationale=" ".join(result.rationale.split()))


def rationale_problem(question: Question, result: Result, max_lines: int) -> Reason | None:
    """Which of the published rules a rationale and its answer break, if any.

    Args:
        question: what was answered.
        result: of two-stage zero-shot CoT: rationale and answer.
        max_lines: of the rationale; empty lines do not count.
    """
    rationale = result.rationale.strip()
    if sum(bool(line.strip()) for line in rationale.splitlines()) > max_lines:
        return "rationale too long"
    if not rationale.endswith("."):
        return "rationale without final period"
    if not result.answer:
        return "no answer"
    if question.kind == "number" and not _ends_with(rationale, str(result.answer)):
        return "answer not at the end of the rationale"
    return None


def nothing_found(clusters: Sequence[ChosenCluster], pool: Pool) -> ConfigError:
    """The error that says why no question of a pool made a demonstration."""
    reasons = sorted({refusal.reason for group in clusters for refusal in group.refused})
    return ConfigError(
        f"Auto-CoT found no demonstration among {len(pool.items)} questions of {pool.source}: {', '.join(reasons)}",
        hint="raise max_rationale_lines (chat models write 12 and more) or rationale_max_tokens, or give a larger pool",
    )


def _ends_with(rationale: str, number: str) -> bool:
    """Whether a number stands in the last sentence or among the last ten words, whatever its sign and its commas."""
    sentence = re.split(r"[.!?]\s", rationale)[-1]
    found = _NUMBER.findall(f"{sentence} {' '.join(rationale.split()[-10:])}")
    return any(same(text.replace(",", ""), number.removeprefix("-")) for text in found)


def _right(answer: str, item: PoolItem) -> bool:
    given, gold = canonical(answer, item.question), canonical(item.answer, item.question)
    return given is not None and gold is not None and same(given, gold)


def _entry(demo: Demonstration) -> dict[str, str]:
    return {"id": demo.id, "question": demo.question, "rationale": demo.rationale, "answer": demo.answer}
