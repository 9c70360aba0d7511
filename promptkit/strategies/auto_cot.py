"""Auto-CoT: demonstrations that the model writes itself, one for each group of alike questions in a pool."""

from collections.abc import Sequence
from dataclasses import replace
from random import Random
from typing import Any, ClassVar, Literal

from pydantic import Field, PositiveInt, PrivateAttr

from promptkit.backends.base import Backend
from promptkit.budget import Meter
from promptkit.embedding import MINILM, embedder
from promptkit.errors import AuthError, BackendError, BudgetError, ConfigError
from promptkit.flow import Flow, gather
from promptkit.scheduler import OnCall, run_flows
from promptkit.strategies.base import Strategy
from promptkit.strategies.cluster_walk import Walk
from promptkit.strategies.clustering import k_means, plane
from promptkit.strategies.cot import CoT
from promptkit.strategies.near_duplicates import twins
from promptkit.strategies.pool import Pool
from promptkit.strategies.selection import (
    CLUSTERS,
    LINES,
    Reason,
    Refusal,
    Selection,
    nothing_found,
)
from promptkit.strategies.triggers import STEP_BY_STEP
from promptkit.types import Demonstration, PoolItem, Question, Result


class AutoCoT(Strategy):
    """Let the model write demonstrations for a varied choice of a pool's questions (Zhang et al., 2022).

    Made ready once a run: the pool's questions are embedded and grouped by k-means. In each cluster, from its centre
    outward, zero-shot CoT answers one question after the other until the published rules accept a rationale. Question,
    rationale and *predicted* answer become a demonstration; right answers play no part. What then answers is a plain
    `CoT(demos=…)` in one stage, greedy unless it is sampled. `build` gives the demonstrations to look at and to keep.

    Other than published: the pool is not the test set, which leaks (`evaluate(pool="test")` has it so); a rationale
    is generated when it is to be looked at; no two demonstrations nearly equal each other; numbers are compared by
    value.

    Raises:
        ConfigError: when it is prepared: no cluster gave a demonstration, or a package is missing.
    """

    tag: ClassVar[str] = "auto-cot"

    k: PositiveInt | None = None
    """Clusters, and so demonstrations at most; unset, the published number for the kind of answer (`CLUSTERS`)."""
    embedder: str = MINILM
    """A name that `promptkit.embedding.embedder` knows."""
    seed: int = Field(default=192, ge=0, lt=2**32)
    """Of k-means, and of the sample from a larger pool."""
    max_pool: PositiveInt = 1000
    """Of a larger pool, so many questions are drawn."""
    max_tries: PositiveInt = 25
    """Of a cluster, so many questions are looked at; published are all of them."""
    generate: Literal["needed", "all"] = "needed"
    """Which rationales are made: those to be looked at, twice as many at a time after each refusal, or, as published,
    the whole pool's."""
    max_question_words: PositiveInt = 60
    """A longer question becomes no demonstration, as published."""
    max_rationale_lines: PositiveInt | None = None
    """Unset, the published limit for the kind of answer (`LINES`), which few rationales of chat models keep."""
    rationale_max_tokens: PositiveInt = 300
    """Limit of a demonstration's rationale."""
    trigger: str = STEP_BY_STEP
    """What draws out the demonstrations' rationales."""
    max_tokens: PositiveInt = 256
    """Limit of an answer."""
    temperature: float | None = Field(default=None, ge=0)
    """Of an answer. The demonstrations' rationales are always greedy."""

    _writer: CoT = PrivateAttr()

    def model_post_init(self, context: Any) -> None:  # noqa: ARG002
        """Read the templates."""
        self._writer = CoT(trigger=self.trigger, max_tokens=self.rationale_max_tokens, temperature=0)

    def templates(self) -> dict[str, str]:
        """Those that draw out the rationales, and that of the answers."""
        any_demo = Demonstration(question="?", rationale="?", answer="?")
        return self._writer.templates() | self.answering((any_demo,)).templates()

    def needs_pool(self) -> bool:
        """Yes."""
        return True

    def steps(self, question: Question) -> Flow[Result]:  # noqa: ARG002
        """Raise a `ConfigError`: what `prepare` returns answers questions."""
        raise ConfigError("AutoCoT has no demonstrations yet", hint="use run() or evaluate(), which prepare it")

    def prepare(self, pool: Pool) -> "Flow[Strategy]":
        """Few-shot CoT with the demonstrations chosen from `pool`."""
        return self.answering((yield from self.selection(pool)).demos)

    def answering(self, demos: tuple[Demonstration, ...]) -> CoT:
        """The strategy that answers with these demonstrations."""
        return CoT(demos=demos, max_tokens=self.max_tokens, temperature=self.temperature)

    def build(
        self,
        pool: Pool,
        *,
        backend: Backend | None = None,
        on_call: OnCall | None = None,
        meter: Meter | None = None,
    ) -> Selection:
        """Choose demonstrations, to look at them and to keep them with `Selection.save`.

        Args:
            pool: the questions to choose from, with or without right answers.
            backend: what writes the rationales; else the strategy's own, else the embedded model.
            on_call: told of every answered call.
            meter: says how much may be asked.

        Raises:
            BudgetError: the meter stopped it; what was asked so far is in the store, if the backend has one.
            ConfigError: no cluster gave a demonstration, or a package is missing.
            BackendError: the backend cannot go on, or a call failed and there is no demonstration at all.
        """
        chosen = self.chosen_backend(backend)
        if meter:
            meter.runs_on(chosen)
        outcome = next(run_flows([self.selection(pool)], chosen, on_call=on_call, meter=meter), None)
        if outcome is None:
            raise BudgetError(f"no demonstrations were made: {meter.reason if meter else 'nothing was asked'}")
        if outcome.value is None:
            raise outcome.error or TypeError("selection() returned nothing")
        return replace(outcome.value, usage=outcome.usage, model=chosen.name)

    def selection(self, pool: Pool) -> Flow[Selection]:
        """The flow of `prepare` and `build`: clusters side by side, in each one question after the other."""
        size, pool = len(pool.items), self._sampled(pool)
        texts = [f"Q: {item.demonstration().question}\nA:" for item in pool.items]
        vectors = embedder(self.embedder).fit(texts).embed(texts)
        walks = [Walk(members) for members in k_means(vectors, self.k or CLUSTERS.get(pool.kind, 8), self.seed)]
        made: list[Result | BackendError] = []
        if self.generate == "all":
            made = yield from gather(self._attempt(item) for item in pool.items)
        firsts = yield from gather(self._next(walk, pool, made, ()) for walk in walks)
        demos: list[Demonstration] = []
        for walk, found in zip(walks, firsts, strict=True):
            if found and walk.chosen is not None and twins(found, demos):
                # Side by side, two clusters came upon nearly the same question: the later one goes on.
                walk.refused.append(Refusal(walk.chosen, "near-duplicate"))
                found = yield from self._next(walk, pool, made, demos)
            demos += [found] if found else []
        if not demos:
            failures = [walk.failure for walk in walks if walk.failure]
            raise failures[0] if failures else nothing_found([walk.done() for walk in walks], pool)
        return Selection(pool, size, tuple(walk.done() for walk in walks), tuple(demos), plane(vectors, self.seed))

    def _sampled(self, pool: Pool) -> Pool:
        if len(pool.items) <= self.max_pool:
            return pool
        places = sorted(Random(self.seed).sample(range(len(pool.items)), self.max_pool))
        return replace(pool, items=tuple(pool.items[place] for place in places))

    def _next(
        self, walk: Walk, pool: Pool, made: Sequence[Result | BackendError], demos: Sequence[Demonstration]
    ) -> Flow[Demonstration | None]:
        """The next question of a cluster that makes a demonstration, unlike those that there are."""
        walk.chosen = None
        limit = self.max_rationale_lines or LINES.get(pool.kind, 5)
        places, ahead = walk.members[len(walk.refused) : self.max_tries], 1
        while places:
            # After each refusal twice as many are asked at a time: few are made in vain, and none waits for 24 others.
            near, places, ahead = places[:ahead], places[ahead:], 2 * ahead
            found: dict[int, Result | BackendError | Reason] = {
                place: reason for place in near if (reason := self._unfit(pool.items[place], demos))
            }
            fit = [place for place in near if place not in found]
            asked = gather(self._attempt(pool.items[place]) for place in fit)
            found |= zip(fit, [made[place] for place in fit] if made else (yield from asked), strict=True)
            for place in near:
                if demo := walk.look_at(place, pool.items[place], found[place], limit):
                    return demo
        return None

    def _unfit(self, item: PoolItem, demos: Sequence[Demonstration]) -> Reason | None:
        asked = item.demonstration()
        if len(asked.question.split()) > self.max_question_words:
            return "question too long"
        return "near-duplicate" if twins(asked, demos) else None

    def _attempt(self, item: PoolItem) -> "Flow[Result | BackendError]":
        try:
            return (yield from self._writer.steps(item.question))
        except AuthError:
            raise
        except BackendError as error:
            return error
